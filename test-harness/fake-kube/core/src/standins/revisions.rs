//! ControllerRevisions: the templates that a StatefulSet or DaemonSet had, for its rollbacks.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::owned;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::store::Key;

/// On the pods: of which revision they are.
pub(super) const LABEL: &str = "controller-revision-hash";

/// Keeps a revision for the present template, as the newest one, and lets old ones go that no pod is of.
pub(super) fn keep(cluster: &Cluster, set: &Value, hash: &str, pods: &[&Value]) -> Vec<Action> {
    let name = format!("{}-{hash}", meta::name(set));
    let mut known = owned::all(cluster, set, &resource());
    known.sort_by_key(|revision| number(revision));
    let newest = known.last().map_or(0, |revision| number(revision));
    let mut actions = match known.iter().find(|revision| meta::name(revision) == name) {
        Some(current) if number(current) == newest => Vec::new(),
        Some(current) => vec![Action::Patch {
            resource: resource(),
            key: action::key(current),
            patch: json!({"revision": newest + 1}),
        }],
        None => vec![create(set, &name, hash, newest + 1)],
    };
    let live = |revision: &&Value| {
        let name = meta::name(revision);
        pods.iter()
            .filter_map(|pod| pod["metadata"]["labels"][LABEL].as_str())
            .any(|label| name == label || name.ends_with(&format!("-{label}")))
    };
    let gone: Vec<&Value> = known
        .into_iter()
        .filter(|revision| meta::name(revision) != name && !live(revision))
        .collect();
    let limit = usize::try_from(owned::count(set, "revisionHistoryLimit", 10)).unwrap_or(0);
    let surplus = gone.len().saturating_sub(limit);
    actions.extend(gone.into_iter().take(surplus).map(|revision| Action::Delete {
        resource: resource(),
        key: action::key(revision),
    }));
    actions
}

/// Which revision of a set a name is of: `name-hash`.
pub(super) fn exists(cluster: &Cluster, set: &Value, name: &str) -> bool {
    let key = Key::new(meta::namespace(set), name);
    cluster.store.get(&resource(), &key).is_some()
}

fn number(revision: &Value) -> i64 {
    revision["revision"].as_i64().unwrap_or(0)
}

fn create(set: &Value, name: &str, hash: &str, number: i64) -> Action {
    let mut template = set["spec"]["template"].clone();
    template["$patch"] = "replace".into();
    let mut labels = template["metadata"]["labels"].clone();
    labels["controller.kubernetes.io/hash"] = hash.into();
    let object = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": number,
        "data": {"spec": {"template": template}},
        "metadata": {
            "name": name, "namespace": meta::namespace(set), "labels": labels,
            "annotations": set["metadata"]["annotations"], "ownerReferences": action::controlled_by(set),
        },
    });
    Action::Create {
        resource: resource(),
        object,
        note: None,
    }
}

fn resource() -> GroupResource {
    GroupResource::new("apps", "controllerrevisions")
}
