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

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::report::Health::{Degraded, Healthy, Progressing, Suspended, Unknown};
    use serde_json::json;

    use super::*;

    fn check(group: &str, kind: &str, cases: Vec<(Value, Health)>) {
        for (object, expected) in cases {
            assert_eq!(health(group, kind, &object), expected, "{kind} {object}");
        }
    }

    #[test]
    fn deployments_are_judged_row_by_row() {
        let observed = |status: Value| {
            let mut object =
                json!({"metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": status});
            object["status"]["observedGeneration"] = 1.into();
            object
        };
        let two = |available: &str| {
            json!({
                "metadata": {"generation": 1}, "spec": {"replicas": 2},
                "status": {
                    "observedGeneration": 1, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1,
                    "unavailableReplicas": 1, "conditions": [{"type": "Available", "status": available}],
                },
            })
        };
        let condition = |kind: &str, status: &str, reason: &str| json!([{"type": kind, "status": status, "reason": reason}]);
        let progressing = condition("Progressing", "True", "");
        let fine = json!({
            "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "conditions": [
                {"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True"},
            ],
        });
        let mut behind = observed(fine.clone());
        behind["metadata"]["generation"] = 2.into();
        check(
            "apps",
            "Deployment",
            vec![
                (json!({"metadata": {"generation": 1}}), Progressing),
                (behind, Progressing),
                (json!({"spec": {"paused": true}}), Suspended),
                (json!({"spec": {"replicas": 0}}), Suspended),
                (
                    observed(json!({"updatedReplicas": 1, "conditions": progressing})),
                    Progressing,
                ),
                (
                    observed(json!({"updatedReplicas": 1, "unavailableReplicas": 1})),
                    Degraded,
                ),
                (two("False"), Degraded),
                (two("True"), Progressing),
                (
                    observed(
                        json!({"conditions": condition("Progressing", "False", "ProgressDeadlineExceeded")}),
                    ),
                    Degraded,
                ),
                (
                    observed(json!({"conditions": condition("ReplicaFailure", "True", "")})),
                    Degraded,
                ),
                (observed(fine), Healthy),
                (observed(json!({})), Progressing),
                (json!({"spec": {"replicas": "two"}}), Unknown),
            ],
        );
    }

    #[test]
    fn stateful_sets_wait_for_their_revision_and_never_degrade() {
        let set = |spec: Value, status: Value| json!({"metadata": {"generation": 1}, "spec": spec, "status": status});
        let at = |ready: i64, update: &str| {
            json!({
                "observedGeneration": 1, "currentRevision": "a", "updateRevision": update,
                "readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": ready,
            })
        };
        check(
            "apps",
            "StatefulSet",
            vec![
                (set(json!({}), json!({})), Progressing),
                (set(json!({}), at(1, "b")), Progressing),
                (set(json!({}), at(1, "a")), Healthy),
                (set(json!({"replicas": 2}), at(1, "a")), Progressing),
                (set(json!({"replicas": 0}), at(0, "a")), Healthy),
            ],
        );
    }

    #[test]
    fn pods_follow_their_phase_and_containers() {
        let pod = |phase: &str, containers: Value| json!({"status": {"phase": phase, "containerStatuses": containers}});
        let waiting =
            |ready: bool| json!([{"ready": ready, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
        check(
            "",
            "Pod",
            vec![
                (pod("Pending", json!([])), Progressing),
                (pod("Running", json!([])), Healthy),
                (
                    pod("Running", json!([{"ready": true}, {"ready": false}])),
                    Progressing,
                ),
                (pod("Running", waiting(false)), Degraded),
                (pod("Running", waiting(true)), Degraded),
                (
                    pod("Running", json!([{"ready": false}, waiting(false)[0]])),
                    Degraded,
                ),
                (pod("Succeeded", json!(null)), Healthy),
                (pod("Failed", json!(null)), Degraded),
                (pod("Unknown", json!(null)), Unknown),
                (json!({}), Unknown),
            ],
        );
    }

    #[test]
    fn cron_jobs_progress_until_their_first_run() {
        let job = |suspend: bool, status: Value| json!({"spec": {"suspend": suspend}, "status": status});
        let active = json!({"active": [{}], "lastScheduleTime": "2026-01-01T00:00:00Z"});
        check(
            "batch",
            "CronJob",
            vec![
                (job(true, active.clone()), Suspended),
                (job(false, active), Progressing),
                (
                    job(false, json!({"lastScheduleTime": "2026-01-01T00:00:00Z"})),
                    Healthy,
                ),
                (json!({}), Progressing),
            ],
        );
    }

    #[test]
    fn kinds_that_openchoreo_does_not_judge_are_healthy_once_they_exist() {
        let failed = json!({"status": {"failed": 3, "conditions": [{"type": "Ready", "status": "False"}]}});
        for (group, kind) in [
            ("batch", "Job"),
            ("", "Service"),
            ("", "ConfigMap"),
            ("gateway.networking.k8s.io", "HTTPRoute"),
            ("gateway.envoyproxy.io", "SecurityPolicy"),
            ("networking.k8s.io", "NetworkPolicy"),
            ("cilium.io", "CiliumNetworkPolicy"),
        ] {
            check(group, kind, vec![(failed.clone(), Healthy)]);
        }
    }

    #[test]
    fn other_kinds_are_judged_by_the_common_conditions() {
        let widget = |observed: i64, conditions: Value| {
            json!({
                "metadata": {"generation": 2},
                "status": {"observedGeneration": observed, "conditions": conditions},
            })
        };
        let one = |kind: &str, status: &str| json!([{"type": kind, "status": status}]);
        check(
            "example.dev",
            "Widget",
            vec![
                (json!({}), Healthy),
                (widget(1, json!([])), Progressing),
                (widget(2, one("Ready", "True")), Healthy),
                (widget(2, one("Ready", "False")), Progressing),
                (widget(2, one("Available", "Unknown")), Progressing),
                (widget(2, one("Stalled", "True")), Degraded),
                (widget(2, one("Stalled", "False")), Healthy),
            ],
        );
    }
}
