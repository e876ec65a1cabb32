//! The byte form of every message, that it reads back, and that damaged bytes are an error and nothing worse.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says enough when it fails, its helpers too"
)]

use outhaul_protocol_wire::content::{Content, Fetch, Fetched};
use outhaul_protocol_wire::digest::{Digest, hex};
use outhaul_protocol_wire::enrolment::{Answer, Refusal, Request};
use outhaul_protocol_wire::head::{BundleKind, Confirmed, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Generation, Move, Term, Uid};
use outhaul_protocol_wire::message::{
    AgentMessage, Announce, Announced, Closing, ClosingReason, Held, Hello, HubMessage, Orphans, Refused,
    RefusedReason, Welcome,
};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::{Confirmations, Mode, Policy};
use outhaul_protocol_wire::report::{
    Blocker, BlockerReason, Health, Leftover, ObjectReport, RawStatus, Report,
};
use outhaul_protocol_wire::root::Root;
use outhaul_protocol_wire::witness::{Vouched, Witness};
use outhaul_protocol_wire::{codec, limits};
use proptest::prelude::*;

const LIMIT: usize = limits::CONTROL_FRAME;

fn key() -> Key {
    let uid = Uid::new("u-1").unwrap();
    Key {
        kind: BundleKind::Release,
        namespace: "default".into(),
        name: "cart".into(),
        uid,
    }
}

fn held() -> Held {
    Held {
        key: key(),
        version: Version {
            epoch: Epoch(1),
            generation: Generation(300),
            moved: Move(0),
        },
    }
}

fn content() -> Content {
    Content {
        length: 300,
        zstd: vec![0x28, 0xb5, 0x2f, 0xfd],
    }
}

fn announced() -> Announced {
    let Held { key, version } = held();
    let head = Head {
        key,
        version,
        digest: Digest([0xab; 32]),
        state: HeadState::Present,
        confirmed: Some(Confirmed::Remove),
    };
    Announced {
        head,
        recorded: true,
        content: Some(content()),
    }
}

fn object() -> ObjectRef {
    ObjectRef {
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        namespace: "shop".into(),
        name: "cart".into(),
    }
}

fn report() -> Report {
    let blocker = Blocker {
        reason: BlockerReason::Conflict,
        message: "owned".into(),
    };
    let objects = vec![ObjectReport {
        id: "d".into(),
        object: object(),
        uid: Some(Uid::new("u-2").unwrap()),
        health: Health::Healthy,
        status: RawStatus::Json(b"{}".to_vec()),
        blocker: Some(blocker),
    }];
    let leftovers = vec![Leftover {
        object: object(),
        uid: None,
        blocker: Some(Blocker {
            reason: BlockerReason::OverBudget,
            message: "held".into(),
        }),
    }];
    let Held { key, version } = held();
    Report {
        key,
        version,
        whole: true,
        objects,
        leftovers,
        observed: Some(Digest([1; 32])),
    }
}

fn agent_messages() -> Vec<(&'static str, AgentMessage)> {
    let hello = Hello {
        agent_version: "0.1.0".into(),
        kubernetes_version: "v1.37.2".into(),
        instance: [9; 16],
        term: Term { boot: 2, dial: 1 },
        epoch: Epoch(1),
        desired: Root(Digest([2; 32])),
        observed: None,
        orphans: Orphans {
            keys: vec![key()],
            total: 1,
        },
        policy: Policy::default(),
    };
    vec![
        ("hello", AgentMessage::Hello(hello)),
        ("acknowledge", AgentMessage::Acknowledge(vec![held()])),
        ("report", AgentMessage::Report(report())),
        ("gone", AgentMessage::Gone(held())),
        (
            "hub behind",
            AgentMessage::HubBehind {
                held: held(),
                digest: Digest([3; 32]),
            },
        ),
        ("observed", AgentMessage::Observed(Root(Digest([4; 32])))),
        (
            "orphans",
            AgentMessage::Orphans(Orphans {
                keys: vec![key()],
                total: 7,
            }),
        ),
        (
            "policy",
            AgentMessage::Policy(Policy {
                digest: Some(Digest([6; 32])),
                mode: Mode::Observes,
                confirmations: Confirmations::Plane,
                problem: Some("kinds".into()),
            }),
        ),
        ("unconfirmed", AgentMessage::Unconfirmed(true)),
    ]
}

