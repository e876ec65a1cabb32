//! The watch on definitions of kinds: an object whose kind comes later is applied when it comes.
//!
//! Only names are asked for, so it costs nothing where there are many definitions. Without the right to watch them,
//! such objects are tried again now and then.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::StreamExt as _;
use http::Request;
use http::header::ACCEPT;
use outhaul_agent_core::retry::Retry;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tracing::debug;

use super::stream::SHORT;
use super::{DEFINITIONS, WatchEvent};
use crate::cluster::{Cluster, Path};

const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Metadata is enough, and JSON of the whole for servers that cannot leave the rest out.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// Watches until it is dropped.
pub(super) async fn watch(
    cluster: Cluster,
    definitions: watch::Sender<u64>,
    events: mpsc::Sender<(u64, WatchEvent)>,
) {
    let mut task = Task {
        cluster,
        definitions,
        events,
        listed: false,
    };
    let mut retry = Retry::default();
    loop {
        let began = Instant::now();
        match task.once().await {
            Ok(()) if began.elapsed() < SHORT => retry.failed(Instant::now()),
            Ok(()) => retry.clear(),
            Err(problem) => {
                debug!(problem, "The watch on definitions does not work");
                retry.failed(Instant::now());
            }
        }
        if let Some(due) = retry.waits_until(Instant::now()) {
            tokio::time::sleep_until(due.into()).await;
        }
    }
}

struct Task {
    cluster: Cluster,
    definitions: watch::Sender<u64>,
    events: mpsc::Sender<(u64, WatchEvent)>,
    listed: bool,
}

impl Task {
    /// One list, and the changes after it until the API server ends the watch.
    async fn once(&mut self) -> Result<(), String> {
        let list = self
            .cluster
            .get(&Path::new(PATH))
            .await
            .map_err(|failure| format!("{failure:?}"))?;
        // What was there before the agent looked for it the first time was found then.
        if core::mem::replace(&mut self.listed, true) {
            let items = list.get("items").and_then(Value::as_array);
            let groups: BTreeSet<&str> = items.into_iter().flatten().filter_map(group).collect();
            for group in groups {
                self.changed(group).await;
            }
        }
        let version = list.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let path = Path::new(PATH)
            .query("watch", "true")
            .query("timeoutSeconds", "290")
            .query("resourceVersion", version.unwrap_or_default());
        let request = Request::get(path.as_str())
            .header(ACCEPT, METADATA)
            .body(Vec::new());
        let request = request.map_err(|error| error.to_string())?;
        let changes = self.cluster.client.request_events::<Value>(request).await;
        let changes = changes.map_err(|error| error.to_string())?;
        let mut changes = std::pin::pin!(changes);
        while let Some(change) = changes.next().await {
            use kube::core::WatchEvent as Change;
            match change.map_err(|error| error.to_string())? {
                Change::Added(object) | Change::Modified(object) | Change::Deleted(object) => {
                    if let Some(group) = group(&object) {
                        self.changed(group).await;
                    }
                }
                Change::Bookmark(_) => {}
                Change::Error(status) => return Err(status.message.clone()),
            }
        }
        Ok(())
    }

    async fn changed(&self, group: &str) {
        self.cluster.discovery.forget(group);
        self.definitions.send_modify(|count| *count += 1);
        // Closed means that the agent stops, and this task with it.
        self.events
            .send((DEFINITIONS, WatchEvent::Definitions(group.to_owned())))
            .await
            .ok();
    }
}

/// A definition is named after its kind's plural and its group.
fn group(definition: &Value) -> Option<&str> {
    let name = definition.pointer("/metadata/name")?.as_str()?;
    name.split_once('.').map(|(_, group)| group)
}
