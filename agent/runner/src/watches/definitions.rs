//! The watch on definitions of kinds: an object whose kind comes later is applied when it comes.
//!
//! Only names are asked for, so it costs nothing where there are many definitions. Without the right to watch them,
//! such objects are tried again now and then.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use http::Request;
use http::header::ACCEPT;
use outhaul_agent_core::shallow::Shallow;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tracing::debug;

use super::changes::{SILENT, changes};
use super::pauses::{Pauses, now};
use super::{UNNUMBERED, WatchEvent};
use crate::cluster::{Cluster, Path, chain};

const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Metadata is enough, and JSON of the whole for servers that cannot leave the rest out.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// Definitions per page of a list.
const PAGE: &str = "250";

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
        version: None,
    };
    let mut pauses = Pauses::default();
    loop {
        let began = now();
        let result = task.once().await;
        if let Err(problem) = &result {
            debug!(problem, "The watch on definitions does not work");
        }
        pauses.after(began, result.is_err()).await;
    }
}

struct Task {
    cluster: Cluster,
    definitions: watch::Sender<u64>,
    events: mpsc::Sender<(u64, WatchEvent)>,
    listed: bool,
    /// How far its changes are known.
    version: Option<String>,
}

impl Task {
    /// The changes since the version that is known, or since a new list, until the API server ends the watch.
    async fn once(&mut self) -> Result<(), String> {
        // A failure leaves none: what was missed is not known then.
        let mut version = match self.version.take() {
            Some(version) => version,
            None => self.list().await?,
        };
        let changes = changes(&self.cluster, Path::new(PATH), &version, Some(METADATA)).await;
        let mut changes = std::pin::pin!(changes.map_err(|error| chain(&error))?);
        let mut last_word = tokio::time::Instant::now();
        while let Some(change) = changes.next().await {
            use kube::core::WatchEvent as Change;
            last_word = tokio::time::Instant::now();
            match change.map_err(|error| chain(&error))? {
                Change::Added(Shallow(object))
                | Change::Modified(Shallow(object))
                | Change::Deleted(Shallow(object)) => {
                    text(&object, "/metadata/resourceVersion").clone_into(&mut version);
                    if let Some(group) = group(&object) {
                        self.changed(group).await;
                    }
                }
                Change::Bookmark(bookmark) => version = bookmark.metadata.resource_version,
                Change::Error(status) => return Err(status.message.clone()),
            }
        }
        self.version = (last_word.elapsed() < SILENT).then_some(version);
        Ok(())
    }

    /// Lists, and returns where changes go on. Everything listed may have changed since the last list.
    async fn list(&mut self) -> Result<String, String> {
        let mut groups = BTreeSet::new();
        let mut next = String::new();
        let version = loop {
            let path = Path::new(PATH).query("limit", PAGE);
            let path = match next.is_empty() {
                true => path,
                false => path.query("continue", &next),
            };
            let page = self.cluster.client.request::<Shallow>(request(&path)?).await;
            let Shallow(page) = page.map_err(|error| chain(&error))?;
            let items = page.get("items").and_then(Value::as_array);
            groups.extend(items.into_iter().flatten().filter_map(group).map(str::to_owned));
            text(&page, "/metadata/continue").clone_into(&mut next);
            if next.is_empty() {
                break text(&page, "/metadata/resourceVersion").to_owned();
            }
        };
        // What was there before the agent looked for it the first time was found then.
        if core::mem::replace(&mut self.listed, true) {
            for group in groups {
                self.changed(&group).await;
            }
        }
        Ok(version)
    }

    async fn changed(&self, group: &str) {
        self.cluster.discovery.forget(group);
        self.definitions.send_modify(|count| *count += 1);
        // Closed means that the agent stops, and this task with it.
        self.events
            .send((UNNUMBERED, WatchEvent::Definitions(group.to_owned())))
            .await
            .ok();
    }
}

fn request(path: &Path) -> Result<Request<Vec<u8>>, String> {
    let request = Request::get(path.as_str()).header(ACCEPT, METADATA);
    request.body(Vec::new()).map_err(|error| error.to_string())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A definition is named after its kind's plural and its group.
fn group(definition: &Value) -> Option<&str> {
    let name = definition.pointer("/metadata/name")?.as_str()?;
    name.split_once('.').map(|(_, group)| group)
}

#[cfg(test)]
mod tests {
    use outhaul_fake_kube_server::{FakeKube, Options};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_watch_of_a_server_that_is_behind_is_followed_by_a_list() {
        let options = Options {
            in_process: true,
            ..Options::default()
        };
        let kube = FakeKube::start(options).await.unwrap();
        let (events, _heard) = mpsc::channel(64);
        let mut task = Task {
            cluster: Cluster::new(kube.client()),
            definitions: watch::Sender::new(0),
            events,
            listed: false,
            version: Some("99999999".to_owned()),
        };
        task.once().await.unwrap();
        assert_eq!(task.version, None);
        task.once().await.unwrap();
        assert!(task.version.is_some());
    }
}
