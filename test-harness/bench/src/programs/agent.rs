//! The agent as a process.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use kube::config::Kubeconfig;
use outhaul_agent_runner::{Config, IdentityPlace};
use outhaul_scenarios::{cluster, stage};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::worker::owner::Owner;
use crate::worker::{Role, Worker};

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

impl Setup {
    /// Starts `outhaul-agent` with it.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_shipped(&self, program: &Path) -> Result<Worker> {
        let mut command = Command::new(program);
        command
            .args(["--kubeconfig", "/dev/stdin", "--namespace", stage::SYSTEM])
            .env("OUTHAUL_ENROLMENT_TOKEN", &self.token)
            .env("OUTHAUL_HUB_ADDRESS", self.hub.to_string())
            .env("RUST_LOG", "warn");
        // JSON is YAML.
        let kubeconfig = serde_json::to_string(&self.kubeconfig)?;
        Worker::start_shipped(Role::Agent, command, &kubeconfig).await
    }
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
        holder: None,
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
