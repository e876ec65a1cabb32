//! Pods: scheduled, then running, then done if they are of the kind that ends. One step per look.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::{RESULT, condition, owned};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

/// What a pod is asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// What its restart policy implies.
    Normal,
    Run,
    Fail,
    Stuck,
}

pub(super) fn plan(cluster: &Cluster, pod: &Value, moment: &Moment) -> Vec<Action> {
    if owned::is_finished(pod) {
        return Vec::new();
    }
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return schedule(cluster, pod);
    }
    let wanted = match pod["metadata"]["annotations"][RESULT].as_str() {
        Some("run") => Wanted::Run,
        Some("fail") => Wanted::Fail,
        Some("stuck") => Wanted::Stuck,
        _ => Wanted::Normal,
    };
    let ends = pod["spec"]["restartPolicy"]
        .as_str()
        .is_some_and(|policy| policy != "Always");
    let running = pod["status"]["phase"] == "Running";
    let status = match wanted {
        Wanted::Stuck => pending(pod, moment),
        Wanted::Fail if ends && running => ended(pod, false, moment),
        Wanted::Fail if running => crashing(pod, moment),
        Wanted::Normal if ends && running => ended(pod, true, moment),
        _ if running => return Vec::new(),
        _ => started(pod, wanted != Wanted::Fail, moment),
    };
    vec![Action::SetStatus {
        resource: owned::pods(),
        key: action::key(pod),
        status,
    }]
}

fn schedule(cluster: &Cluster, pod: &Value) -> Vec<Action> {
    let nodes = GroupResource::new("", "nodes");
    match cluster.objects(&nodes, None).next() {
        Some(node) => vec![Action::Bind {
            key: action::key(pod),
            node: meta::name(node).to_owned(),
        }],
        None => Vec::new(),
    }
}

/// The status with the parts that every scheduled pod has.
fn base(pod: &Value, phase: &str, moment: &Moment) -> Value {
    let mut status = json!({
        "phase": phase, "qosClass": pod["status"]["qosClass"].as_str().unwrap_or("BestEffort"),
        "hostIP": "10.0.0.1", "observedGeneration": pod["metadata"]["generation"],
        "startTime": pod["status"]["startTime"].as_str().map_or_else(|| moment.timestamp(), str::to_owned),
    });
    if let Some(conditions) = pod["status"].get("conditions") {
        status["conditions"] = conditions.clone();
    }
    condition::set(&mut status, "PodScheduled", true, "", "", moment);
    condition::set(&mut status, "Initialized", true, "", "", moment);
    status
}

fn set_ready(status: &mut Value, ready: bool, reason: &str, moment: &Moment) {
    for kind in ["Ready", "ContainersReady"] {
        condition::set(status, kind, ready, reason, "", moment);
    }
}

fn started(pod: &Value, ready: bool, moment: &Moment) -> Value {
    let mut status = base(pod, "Running", moment);
    let running = json!({"running": {"startedAt": moment.timestamp()}});
    status["podIP"] = address(pod).into();
    status["podIPs"] = json!([{"ip": address(pod)}]);
    status["containerStatuses"] = containers(pod, ready, 0, &running);
    set_ready(
        &mut status,
        ready,
        if ready { "" } else { "ContainersNotReady" },
        moment,
    );
    status
}

fn pending(pod: &Value, moment: &Moment) -> Value {
    let mut status = base(pod, "Pending", moment);
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}});
    status["containerStatuses"] = containers(pod, false, 0, &waiting);
    set_ready(&mut status, false, "ContainersNotReady", moment);
    status
}

fn crashing(pod: &Value, moment: &Moment) -> Value {
    let mut status = base(pod, "Running", moment);
    let message = "back-off restarting failed container";
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    status["podIP"] = address(pod).into();
    status["podIPs"] = json!([{"ip": address(pod)}]);
    status["containerStatuses"] = containers(pod, false, 1, &waiting);
    set_ready(&mut status, false, "ContainersNotReady", moment);
    status
}

fn ended(pod: &Value, well: bool, moment: &Moment) -> Value {
    let (phase, code, reason) = if well {
        ("Succeeded", 0, "Completed")
    } else {
        ("Failed", 1, "Error")
    };
    let mut status = base(pod, phase, moment);
    let terminated = json!({"terminated": {
        "exitCode": code, "reason": reason, "finishedAt": moment.timestamp(), "startedAt": status["startTime"],
    }});
    status["podIP"] = address(pod).into();
    status["containerStatuses"] = containers(pod, false, 0, &terminated);
    set_ready(
        &mut status,
        false,
        if well { "PodCompleted" } else { "PodFailed" },
        moment,
    );
    status
}

fn containers(pod: &Value, ready: bool, restarts: u32, state: &Value) -> Value {
    let started = state.get("running").is_some();
    let list = pod["spec"]["containers"].as_array();
    list.into_iter()
        .flatten()
        .map(|container| {
            json!({
                "name": container["name"], "image": container["image"], "imageID": "", "ready": ready,
                "restartCount": restarts, "started": started, "state": state, "lastState": {},
            })
        })
        .collect()
}

/// An address that follows from the uid: stable, and different for most pods.
fn address(pod: &Value) -> String {
    let digits: String = meta::uid(pod)
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(6)
        .collect();
    let number = u32::from_str_radix(&digits, 16).unwrap_or(0);
    format!(
        "10.{}.{}.{}",
        244 + (number >> 16 & 3),
        number >> 8 & 0xff,
        number & 0xff
    )
}
