//! The hub as a process.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use kube::config::Kubeconfig;
use outhaul_hub_server::rest::Access;
use outhaul_hub_server::{AsOpenChoreo, Config, Hub};
use outhaul_scenarios::{cluster, stage};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::worker::owner::Owner;

/// What it is started with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// The control plane.
    pub kubeconfig: Kubeconfig,
    /// Where to listen.
    pub at: Addresses,
}

/// Where a hub listens.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Addresses {
    /// For agents, UDP.
    pub agents: SocketAddr,
    /// For REST, TCP.
    pub rest: SocketAddr,
}

impl Addresses {
    /// Any free ports of loopback.
    pub fn anywhere() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            agents: anywhere,
            rest: anywhere,
        }
    }
}

/// Runs a hub. Its answer is where it listens.
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let Setup { kubeconfig, at } = owner.setup().await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hub = Hub::start(Config {
        client: cluster::client(&kubeconfig).await?,
        namespace: stage::SYSTEM.to_owned(),
        agents: at.agents,
        advertise: None,
        rest: at.rest,
        access: Access::Tokens,
        fallback: true,
        as_openchoreo: AsOpenChoreo::default(),
        first_environment: outhaul_hub_server::FIRST_ENVIRONMENT.to_owned(),
        plane_hosts: false,
    })
    .await?;
    owner.answer(&Addresses {
        agents: hub.agents(),
        rest: hub.rest(),
    })?;
    tokio::select! {
        ended = hub.ended() => return Ok(ended?),
        _ = terminate.recv() => {}
        () = owner.gone() => {}
    }
    Ok(hub.stop().await?)
}
