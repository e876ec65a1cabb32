//! ReplicaSets: as many pods as wanted.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::action::{self, Action};
use super::owned;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

const CONTROLLER: &str = "replicaset-controller";

pub(super) fn plan(cluster: &Cluster, set: &Value, moment: &Moment) -> Vec<Action> {
    let pods: Vec<&Value> = owned::all(cluster, set, &owned::pods())
        .into_iter()
        .filter(|pod| !owned::is_finished(pod))
        .collect();
    let wanted = usize::try_from(owned::count(set, "replicas", 1)).unwrap_or(0);
    let mut actions = match pods.len() {
        few if few < wanted => {
            let prefix = format!("{}-", meta::name(set));
            (few..wanted)
                .map(|_| owned::create_pod(set, CONTROLLER, owned::pod(set, ("generateName", &prefix), &[])))
                .collect()
        }
        _ => surplus(set, &pods, wanted),
    };
    let (available, later) = owned::available(set, &pods, moment);
    actions.extend(later);
    actions.push(Action::SetStatus {
        resource: GroupResource::new("apps", "replicasets"),
        key: action::key(set),
        status: status(set, &pods, available),
    });
    actions
}

/// Those that are not ready go first, then the youngest.
fn surplus(set: &Value, pods: &[&Value], wanted: usize) -> Vec<Action> {
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| {
        (
            owned::is_ready(pod),
            Reverse(meta::text(pod, "creationTimestamp")),
        )
    });
    let surplus = pods.len() - wanted;
    let chosen = pods.into_iter().take(surplus);
    chosen
        .flat_map(|pod| owned::delete_pod(set, CONTROLLER, pod))
        .collect()
}

fn status(set: &Value, pods: &[&Value], available: usize) -> Value {
    let ready = owned::number(pods.iter().filter(|pod| owned::is_ready(pod)).count());
    let all = owned::number(pods.len());
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": all, "terminatingReplicas": 0,
    });
    owned::put_counts(
        &mut status,
        &[
            ("fullyLabeledReplicas", all),
            ("readyReplicas", ready),
            ("availableReplicas", owned::number(available)),
        ],
    );
    status
}
