//! DaemonSets: a pod per node.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::owned;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

const REVISION_LABEL: &str = "controller-revision-hash";

pub(super) fn plan(cluster: &Cluster, set: &Value, _: &Moment) -> Vec<Action> {
    let hash = owned::template_hash(&set["spec"]["template"]);
    let pods = owned::all(cluster, set, &owned::pods());
    let nodes = cluster.objects(&GroupResource::new("", "nodes"), None).count();
    let mut actions: Vec<Action> = Vec::new();
    let (current, outdated): (Vec<&Value>, Vec<&Value>) = pods
        .iter()
        .partition(|pod| pod["metadata"]["labels"][REVISION_LABEL] == *hash);
    actions.extend(outdated.iter().map(|pod| owned::delete_pod(pod)));
    let prefix = format!("{}-", meta::name(set));
    let labels = [(REVISION_LABEL, hash.as_str())];
    actions.extend((current.len()..nodes).map(|_| owned::new_pod(set, ("generateName", &prefix), &labels)));
    actions.push(Action::SetStatus {
        resource: GroupResource::new("apps", "daemonsets"),
        key: action::key(set),
        status: status(set, &pods, current.len(), nodes),
    });
    actions
}

fn status(set: &Value, pods: &[&Value], updated: usize, nodes: usize) -> Value {
    let ready = pods.iter().filter(|pod| owned::is_ready(pod)).count();
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "currentNumberScheduled": pods.len(),
        "desiredNumberScheduled": nodes, "numberMisscheduled": 0, "numberReady": ready,
    });
    for (field, value) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", ready),
        ("numberUnavailable", nodes.saturating_sub(ready)),
    ] {
        if value != 0 {
            status[field] = value.into();
        }
    }
    status
}
