//! What passes over a link.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use outhaul_protocol_transport::authority::Authority;
use outhaul_protocol_transport::close::{Close, Lost};
use outhaul_protocol_transport::dialer::Dialer;
use outhaul_protocol_transport::framed::ReadError;
use outhaul_protocol_transport::link::HubLink;
use outhaul_protocol_transport::listener::Arrival;
use outhaul_protocol_transport::quic::KEEP_ALIVE;
use outhaul_protocol_transport::testing::TestHub;
use outhaul_protocol_wire::content::{Content, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{BundleKind, Key};
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::limits::CONTENT_BYTES;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use outhaul_protocol_wire::root::Root;
use outhaul_protocol_wire::version::CURRENT;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// A refusal would have come by then.
const A_MOMENT: Duration = Duration::from_millis(300);

/// Long enough for loopback on a loaded machine.
const SOON: Duration = Duration::from_secs(10);

fn observed(number: u8) -> AgentMessage {
    AgentMessage::Observed(Root(Digest([number; 32])))
}

fn wanted(name: &str) -> HubMessage {
    HubMessage::ReportWanted(Key {
        kind: BundleKind::Release,
        namespace: "shop".into(),
        name: name.into(),
        uid: Uid::new("u").unwrap(),
    })
}

#[tokio::test]
async fn messages_pass_both_ways_in_order() {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    let (at_hub, at_agent) = tokio::join!(plane.accept_control(), agent.open_control());
    let (mut at_hub, mut at_agent) = (at_hub.unwrap(), at_agent.unwrap());
    assert_eq!((at_hub.version, at_agent.version), (CURRENT, CURRENT));
    for number in 0..3 {
        at_agent.writer.write(&observed(number)).await.unwrap();
    }
    for number in 0..3 {
        assert_eq!(at_hub.reader.read().await.unwrap(), Some(observed(number)));
    }
    at_hub.writer.write(&wanted("a")).await.unwrap();
    assert_eq!(at_agent.reader.read().await.unwrap(), Some(wanted("a")));
    at_hub.writer.finish();
    assert_eq!(at_agent.reader.read().await.unwrap(), None);
}

#[tokio::test]
async fn large_contents_come_on_streams_of_their_own() {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    let (_at_hub, at_agent) = tokio::join!(plane.accept_control(), agent.open_control());
    let _at_agent = at_agent.unwrap();
    let content = |digest: Digest| Content {
        length: 1,
        zstd: vec![digest.0[0]; CONTENT_BYTES],
    };
    let serving = async {
        for _ in 0..12 {
            let mut fetch = plane.accept_fetch().await.unwrap();
            let digest = fetch.digest().await.unwrap();
            fetch.answer(&Fetched::Content(content(digest))).await.unwrap();
        }
    };
    let fetching = async {
        let mut fetches = tokio::task::JoinSet::new();
        for number in 0..12 {
            let agent = agent.clone();
            fetches.spawn(async move { (number, agent.fetch(Digest([number; 32])).await.unwrap()) });
        }
        while let Some(fetched) = fetches.join_next().await {
            let (number, fetched) = fetched.unwrap();
            assert_eq!(fetched, Fetched::Content(content(Digest([number; 32]))));
        }
    };
    tokio::join!(serving, fetching);
}

#[tokio::test]
async fn a_close_tells_its_reason() {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    let (at_hub, at_agent) = tokio::join!(plane.accept_control(), agent.open_control());
    let (_at_hub, mut at_agent) = (at_hub.unwrap(), at_agent.unwrap());
    plane.close(Close::Superseded, "another session of this plane is newer");
    let expected = Lost::Closed {
        close: Close::Superseded,
        text: "another session of this plane is newer".into(),
    };
    assert_eq!(agent.closed().await, expected);
    assert!(matches!(at_agent.reader.read().await, Err(ReadError::Lost(lost)) if lost == expected));
}

#[tokio::test]
async fn a_listener_that_closes_tells_everybody() {
    let hub = TestHub::open();
    let (_one, first) = hub.connect("eu-1").await;
    let (_two, second) = hub.connect("eu-2").await;
    hub.listener.close(Close::Restarting, "restarting").await;
    for agent in [first, second] {
        assert!(agent.closed().await.is_restart());
    }
    assert!(hub.listener.accept().await.is_none());
}

#[tokio::test]
async fn whoever_dials_a_hub_that_has_closed_is_not_refused_and_may_find_its_successor() {
    let hub = TestHub::open();
    let (_one, _never_told) = hub.connect("eu-1").await;
    hub.listener.close(Close::Restarting, "restarting").await;
    let (identity, trust) = (hub.identity("eu-2"), hub.authority.trust());
    let dialer = Dialer::udp(hub.address()).unwrap();
    let dial = dialer.dial(hub.address(), &trust, &identity);
    assert!(timeout(A_MOMENT, dial).await.is_err());
}

#[tokio::test]
async fn a_dial_that_is_ignored_asks_again() {
    let hub = TestHub::open();
    let (identity, trust) = (hub.identity("eu-1"), hub.authority.trust());
    let dialer = Dialer::udp(hub.address()).unwrap();
    let arriving = async {
        hub.listener.accept().await.unwrap().ignore();
        hub.arrival().await
    };
    let (arrival, link) = tokio::join!(arriving, dialer.dial(hub.address(), &trust, &identity));
    assert!(matches!(arrival, Arrival::Plane(_)));
    link.unwrap();
}

/// A hub in a runtime of its own, so that it can die without a word.
struct Process {
    hub: Arc<TestHub>,
    runtime: Option<Runtime>,
}

impl Process {
    fn start(authority: Arc<Authority>, address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let hub = {
            let _entered = runtime.enter();
            TestHub::open_with(authority, address)
        };
        Self {
            hub: Arc::new(hub),
            runtime: Some(runtime),
        }
    }

    /// Accepts a plane within the process: what drives the connection dies with it.
    async fn accept(&self) -> Arrival {
        let hub = self.hub.clone();
        let runtime = self.runtime.as_ref().unwrap();
        runtime.spawn(async move { hub.arrival().await }).await.unwrap()
    }

    /// Ends the process with everything in it, without a goodbye: its tasks are gone before its links are dropped.
    fn kill<L>(mut self, links: L) -> SocketAddr {
        let address = self.hub.address();
        if let Some(runtime) = self.runtime.take() {
            let ending = std::thread::spawn(move || runtime.shutdown_timeout(SOON));
            ending.join().unwrap();
        }
        drop((self, links));
        address
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An agent's link to a hub that was killed since, and the next hub at its address.
async fn killed_and_restarted() -> (HubLink, TestHub) {
    let authority = TestHub::open().authority;
    let process = Process::start(authority.clone(), SocketAddr::from(([127, 0, 0, 1], 0)));
    let identity = process.hub.identity("eu-1");
    let dialer = Dialer::udp(process.hub.address()).unwrap();
    let trust = authority.trust();
    let (plane, agent) = tokio::join!(
        process.accept(),
        dialer.dial(process.hub.address(), &trust, &identity)
    );
    let address = process.kill(plane);
    (agent.unwrap(), TestHub::open_with(authority, address))
}

#[tokio::test]
async fn a_killed_hub_is_noticed_by_the_first_packet_to_the_next() {
    let (agent, _next) = killed_and_restarted().await;
    let fetched = timeout(SOON, agent.fetch(Digest([1; 32]))).await;
    assert!(fetched.expect("noticed long before the next keep-alive").is_err());
    assert_eq!(agent.closed().await, Lost::Reset);
}

#[tokio::test]
async fn an_idle_agent_notices_a_killed_hub_at_its_next_keep_alive() {
    let (agent, _next) = killed_and_restarted().await;
    // From here on time jumps from timer to timer.
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    assert_eq!(agent.closed().await, Lost::Reset);
    assert!(
        start.elapsed() <= KEEP_ALIVE + Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}
