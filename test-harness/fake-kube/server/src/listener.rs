//! The TLS port: accepts, serves, and can be taken away and given back.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::service::ApiService;

/// A peer that has not finished its handshake by then is not going to.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
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
                Ok((stream, _)) => _ = connections.spawn(serve_one(acceptor.clone(), stream, service.clone())),
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
    let mut builder = Builder::new(TokioExecutor::new());
    // The default of 200 streams would make the 201st watch on one connection wait for an older one to end.
    builder.http2().max_concurrent_streams(1_000);
    if let Err(error) = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await
    {
        debug!(%error, "Connection ended");
    }
}
