//! ReplicaSets: as many pods as wanted.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::owned;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

pub(super) fn plan(cluster: &Cluster, set: &Value, _: &Moment) -> Vec<Action> {
    let pods: Vec<&Value> = owned::all(cluster, set, &owned::pods())
        .into_iter()
        .filter(|pod| !owned::is_finished(pod))
        .collect();
    let wanted = usize::try_from(owned::count(set, "replicas", 1)).unwrap_or(0);
    let mut actions = match pods.len() {
        few if few < wanted => {
            let prefix = format!("{}-", meta::name(set));
            (few..wanted)
                .map(|_| owned::new_pod(set, ("generateName", &prefix), &[]))
                .collect()
        }
        _ => surplus(&pods, wanted),
    };
    actions.push(Action::SetStatus {
        resource: GroupResource::new("apps", "replicasets"),
        key: action::key(set),
        status: status(set, &pods),
    });
    actions
}

/// Those that are not ready go first.
fn surplus(pods: &[&Value], wanted: usize) -> Vec<Action> {
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| owned::is_ready(pod));
    let surplus = pods.len() - wanted;
    pods.into_iter().take(surplus).map(owned::delete_pod).collect()
}

fn status(set: &Value, pods: &[&Value]) -> Value {
    let ready = owned::number(pods.iter().filter(|pod| owned::is_ready(pod)).count());
    let all = owned::number(pods.len());
    let mut status = json!({"observedGeneration": set["metadata"]["generation"], "replicas": all});
    for (field, value) in [
        ("fullyLabeledReplicas", all),
        ("readyReplicas", ready),
        ("availableReplicas", ready),
    ] {
        if value != 0 {
            status[field] = value.into();
        }
    }
    status
}
