//! DaemonSets: a pod on every node that fits.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::{node, owned, revisions};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

const CONTROLLER: &str = "daemonset-controller";

/// What daemons put up with, beside what their template says: (key, effect).
const TOLERATED: [(&str, &str); 6] = [
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
];

pub(super) fn plan(cluster: &Cluster, set: &Value, moment: &Moment) -> Vec<Action> {
    let hash = owned::template_hash(&set["spec"]["template"]);
    let pods = owned::all(cluster, set, &owned::pods());
    let nodes: Vec<&str> = cluster
        .objects(&node::resource(), None)
        .filter(|node| node::has_labels(node, &set["spec"]["template"]["spec"]))
        .map(meta::name)
        .collect();
    let mut actions = revisions::keep(cluster, set, &hash, &pods);
    let missing = nodes
        .iter()
        .filter(|name| !pods.iter().any(|pod| node::pin(&pod["spec"]) == Some(name)));
    actions.extend(missing.map(|name| create(set, &hash, name)));
    // Each pod is deleted once, whatever is wrong with it.
    let (astray, placed): (Vec<&Value>, Vec<&Value>) = pods.iter().partition(|pod| {
        owned::is_finished(pod) || node::pin(&pod["spec"]).is_none_or(|name| !nodes.contains(&name))
    });
    actions.extend(
        astray
            .into_iter()
            .flat_map(|pod| owned::delete_pod(set, CONTROLLER, pod)),
    );
    actions.extend(roll(set, &placed, &hash, nodes.len()));
    let (available, later) = owned::available(set, &pods, moment);
    actions.extend(later);
    actions.push(Action::SetStatus {
        resource: GroupResource::new("apps", "daemonsets"),
        key: action::key(set),
        status: status(set, &pods, &hash, nodes.len(), available),
    });
    actions
}

/// Replaces outdated pods, those first that are not ready, as many at once as may be missing.
fn roll(set: &Value, pods: &[&Value], hash: &str, nodes: usize) -> Vec<Action> {
    if set["spec"]["updateStrategy"]["type"] == "OnDelete" {
        return Vec::new();
    }
    let limit = &set["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"];
    let percent = limit
        .as_str()
        .and_then(|text| text.strip_suffix('%')?.parse::<usize>().ok());
    let limit = match (limit.as_u64(), percent) {
        (_, Some(percent)) => (nodes * percent).div_ceil(100),
        (number, None) => usize::try_from(number.unwrap_or(1)).unwrap_or(1),
    };
    let ready = pods.iter().filter(|pod| owned::is_ready(pod)).count();
    let budget = limit.max(1).saturating_sub(nodes.saturating_sub(ready));
    let (serving, broken): (Vec<&Value>, Vec<&Value>) = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"][revisions::LABEL] != *hash)
        .copied()
        .partition(|pod| owned::is_ready(pod));
    let chosen = broken.into_iter().chain(serving.into_iter().take(budget));
    chosen
        .flat_map(|pod| owned::delete_pod(set, CONTROLLER, pod))
        .collect()
}

fn create(set: &Value, hash: &str, node: &str) -> Action {
    let prefix = format!("{}-", meta::name(set));
    let template = set["metadata"]["annotations"]["deprecated.daemonset.template.generation"].as_str();
    let labels = [
        (revisions::LABEL, hash),
        ("pod-template-generation", template.unwrap_or("1")),
    ];
    let mut pod = owned::pod(set, ("generateName", &prefix), &labels);
    let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
    pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
        json!({"nodeSelectorTerms": [{"matchFields": [field]}]});
    let tolerations = &mut pod["spec"]["tolerations"];
    if !tolerations.is_array() {
        *tolerations = json!([]);
    }
    let tolerated = TOLERATED.map(
        |(key, effect)| json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": effect}),
    );
    tolerations
        .as_array_mut()
        .expect("made a list above")
        .extend(tolerated);
    owned::create_pod(set, CONTROLLER, pod)
}

fn status(set: &Value, pods: &[&Value], hash: &str, nodes: usize, available: usize) -> Value {
    let ready = pods.iter().filter(|pod| owned::is_ready(pod)).count();
    let updated = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"][revisions::LABEL] == *hash);
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "currentNumberScheduled": pods.len(),
        "desiredNumberScheduled": nodes, "numberMisscheduled": 0, "numberReady": ready,
    });
    owned::put_counts(
        &mut status,
        &[
            ("updatedNumberScheduled", owned::number(updated.count())),
            ("numberAvailable", owned::number(available)),
            (
                "numberUnavailable",
                owned::number(nodes.saturating_sub(available)),
            ),
        ],
    );
    status
}
