//! The floor of connections, the clients' side.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use outhaul_protocol_transport::quic::KEEP_ALIVE;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, Endpoint, EndpointConfig, TokioRuntime, VarInt};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use serde::{Deserialize, Serialize};

use super::certificates::{Certificates, SERVER};
use super::quic_server::{socket, transport};
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

/// What they do next; the answer comes when it is done.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Order {
    /// Make so many connections, and hold them.
    Connect(usize),
    /// Give up all.
    Close,
}

/// Follows orders.
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let Setup { certificates, server } = owner.setup().await?;
    let endpoints = endpoints(&certificates)?;
    owner.answer(&())?;
    let mut connections: Vec<Connection> = Vec::new();
    while let Some(order) = owner.order().await? {
        match order {
            Order::Connect(count) => connections.extend(connect(&endpoints, server, count).await?),
            Order::Close => close(&endpoints, connections.drain(..)).await,
        }
        owner.answer(&())?;
    }
    Ok(())
}

async fn close(endpoints: &[Endpoint], connections: impl Iterator<Item = Connection>) {
    for connection in connections {
        connection.close(VarInt::from_u32(0), b"");
    }
    for endpoint in endpoints {
        endpoint.wait_idle().await;
    }
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
        let mut endpoint = Endpoint::new(EndpointConfig::default(), None, socket()?, Arc::new(TokioRuntime))?;
        endpoint.set_default_client_config(config.clone());
        anyhow::Ok(endpoint)
    };
    (0..SOCKETS).map(endpoint).collect()
}
