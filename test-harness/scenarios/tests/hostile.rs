//! Peers that mean no good: they are cut off, cost the hub nothing, and the others notice nothing. A process of its own,
//! since it measures what that has in memory.
#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on fails where it stands"
)]

#[path = "scenarios/support.rs"]
mod support;

use std::net::UdpSocket;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use outhaul_protocol_transport::close::{Close, Lost};
use outhaul_protocol_transport::control::Control;
use outhaul_protocol_transport::dialer::{Dialer, Enrolled};
use outhaul_protocol_transport::identity::Identity;
use outhaul_protocol_transport::link::HubLink;
use outhaul_protocol_transport::pki::PrivateKey;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Head;
use outhaul_protocol_wire::ids::{Epoch, Term};
use outhaul_protocol_wire::message::{AgentMessage, Hello, HubMessage, Orphans};
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::root;
use outhaul_protocol_wire::token::Token;
use outhaul_protocol_wire::version::Offer;
use outhaul_scenarios::{Ground, Stage, stage};
use serde_json::json;
use support::{config_map, config_maps, has_value};

/// The length of a frame, as a peer can claim it.
const FOUR_GIB: [u8; 4] = [0xff; 4];

/// Peers that claim such a frame at each door.
const GIANTS: usize = 4;

/// Releases for the peer that reads nothing: as many as may be announced and not acknowledged, and at 14 KiB each more
/// than the windows of QUIC hold.
const QUEUED: usize = 256;

/// What all of them together may make the hub's process hold; with an embedded control plane that is in it too.
const RESIDENT: u64 = 192 * 1024 * 1024;

/// What the same once more may leave behind once it is over and everything is warm: nothing, but for where allocators
/// put things. Measured are less than 4 MiB; what is queued for the peer that reads nothing is 3.5 MiB in each copy.
const AGAIN: u64 = 12 * 1024 * 1024;

/// What the process holds is measured, so one runs after the other.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A peer with a certificate, and no cluster behind it.
struct Peer {
    enrolled: Enrolled,
    identity: Identity,
    token: Token,
}

impl Peer {
    async fn enrol(stage: &Stage, plane: &str) -> Self {
        stage.operator().declare(plane).await.unwrap();
        let token: Token = stage.operator().token(plane).await.unwrap().parse().unwrap();
        let key = PrivateKey::generate().unwrap();
        let dialer = Dialer::udp(stage.agents()).unwrap();
        let enrolled = dialer
            .enrol(stage.agents(), &token, &key, SystemTime::now())
            .await
            .unwrap();
        let identity = Identity {
            chain: enrolled.chain.clone(),
            key,
        };
        Self {
            enrolled,
            identity,
            token,
        }
    }

    async fn dial(&self, stage: &Stage) -> HubLink {
        let dialer = Dialer::udp(stage.agents()).unwrap();
        dialer
            .dial(stage.agents(), &self.enrolled.trust(), &self.identity)
            .await
            .unwrap()
    }

    async fn dial_as_stranger(&self, stage: &Stage) -> HubLink {
        let dialer = Dialer::udp(stage.agents()).unwrap();
        dialer
            .dial_as_stranger(stage.agents(), self.token.authority)
            .await
            .unwrap()
    }

    /// Opens a session and reads nothing of it. A stream that is dropped would tell the hub that nobody reads.
    async fn fall_silent(&self, stage: &Stage, dial: u64) -> (HubLink, Control<HubMessage, AgentMessage>) {
        let link = self.dial(stage).await;
        let mut control = link.open_control().await.unwrap();
        let hello = Hello {
            agent_version: "mute".into(),
            kubernetes_version: String::new(),
            instance: [1; 16],
            term: Term { boot: 1, dial },
            epoch: Epoch(0),
            desired: root::desired(std::iter::empty::<&Head>()),
            observed: Some(root::observed(std::iter::empty::<(&_, &Digest)>())),
            orphans: Orphans::default(),
            policy: Policy::default(),
        };
        control.writer.write(&AgentMessage::Hello(hello)).await.unwrap();
        (link, control)
    }
}

/// Datagrams without meaning; half of them claim to be a first packet of QUIC version 1.
fn send_garbage(stage: &Stage) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in 1..1_400 {
        let mut datagram = noise(length, length);
        if length % 2 == 0 && length > 5 {
            datagram[..5].copy_from_slice(&[0xc3, 0, 0, 0, 1]);
        }
        socket.send_to(&datagram, stage.agents()).unwrap();
    }
}

