//! What the API server calls the objects of a kind. Asked for once per group and version, and again for a kind that was
//! not in the answer: its definition may have come since.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use outhaul_agent_core::blocker::Failure;
use serde_json::Value;

use super::{Cluster, Path};

/// How a kind is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its name in paths.
    pub(crate) plural: String,
    /// Whether its objects live in namespaces.
    pub(crate) namespaced: bool,
}

type GroupVersion = (String, String);
type Kinds = BTreeMap<String, Kind>;

/// What is known.
///
/// The map is shared by all requests and locked only to look into it; `asking` lets one of many requests that miss the
/// same answer ask for it, and is held while it waits for that.
#[derive(Default)]
pub(crate) struct Discovery {
    known: Mutex<BTreeMap<GroupVersion, Kinds>>,
    asking: tokio::sync::Mutex<()>,
}

impl Discovery {
    /// How objects of this kind are reached.
    ///
    /// # Errors
    /// The API server does not serve it, or does not answer.
    pub(crate) async fn kind(
        &self,
        cluster: &Cluster,
        group: &str,
        version: &str,
        kind: &str,
    ) -> Result<Kind, Failure> {
        let wanted = (group.to_owned(), version.to_owned());
        if let Some(known) = self.look_up(&wanted, kind) {
            return Ok(known);
        }
        let _asking = self.asking.lock().await;
        if let Some(known) = self.look_up(&wanted, kind) {
            return Ok(known);
        }
        let kinds = ask(cluster, &wanted).await?;
        let found = kinds.get(kind).cloned();
        self.lock().insert(wanted, kinds);
        found.ok_or_else(|| unknown(group, version, kind))
    }

    /// Forgets what is known of a group.
    pub(crate) fn forget(&self, group: &str) {
        self.lock().retain(|(known, _), _| known != group);
    }

    fn look_up(&self, wanted: &GroupVersion, kind: &str) -> Option<Kind> {
        self.lock().get(wanted)?.get(kind).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<GroupVersion, Kinds>> {
        // Nothing panics while it is held, and each change is complete in itself.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(cluster: &Cluster, (group, version): &GroupVersion) -> Result<Kinds, Failure> {
    let path = match group.as_str() {
        "" => Path::new("/api"),
        group => Path::new("/apis").segment(group),
    };
    match cluster.get(&path.segment(version)).await {
        Ok(answer) => Ok(read(&answer)),
        Err(failure) if failure.is_unserved() || failure.is_not_found() => Ok(Kinds::new()),
        Err(failure) => Err(failure),
    }
}

fn read(answer: &Value) -> Kinds {
    let resources = answer.get("resources").and_then(Value::as_array);
    let kind = |resource: &Value| {
        let text = |field| resource.get(field).and_then(Value::as_str);
        let plural = text("name").filter(|name| !name.contains('/'))?;
        let kind = Kind {
            plural: plural.to_owned(),
            namespaced: resource.get("namespaced").and_then(Value::as_bool)?,
        };
        Some((text("kind")?.to_owned(), kind))
    };
    resources.into_iter().flatten().filter_map(kind).collect()
}

pub(super) fn unknown(group: &str, version: &str, kind: &str) -> Failure {
    let group_version = match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    Failure::KindUnknown(format!("{kind} in {group_version}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn subresources_are_no_kinds() {
        let kinds = read(&json!({"resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true},
            {"name": "deployments/scale", "kind": "Scale", "namespaced": true},
            {"name": "nodes", "kind": "Node", "namespaced": false},
        ]}));
        let names: Vec<_> = kinds.keys().map(String::as_str).collect();
        assert_eq!(names, ["Deployment", "Node"]);
        assert!(!kinds["Node"].namespaced);
    }
}
