//! The watch on the policy of the plane's owner: what is in force follows what is written, also while no hub is there.

use futures::StreamExt as _;
use outhaul_agent_core::policy::CONFIG_MAP;
use outhaul_agent_core::shallow::Shallow;
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::warn;

use super::changes::changes;
use super::pauses::{Pauses, now};
use super::{UNNUMBERED, WatchEvent};
use crate::cluster::{Cluster, Path, chain, collection};

/// Watches until it is dropped.
pub(super) async fn watch(cluster: Cluster, namespace: String, events: mpsc::Sender<(u64, WatchEvent)>) {
    let task = Task {
        cluster,
        namespace,
        events,
    };
    let mut pauses = Pauses::default();
    loop {
        let began = now();
        let result = task.once().await;
        if let Err(problem) = &result {
            warn!(
                problem,
                "Cannot watch the policy of this plane; what was read last stays in force"
            );
        }
        pauses.after(began, result.is_err()).await;
    }
}

struct Task {
    cluster: Cluster,
    namespace: String,
    events: mpsc::Sender<(u64, WatchEvent)>,
}

impl Task {
    /// What is there, and its changes until the API server ends the watch.
    async fn once(&self) -> Result<(), String> {
        let page = self.cluster.get(&self.path()).await;
        let page = page.map_err(|failure| failure.blocker().message)?;
        // Whatever is between may answer in the API server's place, and that would read as no policy.
        let there = page.get("items").and_then(Value::as_array);
        let there = there.ok_or("what answers for the API server gives no list")?;
        self.tell(there.first().cloned()).await;
        let version = page.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let changes = changes(&self.cluster, self.path(), version.unwrap_or_default(), None).await;
        let mut changes = std::pin::pin!(changes.map_err(|error| chain(&error))?);
        while let Some(change) = changes.next().await {
            use kube::core::WatchEvent as Change;
            match change.map_err(|error| chain(&error))? {
                Change::Added(Shallow(object)) | Change::Modified(Shallow(object)) => {
                    self.tell(Some(object)).await;
                }
                Change::Deleted(_) => self.tell(None).await,
                Change::Bookmark(_) => {}
                Change::Error(status) => return Err(status.message.clone()),
            }
        }
        Ok(())
    }

    fn path(&self) -> Path {
        let path = collection("", "v1", "configmaps", &self.namespace);
        path.query("fieldSelector", &format!("metadata.name={CONFIG_MAP}"))
    }

    async fn tell(&self, config_map: Option<Value>) {
        // Closed means that the agent stops, and this task with it.
        self.events
            .send((UNNUMBERED, WatchEvent::Policy(config_map)))
            .await
            .ok();
    }
}
