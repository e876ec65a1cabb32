//! What controllers ask about the objects they own, and how they make and delete pods.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::action::{self, Action};
use super::condition;
use super::note::Note;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::{Moment, word};

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

/// How many pods have been ready as long as `owner` asks for, and when to look for the next one.
pub(super) fn available(owner: &Value, pods: &[&Value], moment: &Moment) -> (usize, Option<Action>) {
    let wanted = SignedDuration::from_secs(count(owner, "minReadySeconds", 0));
    let mut soonest: Option<Duration> = None;
    let mut available = 0;
    for pod in pods.iter().filter(|pod| is_ready(pod)) {
        let since = condition::find(pod, "Ready").and_then(|ready| time(&ready["lastTransitionTime"]));
        match since.and_then(|since| until(since + wanted, moment)) {
            Some(wait) if !wanted.is_zero() => {
                soonest = Some(soonest.map_or(wait, |known| known.min(wait)));
            }
            _ => available += 1,
        }
    }
    (available, soonest.map(Action::LookAgain))
}

/// A time in an object.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// How long it is until `at`; none when that has passed.
pub(super) fn until(at: Timestamp, moment: &Moment) -> Option<Duration> {
    let left = at.duration_since(moment.now);
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}

/// A pod from the template in `owner`'s spec; `name` is a field and its value.
pub(super) fn pod(owner: &Value, name: (&str, &str), labels: &[(&str, &str)]) -> Value {
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
    object
}

/// Creates a pod of `owner`'s and says so.
pub(super) fn create_pod(owner: &Value, by: &'static str, object: Value) -> Action {
    Action::Create {
        resource: pods(),
        object,
        note: Some(Note::normal(owner, by, "SuccessfulCreate", "Created pod: ")),
    }
}

/// Deletes a pod of `owner`'s and says so.
pub(super) fn delete_pod(owner: &Value, by: &'static str, pod: &Value) -> [Action; 2] {
    let message = format!("Deleted pod: {}", meta::name(pod));
    [
        Action::Delete {
            resource: pods(),
            key: action::key(pod),
        },
        Action::Say(Note::normal(owner, by, "SuccessfulDelete", message)),
    ]
}

/// Adds those counts to a status that are not zero: zero is absence, as the real server writes it.
pub(super) fn put_counts(status: &mut Value, counts: &[(&str, i64)]) {
    for (field, value) in counts {
        if *value != 0 {
            status[*field] = (*value).into();
        }
    }
}

/// A short name for a template: equal templates have equal ones, from the alphabet of generated names.
pub(super) fn template_hash(template: &Value) -> String {
    // Keys are ordered in the JSON.
    word(fnv(template.to_string().bytes()), 10)
}

/// FNV-1a.
pub(super) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
