//! What controllers ask about the objects they own, and how they make pods.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::condition;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;

/// Objects of a kind that `owner` owns and that are not on their way out, in order of name.
pub(super) fn all<'a>(cluster: &'a Cluster, owner: &'a Value, resource: &GroupResource) -> Vec<&'a Value> {
    cluster
        .store
        .owners()
        .dependents(meta::uid(owner))
        .filter(|address| address.resource == *resource)
        .filter_map(|address| cluster.store.get(&address.resource, &address.key))
        .map(|object| object.value())
        .filter(|object| !meta::is_terminating(object))
        .collect()
}

/// The kind of pods.
pub(super) fn pods() -> GroupResource {
    GroupResource::new("", "pods")
}

/// A count in a spec, with its default.
pub(super) fn count(object: &Value, field: &str, default: i64) -> i64 {
    object["spec"][field].as_i64().unwrap_or(default)
}

/// A count in a status; absent is 0.
pub(super) fn in_status(object: &Value, field: &str) -> i64 {
    object["status"][field].as_i64().unwrap_or(0)
}

/// How many items there are, as statuses count.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whether a pod has reached its end.
pub(super) fn is_finished(pod: &Value) -> bool {
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// Whether a pod is ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    condition::holds(pod, "Ready")
}

/// A pod from the template in `owner`'s spec, with more labels; `name` is a field and its value.
pub(super) fn new_pod(owner: &Value, name: (&str, &str), labels: &[(&str, &str)]) -> Action {
    let template = &owner["spec"]["template"];
    let mut object = json!({
        "apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
        "metadata": template.get("metadata").cloned().unwrap_or_else(|| json!({})),
    });
    meta::set(&mut object, name.0, name.1);
    meta::set(&mut object, "namespace", meta::namespace(owner));
    meta::set(&mut object, "ownerReferences", action::controlled_by(owner));
    for (label, value) in labels {
        object["metadata"]["labels"][*label] = (*value).into();
    }
    Action::Create {
        resource: pods(),
        object,
    }
}

/// Deletes a pod.
pub(super) fn delete_pod(pod: &Value) -> Action {
    Action::Delete {
        resource: pods(),
        key: action::key(pod),
    }
}

/// A short name for a template: equal templates have equal ones, from the alphabet of generated names.
pub(super) fn template_hash(template: &Value) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    // FNV-1a over the JSON, whose keys are ordered.
    let mut hash = template
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    (0..10)
        .map(|_| {
            let at = (hash % ALPHABET.len() as u64) as usize;
            hash /= ALPHABET.len() as u64;
            char::from(ALPHABET[at])
        })
        .collect()
}
