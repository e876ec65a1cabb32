//! Pods: scheduled, then running, then done if they are of the kind that ends. One step per look.

mod fate;
mod notes;
mod status;

use serde_json::Value;

use super::action::{self, Action};
use super::note::{Note, SCHEDULER};
use super::{condition, node, owned};
use crate::cluster::Cluster;
use crate::meta;
use crate::moment::Moment;
use fate::Fate;

pub(super) fn plan(cluster: &Cluster, pod: &Value, moment: &Moment) -> Vec<Action> {
    if owned::is_finished(pod) {
        return Vec::new();
    }
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return schedule(cluster, pod, moment);
    }
    let fate = Fate::of(pod);
    let running = pod["status"]["phase"] == "Running";
    let stuck = pod["status"].get("containerStatuses").is_some() && !running;
    let ends = pod["spec"]["restartPolicy"]
        .as_str()
        .is_some_and(|policy| policy != "Always");
    let crashed = pod["status"]
        .pointer("/containerStatuses/0/state/waiting")
        .is_some();
    let (status, notes) = match fate {
        Fate::Stuck if stuck || running => return Vec::new(),
        Fate::Stuck => (status::stuck(pod, moment), notes::stuck(pod)),
        Fate::Fail if ends && running => (status::ended(pod, false, moment), Vec::new()),
        Fate::Fail if running && crashed => return Vec::new(),
        Fate::Fail if running => (status::crashing(pod, moment), notes::crashing(pod)),
        Fate::Normal if ends && running => (status::ended(pod, true, moment), Vec::new()),
        _ if running => return Vec::new(),
        fate => (
            status::started(pod, fate == Fate::Normal || fate == Fate::Run, moment),
            notes::started(pod, fate),
        ),
    };
    let set = Action::SetStatus {
        resource: owned::pods(),
        key: action::key(pod),
        status,
    };
    std::iter::once(set)
        .chain(notes.into_iter().map(Action::Say))
        .collect()
}

fn schedule(cluster: &Cluster, pod: &Value, moment: &Moment) -> Vec<Action> {
    let (namespace, name) = (meta::namespace(pod), meta::name(pod));
    if let Some(node) = node::fitting(cluster, &pod["spec"]) {
        let node = meta::name(node);
        let message = format!("Successfully assigned {namespace}/{name} to {node}");
        return vec![
            Action::Bind {
                key: action::key(pod),
                node: node.to_owned(),
            },
            Action::Say(Note::normal(pod, SCHEDULER, "Scheduled", message)),
        ];
    }
    let nodes = cluster.objects(&node::resource(), None).count();
    let message = match nodes {
        0 => "no nodes available to schedule pods".to_owned(),
        nodes => format!(
            "0/{nodes} nodes are available: {nodes} node(s) didn't match Pod's node affinity/selector."
        ),
    };
    let known = condition::find(pod, "PodScheduled");
    if known.is_some_and(|known| known["message"] == *message) {
        return Vec::new();
    }
    let mut status = pod["status"].clone();
    let condition = condition::of_pod("PodScheduled", false, "Unschedulable", &message, moment);
    condition::put(&mut status, condition);
    vec![
        Action::SetStatus {
            resource: owned::pods(),
            key: action::key(pod),
            status,
        },
        Action::Say(Note::warning(pod, SCHEDULER, "FailedScheduling", message)),
    ]
}
