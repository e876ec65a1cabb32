//! The floor of connections, the clients' side.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use outhaul_protocol_transport::quic::KEEP_ALIVE;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, Endpoint, VarInt};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use serde::{Deserialize, Serialize};

use super::certificates::{Certificates, SERVER};
use super::quic_server::transport;
use crate::worker::owner::Owner;

/// Sockets that the connections share.
pub(crate) const SOCKETS: usize = 8;

/// Handshakes under way at once: enough to keep both ends busy, few enough that none waits until it times out.
pub(crate) const HANDSHAKES: usize = 256;

/// What they are started with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Who they are, and whom they trust.
    pub certificates: Certificates,
    /// Where the server is.
    pub server: SocketAddr,
}

/// At each order, gives up all connections and makes as many new ones; the answer comes when they stand.
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let Setup { certificates, server } = owner.setup().await?;
    let endpoints = endpoints(&certificates)?;
    owner.answer(&())?;
    let mut connections: Vec<Connection> = Vec::new();
    while let Some(count) = owner.order::<usize>().await? {
        for connection in connections.drain(..) {
            connection.close(VarInt::from_u32(0), b"");
        }
        for endpoint in &endpoints {
            endpoint.wait_idle().await;
        }
        owner.answer(&())?;
        // The second order of each pair says go.
        let Some(()) = owner.order().await? else { break };
        connections = connect(&endpoints, server, count).await?;
        owner.answer(&connections.len())?;
    }
    Ok(())
}

async fn connect(endpoints: &[Endpoint], server: SocketAddr, count: usize) -> Result<Vec<Connection>> {
    futures::stream::iter(endpoints.iter().cycle().take(count))
        .map(|endpoint| async move {
            let connecting = endpoint.connect(server, SERVER)?;
            connecting.await.context("no bare connection")
        })
        .buffer_unordered(HANDSHAKES)
        .try_collect()
        .await
}

fn endpoints(certificates: &Certificates) -> Result<Vec<Endpoint>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let client = &certificates.client;
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(certificates.roots()?)
        .with_client_auth_cert(client.chain(), client.key())?;
    tls.resumption = Resumption::disabled();
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(transport(Some(KEEP_ALIVE))?);
    let endpoint = |_| {
        let mut endpoint = Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        endpoint.set_default_client_config(config.clone());
        anyhow::Ok(endpoint)
    };
    (0..SOCKETS).map(endpoint).collect()
}