/// Bytes without meaning, the same each time.
fn noise(seed: usize, length: usize) -> Vec<u8> {
    let mut state = seed as u64;
    let byte = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(byte).collect()
}

/// How the hub ends a link.
async fn closed(link: &HubLink) -> (Close, String) {
    let lost = tokio::time::timeout(stage::PATIENCE, link.closed()).await;
    match lost.expect("the hub closes the connection") {
        Lost::Closed { close, text } => (close, text),
        other => panic!("not closed by the hub: {other}"),
    }
}

/// Claims a frame of 4 GiB as `before` lets it: as the first message of a session, or without a certificate.
async fn claim_four_gib(link: HubLink, before: &[u8]) -> Close {
    let (mut send, _receive) = link.open_raw().await;
    send.write_all(&[before, &FOUR_GIB].concat()).await.unwrap();
    closed(&link).await.0
}

/// Releases for a plane that together are more than the hub may send before anything is read.
async fn fill_queue(stage: &Stage, plane: &str) {
    let fill = |number: usize| async move {
        // Compresses badly, and still rides in its announcement.
        let text = STANDARD.encode(noise(number, 14 * 1024));
        let resources = json!([config_map("noise", &text)]);
        stage
            .operator()
            .release(&format!("{plane}-{number}"), plane, &resources)
            .await
            .unwrap();
    };
    futures::stream::iter((0..QUEUED).map(fill))
        .buffer_unordered(8)
        .collect::<Vec<()>>()
        .await;
}

/// An edit for an honest plane arrives, and its status comes back.
async fn neighbour_is_served(stage: &mut Stage, value: &str) {
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", value)]))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let objects = config_maps(stage, "eu").await.unwrap();
    has_value(&objects, "one", value).await;
}

/// A line of what Linux says of this process, in bytes.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':')
        .trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .unwrap()
        * 1024
}

/// Garbage, frames of 4 GiB and a peer that reads nothing, all while an honest plane is served.
async fn attack(stage: &mut Stage, mute: &Peer, giant: &Peer, round: u64) {
    let (silent, _unread) = mute.fall_silent(stage, round).await;
    fill_queue(stage, "mute").await;
    send_garbage(stage);
    neighbour_is_served(stage, &format!("meanwhile {round}")).await;
    for _ in 0..GIANTS {
        let stranger = claim_four_gib(mute.dial_as_stranger(stage).await, &[]).await;
        assert!(
            matches!(stranger, Close::Violation | Close::EnrolmentOnly),
            "{stranger:?}"
        );
        let session = claim_four_gib(giant.dial(stage).await, &Offer::OURS.to_bytes()).await;
        assert_eq!(session, Close::Violation);
    }
    neighbour_is_served(stage, &format!("still {round}")).await;
    let (close, text) = closed(&silent).await;
    assert_eq!(close, Close::Stalled, "{text}");
    neighbour_is_served(stage, &format!("after {round}")).await;
}

/// What peers make the hub hold is bounded, and when they come again they add nothing to it.
async fn hostile_peers_harm_nobody(ground: Ground) {
    let _alone = ALONE.lock().await;
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    neighbour_is_served(&mut stage, "before").await;
    let mute = Peer::enrol(&stage, "mute").await;
    let giant = Peer::enrol(&stage, "giant").await;
    let (resident, reserved) = (memory("VmHWM"), memory("VmPeak"));
    for round in 1..=2 {
        attack(&mut stage, &mute, &giant, round).await;
    }
    let most = memory("VmHWM") - resident;
    assert!(most < RESIDENT, "{} KiB more", most >> 10);
    let warm = memory("VmRSS");
    attack(&mut stage, &mute, &giant, 3).await;
    let again = memory("VmRSS").saturating_sub(warm);
    assert!(
        again < AGAIN,
        "{} KiB more at most, {} KiB more again",
        most >> 10,
        again >> 10
    );
    let reserved = memory("VmPeak") - reserved;
    assert!(
        reserved < 4 << 30,
        "{} MiB more reserved: a claim was believed",
        reserved >> 20
    );
    stage.end().await.unwrap();
}

support::on_both_grounds!(hostile_peers_harm_nobody);
