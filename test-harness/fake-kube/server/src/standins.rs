//! The task that drives the stand-in controllers of one cluster.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::future::select_all;
use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::standins::StandIns;
use serde_json::json;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::engine::{self, Engine};

/// Acts on workloads until dropped; what is left undone then is in the state, not here.
pub(crate) async fn run(engine: Arc<Engine>) {
    plant_node(&engine);
    let start = Instant::now();
    let mut changes: Vec<_> = StandIns::resources()
        .map(|resource| engine.subscribe(&resource))
        .collect();
    let mut standins = StandIns::default();
    loop {
        changes
            .iter_mut()
            .for_each(tokio::sync::watch::Receiver::mark_unchanged);
        let next = act(&engine, &mut standins, start.elapsed());
        let due = async {
            match next {
                Some(at) => sleep_until(start + at).await,
                None => pending().await,
            }
        };
        // Both arms only wait, so dropping one loses nothing: what changed is read from the history.
        tokio::select! {
            () = due => {}
            _ = select_all(changes.iter_mut().map(|change| Box::pin(change.changed()))) => {}
        }
    }
}

fn act(engine: &Engine, standins: &mut StandIns, at: Duration) -> Option<Duration> {
    let refused = engine.with(|cluster| {
        standins.observe(cluster, at);
        standins.act(cluster, at, &mut engine::now())
    });
    for (address, refusal) in refused {
        debug!(resource = %address.resource, name = address.key.name, %refusal, "A stand-in was refused");
    }
    standins.next_due()
}

/// Where pods run, as far as their status says.
fn plant_node(engine: &Engine) {
    let nodes = GroupResource::new("", "nodes");
    engine.with(|cluster| {
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "node-1", "labels": {"kubernetes.io/hostname": "node-1", "kubernetes.io/os": "linux"}},
            "status": {
                "capacity": {"cpu": "32", "memory": "256Gi", "pods": "10000"},
                "allocatable": {"cpu": "32", "memory": "256Gi", "pods": "10000"},
                "nodeInfo": {"kubeletVersion": "fake", "osImage": "none", "kernelVersion": "none",
                             "containerRuntimeVersion": "none", "operatingSystem": "linux", "architecture": "amd64"},
                "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
                                "message": "kubelet is posting ready status"}],
            },
        });
        cluster.plant(&nodes, node, &mut engine::now());
    });
}
