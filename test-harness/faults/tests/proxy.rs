//! The proxy between real sockets.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic like the test")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use outhaul_faults::UdpProxy;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Long enough for loopback on a loaded machine.
const SOON: Duration = Duration::from_secs(5);

/// Answers every datagram with itself and a mark.
async fn echo(mark: u8) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            buffer[length] = mark;
            socket.send_to(&buffer[..=length], from).await.unwrap();
        }
    });
    address
}

async fn client(proxy: &UdpProxy) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(proxy.address()).await.unwrap();
    socket
}

async fn ask(client: &UdpSocket, text: &[u8]) -> Vec<u8> {
    client.send(text).await.unwrap();
    let mut buffer = [0; 2048];
    let length = timeout(SOON, client.recv(&mut buffer))
        .await
        .expect("an answer")
        .unwrap();
    buffer[..length].to_vec()
}

/// Waits until the proxy has dealt with what was sent.
async fn until(proxy: &UdpProxy, done: impl Fn(outhaul_faults::Counts) -> bool) {
    let deadline = Instant::now() + SOON;
    while !done(proxy.counts()) {
        assert!(Instant::now() < deadline, "still at {:?}", proxy.counts());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_client_gets_its_own_answers() {
    let proxy = UdpProxy::start(echo(b'!').await).await.unwrap();
    let (one, two) = (client(&proxy).await, client(&proxy).await);
    assert_eq!(ask(&one, b"one").await, b"one!");
    assert_eq!(ask(&two, b"two").await, b"two!");
    assert_eq!(ask(&one, b"again").await, b"again!");
}

#[tokio::test]
async fn a_cut_stops_everything_until_it_heals() {
    let proxy = UdpProxy::start(echo(b'!').await).await.unwrap();
    let client = client(&proxy).await;
    assert_eq!(ask(&client, b"before").await, b"before!");
    proxy.cut();
    client.send(b"into the void").await.unwrap();
    until(&proxy, |counts| counts.cut == 1).await;
    proxy.heal();
    assert_eq!(ask(&client, b"after").await, b"after!");
}

#[tokio::test]
async fn a_delay_holds_both_directions_back() {
    let proxy = UdpProxy::start(echo(b'!').await).await.unwrap();
    let client = client(&proxy).await;
    proxy.delay(Duration::from_millis(40));
    let start = Instant::now();
    assert_eq!(ask(&client, b"slow").await, b"slow!");
    assert!(
        start.elapsed() >= Duration::from_millis(80),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn loss_drops_a_share() {
    let proxy = UdpProxy::start(echo(b'!').await).await.unwrap();
    let client = client(&proxy).await;
    proxy.loss(0.5, 1);
    for sent in 1..=200 {
        client.send(b"?").await.unwrap();
        until(&proxy, |counts| counts.passed + counts.lost >= sent).await;
    }
    let lost = proxy.counts().lost;
    assert!((60..240).contains(&lost), "{lost} lost");
}

#[tokio::test]
async fn a_new_target_answers_the_same_client() {
    let proxy = UdpProxy::start(echo(b'1').await).await.unwrap();
    let client = client(&proxy).await;
    assert_eq!(ask(&client, b"x").await, b"x1");
    proxy.retarget(echo(b'2').await);
    assert_eq!(ask(&client, b"x").await, b"x2");
}