fn hub_messages() -> Vec<(&'static str, HubMessage)> {
    let refused = Refused {
        reason: RefusedReason::NotReady,
        message: "reading".into(),
        retry_after_ms: 1_000,
    };
    vec![
        (
            "welcome",
            HubMessage::Welcome(Welcome {
                epoch: Epoch(1),
                fleet: 2,
                converged: true,
            }),
        ),
        ("refused", HubMessage::Refused(refused)),
        (
            "announce",
            HubMessage::Announce(Announce {
                heads: vec![announced()],
                complete: true,
            }),
        ),
        ("recorded", HubMessage::Recorded(held())),
        ("settled", HubMessage::Settled(held())),
        (
            "observed",
            HubMessage::Observed {
                hashes: vec![(key(), Digest([5; 32]))],
                complete: true,
            },
        ),
        ("report wanted", HubMessage::ReportWanted(key())),
        (
            "closing",
            HubMessage::Closing(Closing {
                reason: ClosingReason::Restarting,
                retry_after_ms: 250,
            }),
        ),
        (
            "vouched",
            HubMessage::Vouched(Vouched {
                witness: Witness(Digest([8; 32])),
                confirmed: true,
                asks: false,
            }),
        ),
    ]
}

fn other_messages() -> Vec<(&'static str, Vec<u8>)> {
    let request = Request {
        token_id: "t".into(),
        secret: [6; 32],
        csr: vec![0x30],
    };
    vec![
        (
            "fetch",
            codec::encode(&Fetch {
                digest: Digest([7; 32]),
            }),
        ),
        ("fetched", codec::encode(&Fetched::Content(content()))),
        ("not queued", codec::encode(&Fetched::NotQueued)),
        ("enrolment request", codec::encode(&request)),
        (
            "enrolled",
            codec::encode(&Answer::Enrolled(vec![vec![0x30], vec![0x30]])),
        ),
        (
            "enrolment refused",
            codec::encode(&Answer::Refused(Refusal::TokenExpired)),
        ),
    ]
}

fn all_bytes() -> Vec<(&'static str, Vec<u8>)> {
    let agent = agent_messages()
        .into_iter()
        .map(|(name, message)| (name, codec::encode(&message)));
    let hub = hub_messages()
        .into_iter()
        .map(|(name, message)| (name, codec::encode(&message)));
    agent.chain(hub).chain(other_messages()).collect()
}

/// A changed line here is a changed protocol: raise `version::CURRENT` and keep the old types for older peers.
#[test]
fn the_byte_form_of_a_version_does_not_change() {
    let lines: Vec<_> = all_bytes()
        .into_iter()
        .map(|(name, bytes)| format!("{name}: {}", hex(&bytes)))
        .collect();
    insta::assert_snapshot!("version-2", lines.join("\n"));
}

#[test]
fn every_message_reads_back() {
    for (name, message) in agent_messages() {
        let back = codec::decode::<AgentMessage, LIMIT>(&codec::encode(&message)).unwrap();
        assert_eq!(back, message, "{name}");
    }
    for (name, message) in hub_messages() {
        let back = codec::decode::<HubMessage, LIMIT>(&codec::encode(&message)).unwrap();
        assert_eq!(back, message, "{name}");
    }
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    for (name, message) in agent_messages() {
        let bytes = codec::encode(&message);
        for end in 0..bytes.len() {
            assert!(
                codec::decode::<AgentMessage, LIMIT>(&bytes[..end]).is_err(),
                "{name} cut at {end}"
            );
        }
    }
    for (name, message) in hub_messages() {
        let bytes = codec::encode(&message);
        for end in 0..bytes.len() {
            assert!(
                codec::decode::<HubMessage, LIMIT>(&bytes[..end]).is_err(),
                "{name} cut at {end}"
            );
        }
    }
}

/// What is read from arbitrary bytes is either an error or a message that those bytes really are.
fn reads_truly<T: bincode::Decode<()> + bincode::Encode>(bytes: &[u8]) {
    if let Ok(message) = codec::decode::<T, LIMIT>(bytes) {
        let again = codec::encode(&message);
        assert!(
            again.len() <= bytes.len(),
            "a message of {} bytes was read from {}",
            again.len(),
            bytes.len()
        );
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(
        which in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let messages = all_bytes();
        let mut bytes = messages[which.index(messages.len())].1.clone();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        reads_truly::<AgentMessage>(&bytes);
        reads_truly::<HubMessage>(&bytes);
        reads_truly::<Fetched>(&bytes);
        reads_truly::<Answer>(&bytes);
        reads_truly::<Request>(&bytes);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        reads_truly::<AgentMessage>(&bytes);
        reads_truly::<HubMessage>(&bytes);
    }
}
