//! The listener, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::api_server::{ADMIN, ReviewingServer};
use super::fleet::SmallFleet;
use crate::rest::{Access, serve};

const PATIENCE: Duration = Duration::from_secs(10);

struct Listening {
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    _fleet: SmallFleet,
}

async fn listen(access: Access) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fleet = SmallFleet::start(ReviewingServer::default().client());
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, fleet.handle(), access, shutdown.clone()));
    Listening {
        address,
        shutdown,
        serving,
        _fleet: fleet,
    }
}

async fn ask(address: SocketAddr, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut text))
        .await
        .expect("the connection stays open")
        .unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn it_answers_and_shuts_down_with_streams_open() {
    let hub = listen(Access::Tokens).await;
    let events = format!("GET /api/v1/events HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {ADMIN}\r\n\r\n");
    let mut follower = ask(hub.address, &events).await;
    let mut start = [0; 15];
    timeout(PATIENCE, follower.read_exact(&mut start))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    let mut client = ask(
        hub.address,
        "GET /health HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(read_to_end(&mut client).await.ends_with("\r\n\r\nOK"));
    let idle = TcpStream::connect(hub.address).await.unwrap();

    hub.shutdown.cancel();
    timeout(PATIENCE, hub.serving)
        .await
        .expect("it does not shut down")
        .unwrap()
        .unwrap();
    assert!(read_to_end(&mut follower).await.contains("id: "));
    drop(idle);
    assert!(TcpStream::connect(hub.address).await.is_err());
}

#[tokio::test]
async fn garbage_on_the_port_hurts_nobody() {
    let hub = listen(Access::Tokens).await;
    let mut peer = ask(hub.address, "\u{16}\u{3}\u{1}garbage\r\n\r\n").await;
    assert!(read_to_end(&mut peer).await.starts_with("HTTP/1.1 400"));
    let head = format!("GET /health HTTP/1.1\r\nX: {}\r\n", "x".repeat(200_000));
    let mut peer = TcpStream::connect(hub.address).await.unwrap();
    // The hub may close while this is still being written.
    let _written = peer.write_all(head.as_bytes()).await;
    let mut rest = Vec::new();
    let _closed = timeout(PATIENCE, peer.read_to_end(&mut rest))
        .await
        .expect("a head without end is kept");
    let mut client = ask(
        hub.address,
        "GET /health HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(read_to_end(&mut client).await.ends_with("OK"));
}

#[tokio::test]
async fn anonymous_access_is_refused_off_loopback() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let fleet = SmallFleet::start(ReviewingServer::default().client());
    let refused = serve(
        listener,
        fleet.handle(),
        Access::Anonymous,
        CancellationToken::new(),
    )
    .await;
    assert!(refused.unwrap_err().to_string().contains("loopback"));
}
