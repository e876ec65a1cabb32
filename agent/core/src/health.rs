//! Health of a live object.
//!
//! Deployment, StatefulSet, Pod and CronJob follow OpenChoreo's rules row by row. Every other kind that OpenChoreo
//! knows is healthy as soon as it exists, and so is every kind of Kubernetes itself: clients rely on that. Kinds of
//! other groups did not exist for OpenChoreo's users, so there the common conditions say more.

mod conditions;
mod cron_job;
mod deployment;
mod pod;
mod stateful_set;

use outhaul_protocol_wire::report::Health;
use serde_json::Value;

use crate::field::at;

/// Groups outside Kubernetes whose kinds are healthy as soon as they exist.
const HEALTHY_ONCE_THERE: [&str; 3] = ["cilium.io", "gateway.envoyproxy.io", "secrets-store.csi.x-k8s.io"];

/// The health of `object`, which is of this group and kind; its version does not matter.
pub fn health(group: &str, kind: &str, object: &Value) -> Health {
    let judged = match (group, kind) {
        ("apps", "Deployment") => deployment::health(object),
        ("apps", "StatefulSet") => stateful_set::health(object),
        ("", "Pod") => pod::health(object),
        ("batch", "CronJob") => cron_job::health(object),
        _ if is_healthy_once_there(group) => Some(Health::Healthy),
        _ => Some(conditions::health(object)),
    };
    judged.unwrap_or(Health::Unknown)
}

/// Whether the kinds of this group are healthy as soon as they exist, but for those that say more.
pub(crate) fn is_healthy_once_there(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io") || HEALTHY_ONCE_THERE.contains(&group)
}

/// A field that is absent or null reads as `absent`; one of another type makes the whole object unreadable, as it
/// does for typed clients.
fn integer(object: &Value, way: &str, absent: i64) -> Option<i64> {
    match at(object, way) {
        None | Some(Value::Null) => Some(absent),
        Some(value) => value.as_i64(),
    }
}

fn boolean(object: &Value, way: &str) -> Option<bool> {
    match at(object, way) {
        None | Some(Value::Null) => Some(false),
        Some(value) => value.as_bool(),
    }
}

fn text<'a>(object: &'a Value, way: &str) -> Option<&'a str> {
    match at(object, way) {
        None | Some(Value::Null) => Some(""),
        Some(value) => value.as_str(),
    }
}

fn list<'a>(object: &'a Value, way: &str) -> Option<&'a [Value]> {
    match at(object, way) {
        None | Some(Value::Null) => Some(&[]),
        Some(value) => value.as_array().map(Vec::as_slice),
    }
}

// Rows of the kinds that OpenChoreo judges are data: `tests/data/releases/health.yaml`.
#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::report::Health::{Degraded, Healthy, Progressing};
    use serde_json::json;

    use super::*;

    #[test]
    fn other_kinds_are_judged_by_the_common_conditions() {
        let widget = |observed: i64, conditions: Value| {
            json!({
                "metadata": {"generation": 2},
                "status": {"observedGeneration": observed, "conditions": conditions},
            })
        };
        let one = |kind: &str, status: &str| json!([{"type": kind, "status": status}]);
        for (object, expected) in [
            (json!({}), Healthy),
            (widget(1, json!([])), Progressing),
            (widget(2, one("Ready", "True")), Healthy),
            (widget(2, one("Ready", "False")), Progressing),
            (widget(2, one("Available", "Unknown")), Progressing),
            (widget(2, one("Stalled", "True")), Degraded),
            (widget(2, one("Stalled", "False")), Healthy),
        ] {
            assert_eq!(health("example.dev", "Widget", &object), expected, "{object}");
        }
    }
}
