//! The TLS port: accepts, serves, and can be taken away and given back.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::service::ApiService;

/// A peer that has not finished its handshake by then is not going to.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A peer may take so long to send the head of a request, or to think of one: longer than the 90 seconds for which clients
/// keep an idle connection, so that it is they who close it.
const SILENCE: Duration = Duration::from_secs(120);
/// How often a peer of HTTP/2 is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(30);
/// Open connections at once: far above what tests open, far below the file limit. The rest wait in the backlog.
const MAX_CONNECTIONS: usize = 4_096;

/// Binds loopback; port 0 lets the system choose.
pub(crate) async fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves until `stop`, then drops every connection as a killed server would.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    service: ApiService,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    loop {
        // Accepting and joining are cancel-safe; a stop drops the set, which aborts what is open.
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_one(acceptor.clone(), stream, service.clone()));
                    if connections.len() == MAX_CONNECTIONS {
                        warn!(open = MAX_CONNECTIONS, "All connections are in use; whoever connects now has to wait");
                    }
                }
                Err(error) => {
                    debug!(%error, "Cannot accept");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
        }
    }
}

async fn serve_one(acceptor: TlsAcceptor, stream: TcpStream, service: ApiService) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "Cannot disable Nagle's algorithm");
    }
    let stream = match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return debug!(%error, "TLS handshake failed"),
        Err(_) => return debug!("TLS handshake took too long"),
    };
    serve_http(stream, service).await;
}

async fn serve_http<S>(stream: S, service: ApiService)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut stream = BufReader::new(stream);
    // The builder waits for the first bytes for ever, to see which HTTP they are.
    match timeout(SILENCE, stream.fill_buf()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return debug!(%error, "Connection broke before it was used"),
        Err(_) => return debug!("Connection was not used"),
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(SILENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    // The default of 200 streams would make the 201st watch on one connection wait for an older one to end.
    builder.http2().max_concurrent_streams(1_000);
    if let Err(error) = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await
    {
        debug!(%error, "Connection ended");
    }
}

#[cfg(test)]
mod tests {
    use outhaul_fake_kube_core::cluster::Cluster;
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::clock::Clock;
    use crate::engine::{Engine, Who};

    fn service() -> ApiService {
        let clock = Clock::start();
        let cluster = Cluster::new(&mut clock.moment());
        ApiService::new(Arc::new(Engine::new(cluster, clock)), Who::Anonymous)
    }

    /// The beginning of HTTP/2, and settings without any.
    const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_falls_silent_is_let_go() {
        let whole = b"GET /version HTTP/1.1\r\nhost: a\r\n\r\n";
        for said in [b"".as_slice(), b"GET /ver", whole, HELLO] {
            let (mut peer, ours) = tokio::io::duplex(65_536);
            let serving = tokio::spawn(serve_http(ours, service()));
            peer.write_all(said).await.unwrap();
            let ended = timeout(SILENCE * 2, serving).await;
            assert!(
                ended.is_ok(),
                "{:?} holds its connection",
                String::from_utf8_lossy(said)
            );
        }
    }
}
