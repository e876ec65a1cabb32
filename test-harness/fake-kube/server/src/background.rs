//! The one task of a cluster: does what writes left to do, and moves workloads where that is wanted.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::standins::StandIns;
use serde_json::json;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::engine::Engine;

/// Works until dropped; what is left undone then is in the state, not here.
pub(crate) async fn run(engine: Arc<Engine>, with_standins: bool) {
    let start = Instant::now();
    let mut standins = with_standins.then(StandIns::default);
    if with_standins {
        plant_node(&engine);
    }
    loop {
        let before = engine.version();
        while engine.settle() {
            tokio::task::yield_now().await;
        }
        let next = standins
            .as_mut()
            .and_then(|standins| act(&engine, standins, start.elapsed()));
        if engine.version() != before {
            // What was just written may leave more to do.
            tokio::task::yield_now().await;
            continue;
        }
        let due = async {
            match next {
                Some(at) => sleep_until(start + at).await,
                None => pending().await,
            }
        };
        // Both arms only wait, so dropping one loses nothing: what is to be done is read from the state.
        tokio::select! {
            () = due => {}
            () = engine.disturbed() => {}
        }
    }
}

fn act(engine: &Engine, standins: &mut StandIns, at: Duration) -> Option<Duration> {
    let refused = engine.with(|cluster, moment| {
        standins.observe(cluster, at);
        if standins.next_due().is_some_and(|due| due <= at) {
            standins.act(cluster, at, moment)
        } else {
            Vec::new()
        }
    });
    for (address, refusal) in refused {
        debug!(resource = %address.resource, name = address.key.name, %refusal, "A stand-in was refused");
    }
    standins.next_due()
}

/// Where pods run, as far as their status says.
fn plant_node(engine: &Engine) {
    let nodes = GroupResource::new("", "nodes");
    engine.with(|cluster, moment| {
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
        cluster.plant(&nodes, node, moment);
    });
}
