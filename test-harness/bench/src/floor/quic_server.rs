//! The floor of connections, the server's side: quinn with mutual TLS, and nothing on top.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use outhaul_protocol_transport::quic::IDLE;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, IdleTimeout, TokioRuntime, TransportConfig};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::task::JoinSet;

use super::certificates::Certificates;
use crate::worker::owner::Owner;

/// Socket buffers as the hub asks for them, for whoever has many connections on one socket: without, a burst of
/// handshakes is mostly packets sent again.
const BUFFER: usize = 8 * 1024 * 1024;

/// What it is started with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Who it is, and whom it trusts.
    pub certificates: Certificates,
}

/// Accepts every connection and holds it. The answer is where it listens.
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let Setup { certificates } = owner.setup().await?;
    let endpoint = open(&certificates)?;
    owner.answer(&endpoint.local_addr()?)?;
    let mut connections = JoinSet::new();
    loop {
        // All arms only receive: dropping one loses nothing.
        tokio::select! {
            () = owner.gone() => return Ok(()),
            Some(incoming) = endpoint.accept() => {
                connections.spawn(async move {
                    // A client that gives up has its reasons.
                    if let Ok(connection) = incoming.await {
                        connection.closed().await;
                    }
                });
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

fn open(certificates: &Certificates) -> Result<Endpoint> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(certificates.roots()?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let server = &certificates.server;
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(server.chain(), server.key())?;
    // Every handshake is a full one, as every one of ours is.
    tls.send_tls13_tickets = 0;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(transport(None)?);
    let runtime = Arc::new(TokioRuntime);
    Ok(Endpoint::new(
        EndpointConfig::default(),
        Some(config),
        socket()?,
        runtime,
    )?)
}

/// A socket of loopback that many connections share, on either side.
pub(crate) fn socket() -> Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // Best effort: the system caps them.
    let _granted = socket
        .set_recv_buffer_size(BUFFER)
        .and(socket.set_send_buffer_size(BUFFER));
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    Ok(socket.into())
}

/// Timers as ours; the rest is quinn's default.
pub(super) fn transport(keep_alive: Option<Duration>) -> Result<Arc<TransportConfig>> {
    let mut config = TransportConfig::default();
    config
        .max_idle_timeout(Some(IdleTimeout::try_from(IDLE)?))
        .keep_alive_interval(keep_alive);
    Ok(Arc::new(config))
}
