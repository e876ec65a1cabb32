//! Peers and passers-by that mean no good. Every test ends with a neighbour that is served as ever.

use std::sync::Arc;
use std::time::SystemTime;

use outhaul_protocol_transport::dialer::Dialer;
use outhaul_protocol_transport::listener::Arrival;
use outhaul_protocol_transport::testing::TestHub;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::limits::HANDSHAKE_TIME;
use outhaul_protocol_wire::message::AgentMessage;
use outhaul_protocol_wire::root::Root;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Shows that another plane gets its session.
async fn neighbour_is_served(hub: &TestHub) {
    let (plane, agent) = hub.connect("neighbour").await;
    let (at_hub, at_agent) = tokio::join!(plane.accept_control(), agent.open_control());
    let (mut at_hub, mut at_agent) = (at_hub.unwrap(), at_agent.unwrap());
    let message = AgentMessage::Observed(Root(Digest([1; 32])));
    at_agent.writer.write(&message).await.unwrap();
    assert_eq!(at_hub.reader.read().await.unwrap(), Some(message));
}

/// Bytes without meaning, the same each time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let byte = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(byte).collect()
}

#[tokio::test]
async fn garbage_on_the_port_disturbs_nobody() {
    let hub = TestHub::open();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for seed in 0..2_000_u64 {
        let length = usize::try_from(seed).unwrap() % 1_400 + 1;
        let mut datagram = noise(seed, length);
        // Half of it claims to be a first packet of QUIC version 1.
        if seed % 2 == 0 && datagram.len() > 5 {
            datagram[..5].copy_from_slice(&[0xc3, 0, 0, 0, 1]);
        }
        socket.send_to(&datagram, hub.address()).await.unwrap();
    }
    neighbour_is_served(&hub).await;
}

#[tokio::test]
async fn handshakes_that_never_end_disturb_nobody() {
    let hub = Arc::new(TestHub::open());
    // Real first packets, from clients that are gone when the answer comes: more of them than have a turn at once.
    let (trust, identity) = (hub.authority.trust(), hub.identity("ghost"));
    let dialer = Dialer::udp(hub.address()).unwrap();
    for _ in 0..100 {
        // A new one each time: what a client says last, when it gives up, goes to the one before.
        let recorder = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let recorded_at = recorder.local_addr().unwrap();
        let mut first = [0; 1_500];
        let length = tokio::select! {
            received = recorder.recv(&mut first) => received.unwrap(),
            _never = dialer.dial(recorded_at, &trust, &identity) => unreachable!("nobody answers"),
        };
        recorder.send_to(&first[..length], hub.address()).await.unwrap();
    }
    let serving = hub.clone();
    tokio::spawn(async move {
        while let Some(arriving) = serving.listener.accept().await {
            tokio::spawn(async move {
                if let Ok(Arrival::Plane(link)) = arriving.complete(SystemTime::now()).await {
                    link.closed().await;
                }
            });
        }
    });
    let neighbour = hub.identity("neighbour");
    let dialer = Dialer::udp(hub.address()).unwrap();
    let dial = dialer.dial(hub.address(), &trust, &neighbour);
    let link = timeout(HANDSHAKE_TIME / 2, dial).await;
    link.expect("it need not wait until the others are given up")
        .unwrap();
}
