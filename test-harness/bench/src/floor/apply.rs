//! The floor of throughput: a bare loop of server-side applies, many in flight.

use anyhow::Result;
use kube::Client;
use kube::config::Kubeconfig;
use outhaul_scenarios::cluster;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::sample;
use crate::worker::owner::Owner;

const MANAGER: &str = "loop";

/// Applies in flight: more made no API server faster, fewer made it slower.
pub const IN_FLIGHT: usize = 64;

/// What it is started with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Where to apply.
    pub plane: Kubeconfig,
}

/// What it does next; the answer comes when it is done.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Have these manifests ready, until others come.
    Hold(Vec<Value>),
    /// Apply what is held.
    Apply,
}

/// Follows orders.
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let Setup { plane } = owner.setup().await?;
    let client = cluster::client(&plane).await?;
    owner.answer(&())?;
    let mut held = Vec::new();
    while let Some(order) = owner.order().await? {
        match order {
            Order::Hold(manifests) => held = manifests.into_iter().map(sample::tracked).collect(),
            Order::Apply => apply(&client, held.clone()).await?,
        }
        owner.answer(&())?;
    }
    Ok(())
}

/// A task for each: a loop that prepares and reads all by itself has one core.
async fn apply(client: &Client, manifests: Vec<Value>) -> Result<()> {
    let mut running = JoinSet::new();
    for manifest in manifests {
        if running.len() == IN_FLIGHT
            && let Some(applied) = running.join_next().await
        {
            applied??;
        }
        let client = client.clone();
        running.spawn(async move { sample::apply(&client, &manifest, MANAGER).await.map(drop) });
    }
    while let Some(applied) = running.join_next().await {
        applied??;
    }
    Ok(())
}
