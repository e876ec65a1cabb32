//! Deployments: one ReplicaSet per template; the new one first, then the old ones go.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::{condition, owned};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

const HASH_LABEL: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

pub(super) fn plan(cluster: &Cluster, deployment: &Value, moment: &Moment) -> Vec<Action> {
    let sets = owned::all(cluster, deployment, &replica_sets());
    let hash = owned::template_hash(&deployment["spec"]["template"]);
    let (current, old): (Vec<&Value>, Vec<&Value>) = sets
        .into_iter()
        .partition(|set| set["metadata"]["labels"][HASH_LABEL] == *hash);
    let mut actions = roll(deployment, &hash, current.first().copied(), &old);
    actions.extend(retire(deployment, &old));
    actions.push(Action::SetStatus {
        resource: deployments(),
        key: action::key(deployment),
        status: status(deployment, current.first().copied(), &old, moment),
    });
    actions
}

fn roll(deployment: &Value, hash: &str, current: Option<&Value>, old: &[&Value]) -> Vec<Action> {
    let replicas = owned::count(deployment, "replicas", 1);
    let recreate = deployment["spec"]["strategy"]["type"] == "Recreate";
    let old_runs = old.iter().any(|set| owned::in_status(set, "replicas") > 0);
    let scale_down = || {
        let running = old.iter().filter(|set| owned::count(set, "replicas", 1) > 0);
        running.map(|set| scale(set, 0)).collect::<Vec<_>>()
    };
    let Some(current) = current else {
        if recreate && old_runs {
            return scale_down();
        }
        return create(deployment, hash, old);
    };
    let mut actions = renew(deployment, current, old);
    if owned::count(current, "replicas", 1) != replicas {
        actions.push(scale(current, replicas));
    }
    if owned::in_status(current, "availableReplicas") >= replicas {
        actions.extend(scale_down());
    }
    actions
}

/// The revision that a ReplicaSet carries.
fn revision(set: &Value) -> u64 {
    set["metadata"]["annotations"][REVISION]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// The revision after all those of old sets.
fn next_revision(old: &[&Value]) -> String {
    (old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1).to_string()
}

/// A set that is current again, as after a rollback, gets a revision of its own.
fn renew(deployment: &Value, current: &Value, old: &[&Value]) -> Vec<Action> {
    let next = next_revision(old);
    if next.parse().is_ok_and(|next: u64| next <= revision(current)) {
        return Vec::new();
    }
    let note = json!({"metadata": {"annotations": {REVISION: next}}});
    vec![
        Action::Patch {
            resource: replica_sets(),
            key: action::key(current),
            patch: note.clone(),
        },
        Action::Patch {
            resource: deployments(),
            key: action::key(deployment),
            patch: note,
        },
    ]
}

fn create(deployment: &Value, hash: &str, old: &[&Value]) -> Vec<Action> {
    let revision = next_revision(old);
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"][HASH_LABEL] = hash.into();
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH_LABEL] = hash.into();
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", meta::name(deployment)), "namespace": meta::namespace(deployment),
            "labels": template["metadata"]["labels"], "annotations": {REVISION: revision},
            "ownerReferences": action::controlled_by(deployment),
        },
        "spec": {
            "replicas": owned::count(deployment, "replicas", 1), "selector": selector, "template": template,
            "minReadySeconds": deployment["spec"]["minReadySeconds"].as_i64().unwrap_or(0),
        },
    });
    let note = json!({"metadata": {"annotations": {REVISION: revision}}});
    vec![
        Action::Create {
            resource: replica_sets(),
            object: set,
        },
        Action::Patch {
            resource: deployments(),
            key: action::key(deployment),
            patch: note,
        },
    ]
}

/// Old, empty sets beyond the history limit go, the oldest first.
fn retire(deployment: &Value, old: &[&Value]) -> Vec<Action> {
    let limit = owned::count(deployment, "revisionHistoryLimit", 10);
    let mut empty: Vec<&&Value> = old
        .iter()
        .filter(|set| owned::count(set, "replicas", 1) == 0 && owned::in_status(set, "replicas") == 0)
        .collect();
    let surplus = empty.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    empty.sort_by_key(|set| meta::text(set, "creationTimestamp"));
    empty
        .into_iter()
        .take(surplus)
        .map(|set| Action::Delete {
            resource: replica_sets(),
            key: action::key(set),
        })
        .collect()
}

fn status(deployment: &Value, current: Option<&Value>, old: &[&Value], moment: &Moment) -> Value {
    let replicas = owned::count(deployment, "replicas", 1);
    let total = |field| {
        current
            .into_iter()
            .chain(old.iter().copied())
            .map(|set| owned::in_status(set, field))
            .sum::<i64>()
    };
    let updated = current.map_or(0, |set| owned::in_status(set, "replicas"));
    let (all, ready, available) = (
        total("replicas"),
        total("readyReplicas"),
        total("availableReplicas"),
    );
    let mut status = json!({"observedGeneration": deployment["metadata"]["generation"]});
    let unavailable = (replicas.max(all) - available).max(0);
    for (field, value) in [
        ("replicas", all),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        ("unavailableReplicas", unavailable),
    ] {
        // Zero is absence, as the real server writes it.
        if value != 0 {
            status[field] = value.into();
        }
    }
    if let Some(conditions) = deployment["status"].get("conditions") {
        status["conditions"] = conditions.clone();
    }
    set_conditions(
        deployment,
        &mut status,
        updated == replicas && all == replicas && available >= replicas,
        moment,
    );
    status
}

fn set_conditions(deployment: &Value, status: &mut Value, complete: bool, moment: &Moment) {
    let replicas = owned::count(deployment, "replicas", 1);
    // A quarter may be missing by default, rounded down: few test workloads are large enough for that to be one.
    let enough = status["availableReplicas"].as_i64().unwrap_or(0) >= replicas - replicas / 4;
    let (reason, message) = if enough {
        ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        (
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    condition::set(status, "Available", enough, reason, message, moment);
    let set = format!(
        "{}-{}",
        meta::name(deployment),
        owned::template_hash(&deployment["spec"]["template"])
    );
    let (reason, message) = if complete {
        (
            "NewReplicaSetAvailable",
            format!("ReplicaSet \"{set}\" has successfully progressed."),
        )
    } else {
        (
            "ReplicaSetUpdated",
            format!("ReplicaSet \"{set}\" is progressing."),
        )
    };
    condition::set(status, "Progressing", true, reason, &message, moment);
}

fn scale(set: &Value, replicas: i64) -> Action {
    let patch = json!({"spec": {"replicas": replicas}});
    Action::Patch {
        resource: replica_sets(),
        key: action::key(set),
        patch,
    }
}

fn deployments() -> GroupResource {
    GroupResource::new("apps", "deployments")
}

fn replica_sets() -> GroupResource {
    GroupResource::new("apps", "replicasets")
}
