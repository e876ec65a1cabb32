//! What a Deployment does to its ReplicaSets next.

use serde_json::{Map, Value, json};

use super::{
    CONTROLLER, DESIRED, HASH_LABEL, MAXIMUM, REVISION, REVISION_HISTORY, View, deployments, replica_sets,
    replicas, strategy,
};
use crate::meta;
use crate::standins::action::{self, Action};
use crate::standins::note::Note;
use crate::standins::owned;

/// Annotations of a Deployment that are not for its ReplicaSets.
const NOT_COPIED: [&str; 5] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAXIMUM,
];

pub(super) fn steps(view: &View<'_>) -> Vec<Action> {
    let Some(current) = view.current else {
        return first_steps(view);
    };
    let mut actions = renew(view, current);
    let alone = view.old.iter().all(|set| replicas(set) == 0);
    actions.extend(match () {
        () if alone || (strategy::is_recreate(view.deployment) && !view.is_paused()) => {
            scale(view, current, view.replicas())
        }
        () if view.is_paused() => Vec::new(),
        () => roll(view, current),
    });
    actions
}

/// Without a set for the template yet.
fn first_steps(view: &View<'_>) -> Vec<Action> {
    if view.is_paused() {
        let newest = view.old.last();
        return newest.map_or_else(Vec::new, |set| scale(view, set, view.replicas()));
    }
    let old_runs = view.old.iter().any(|set| owned::in_status(set, "replicas") > 0);
    if strategy::is_recreate(view.deployment) && old_runs {
        return view.old.iter().flat_map(|set| scale(view, set, 0)).collect();
    }
    create(view)
}

/// One step of a rolling update: more of the new set if there may be more pods, else fewer of the old ones.
fn roll(view: &View<'_>, current: &Value) -> Vec<Action> {
    let next = replicas(current) + growth(view, replicas(current));
    if next != replicas(current) {
        return scale(view, current, next);
    }
    let minimum = view.replicas() - strategy::max_unavailable(view.deployment);
    let new_missing = replicas(current) - owned::in_status(current, "availableReplicas");
    let surplus = view.wanted_of_all() - minimum - new_missing;
    if surplus <= 0 {
        return Vec::new();
    }
    // Pods that serve nobody go first, whatever else happens.
    let unhealthy = shrink(view, surplus, |set| {
        replicas(set) - owned::in_status(set, "availableReplicas")
    });
    if !unhealthy.is_empty() {
        return unhealthy;
    }
    shrink(view, view.total("availableReplicas") - minimum, replicas)
}

/// How many pods a set may get (or must lose) that has `has`.
fn growth(view: &View<'_>, has: i64) -> i64 {
    let missing = view.replicas() - has;
    let room = view.replicas() + strategy::max_surge(view.deployment) - view.wanted_of_all();
    if missing <= 0 {
        missing
    } else {
        missing.min(room).max(0)
    }
}

/// Takes `budget` pods from the old sets, the oldest first, from each as many as `most` says.
fn shrink(view: &View<'_>, mut budget: i64, most: impl Fn(&Value) -> i64) -> Vec<Action> {
    let mut actions = Vec::new();
    for set in &view.old {
        let fewer = most(set).min(budget);
        if fewer > 0 {
            budget -= fewer;
            actions.extend(scale(view, set, replicas(set) - fewer));
        }
    }
    actions
}

/// Scales a set, and writes there how large the Deployment is now.
fn scale(view: &View<'_>, set: &Value, to: i64) -> Vec<Action> {
    let from = replicas(set);
    let sizes = sizes(view);
    let said = &set["metadata"]["annotations"];
    let known = sizes.iter().all(|(name, value)| said[name] == *value);
    if from == to && known {
        return Vec::new();
    }
    let mut patch = json!({"metadata": {"annotations": sizes}});
    let mut actions = Vec::new();
    if from != to {
        patch["spec"] = json!({"replicas": to});
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {from} to {to}", meta::name(set));
        actions.push(say(view, message));
    }
    actions.push(Action::Patch {
        resource: replica_sets(),
        key: action::key(set),
        patch,
    });
    actions
}

