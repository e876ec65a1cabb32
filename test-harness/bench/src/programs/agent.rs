//! The agent as a process.

use std::net::SocketAddr;

use anyhow::Result;
use kube::config::Kubeconfig;
use outhaul_agent_runner::{Config, IdentityPlace};
use outhaul_scenarios::{cluster, stage};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::worker::owner::Owner;

/// What it is started with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Its plane.
    pub kubeconfig: Kubeconfig,
    /// Where its hub is.
    pub hub: SocketAddr,
    /// What enrols it.
    pub token: String,
}

/// Runs an agent.
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let Setup {
        kubeconfig,
        hub,
        token,
    } = owner.setup().await?;
    let config = Config {
        cluster: cluster::client(&kubeconfig).await?,
        namespace: stage::SYSTEM.to_owned(),
        identity: IdentityPlace::Secret,
        token: Some(token.parse()?),
        hub: Some(hub.to_string()),
    };
    owner.answer(&())?;
    let shutdown = CancellationToken::new();
    let mut agent = std::pin::pin!(outhaul_agent_runner::run(config, shutdown.clone()));
    tokio::select! {
        ended = &mut agent => return ended,
        () = owner.gone() => shutdown.cancel(),
    }
    agent.await
}