fn say(view: &View<'_>, message: String) -> Action {
    Action::Say(Note::normal(
        view.deployment,
        CONTROLLER,
        "ScalingReplicaSet",
        message,
    ))
}

fn sizes(view: &View<'_>) -> Map<String, Value> {
    let replicas = view.replicas();
    let largest = replicas + strategy::max_surge(view.deployment);
    [(DESIRED, replicas), (MAXIMUM, largest)]
        .map(|(name, number)| (name.to_owned(), number.to_string().into()))
        .into_iter()
        .collect()
}

/// The revision that a ReplicaSet carries.
fn revision(set: &Value) -> u64 {
    let text = set["metadata"]["annotations"][REVISION].as_str();
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The revision after all those of old sets.
fn next_revision(view: &View<'_>) -> u64 {
    view.old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1
}

/// The annotations of the Deployment that its newest set carries, too.
fn copied(view: &View<'_>) -> Map<String, Value> {
    let annotations = view.deployment["metadata"]["annotations"].as_object();
    annotations
        .into_iter()
        .flatten()
        .filter(|(name, _)| !NOT_COPIED.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Brings annotations of the current set up to date: one that is current again, as after a rollback, gets a revision
/// of its own.
fn renew(view: &View<'_>, current: &Value) -> Vec<Action> {
    let mut wanted = copied(view);
    let next = next_revision(view);
    let had = revision(current);
    if next > had {
        wanted.insert(REVISION.to_owned(), next.to_string().into());
        if had > 0 {
            let before = current["metadata"]["annotations"][REVISION_HISTORY].as_str();
            let history = before.map_or_else(|| had.to_string(), |before| format!("{before},{had}"));
            wanted.insert(REVISION_HISTORY.to_owned(), history.into());
        }
    }
    let has = &current["metadata"]["annotations"];
    wanted.retain(|name, value| has[name] != *value);
    let mut actions = Vec::new();
    if !wanted.is_empty() {
        actions.push(Action::Patch {
            resource: replica_sets(),
            key: action::key(current),
            patch: json!({"metadata": {"annotations": wanted}}),
        });
    }
    actions.extend(set_revision(view, next.max(had)));
    actions
}

fn set_revision(view: &View<'_>, revision: u64) -> Option<Action> {
    let said = &view.deployment["metadata"]["annotations"][REVISION];
    (*said != *revision.to_string()).then(|| Action::Annotate {
        resource: deployments(),
        key: action::key(view.deployment),
        annotations: json!({REVISION: revision.to_string()}),
    })
}

fn create(view: &View<'_>) -> Vec<Action> {
    let deployment = view.deployment;
    let revision = next_revision(view);
    let replicas = growth(view, 0);
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"][HASH_LABEL] = view.hash.as_str().into();
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH_LABEL] = view.hash.as_str().into();
    let mut annotations = copied(view);
    annotations.extend(sizes(view));
    annotations.insert(REVISION.to_owned(), revision.to_string().into());
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": view.set_name(), "namespace": meta::namespace(deployment),
            "labels": template["metadata"]["labels"], "annotations": annotations,
            "ownerReferences": action::controlled_by(deployment),
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    let seconds = owned::count(deployment, "minReadySeconds", 0);
    owned::put_counts(&mut set["spec"], &[("minReadySeconds", seconds)]);
    let mut actions = vec![Action::Create {
        resource: replica_sets(),
        object: set,
        note: None,
    }];
    if replicas > 0 {
        let message = format!("Scaled up replica set {} from 0 to {replicas}", view.set_name());
        actions.push(say(view, message));
    }
    actions.extend(set_revision(view, revision));
    actions
}
