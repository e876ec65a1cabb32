//! The status of a pod in each of its states.

use serde_json::{Value, json};

use crate::meta;
use crate::moment::Moment;
use crate::standins::condition;

const HOST: &str = "10.0.0.1";

pub(super) fn started(pod: &Value, ready: bool, moment: &Moment) -> Value {
    let mut status = on_node(pod, "Running", moment);
    let running = json!({"running": {"startedAt": moment.timestamp()}});
    put_address(&mut status, pod);
    put_containers(&mut status, pod, ready, 0, &running, moment);
    let reason = if ready { "" } else { "ContainersNotReady" };
    set_ready(&mut status, pod, ready, reason, moment);
    status
}

pub(super) fn stuck(pod: &Value, moment: &Moment) -> Value {
    let mut status = on_node(pod, "Pending", moment);
    let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
    let message = format!("Back-off pulling image {image:?}");
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": message}});
    status["containerStatuses"] = statuses(pod, "containers", false, 0, &waiting);
    set_ready(&mut status, pod, false, "ContainersNotReady", moment);
    status
}

pub(super) fn crashing(pod: &Value, moment: &Moment) -> Value {
    let mut status = on_node(pod, "Running", moment);
    let name = pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default();
    let message = format!(
        "back-off 10s restarting failed container={name} pod={}_{}({})",
        meta::name(pod),
        meta::namespace(pod),
        meta::uid(pod)
    );
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    put_address(&mut status, pod);
    put_containers(&mut status, pod, false, 1, &waiting, moment);
    for container in status["containerStatuses"].as_array_mut().into_iter().flatten() {
        container["lastState"] = terminated(1, "Error", &pod["status"]["startTime"], moment);
    }
    set_ready(&mut status, pod, false, "ContainersNotReady", moment);
    status
}

pub(super) fn ended(pod: &Value, well: bool, moment: &Moment) -> Value {
    let (phase, code, cause, reason) = if well {
        ("Succeeded", 0, "Completed", "PodCompleted")
    } else {
        ("Failed", 1, "Error", "PodFailed")
    };
    let mut status = on_node(pod, phase, moment);
    let end = terminated(code, cause, &status["startTime"], moment);
    put_address(&mut status, pod);
    put_containers(&mut status, pod, false, 0, &end, moment);
    set_ready(&mut status, pod, false, reason, moment);
    status
}

fn terminated(code: i32, reason: &str, started: &Value, moment: &Moment) -> Value {
    json!({"terminated": {
        "exitCode": code, "reason": reason, "finishedAt": moment.timestamp(), "startedAt": started,
    }})
}

/// The parts that the status of every pod on a node has.
fn on_node(pod: &Value, phase: &str, moment: &Moment) -> Value {
    let before = &pod["status"];
    json!({
        "phase": phase, "qosClass": before["qosClass"].as_str().unwrap_or("BestEffort"),
        "hostIP": HOST, "hostIPs": [{"ip": HOST}], "observedGeneration": pod["metadata"]["generation"],
        "startTime": before["startTime"].as_str().map_or_else(|| moment.timestamp(), str::to_owned),
    })
}

/// The conditions in the order in which a kubelet writes them; they keep the times that they had.
fn set_ready(status: &mut Value, pod: &Value, ready: bool, reason: &str, moment: &Moment) {
    let message = match reason {
        "ContainersNotReady" => not_ready(pod),
        _ => String::new(),
    };
    let mut conditions = json!({"conditions": []});
    let gates = pod["spec"]["readinessGates"].as_array();
    let gates = gates
        .into_iter()
        .flatten()
        .filter_map(|gate| gate["conditionType"].as_str());
    let all = [
        ("Initialized", true, "", ""),
        ("Ready", ready, reason, &*message),
        ("ContainersReady", ready, reason, &*message),
    ];
    let all = all.into_iter().chain(gates.map(|gate| (gate, true, "", "")));
    for (kind, value, reason, message) in all.chain([("PodScheduled", true, "", "")]) {
        let condition = condition::of_pod(kind, value, reason, message, moment);
        if let Some(known) = condition::find(pod, kind) {
            condition::put(&mut conditions, known.clone());
        }
        condition::put(&mut conditions, condition);
    }
    status["conditions"] = conditions["conditions"].take();
}

fn not_ready(pod: &Value) -> String {
    let containers = pod["spec"]["containers"].as_array();
    let names: Vec<&str> = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container["name"].as_str())
        .collect();
    format!("containers with unready status: [{}]", names.join(" "))
}

fn put_address(status: &mut Value, pod: &Value) {
    let address = address(pod);
    status["podIPs"] = json!([{"ip": address}]);
    status["podIP"] = address.into();
}

fn put_containers(
    status: &mut Value,
    pod: &Value,
    ready: bool,
    restarts: u32,
    state: &Value,
    moment: &Moment,
) {
    status["containerStatuses"] = statuses(pod, "containers", ready, restarts, state);
    if pod["spec"]["initContainers"]
        .as_array()
        .is_some_and(|all| !all.is_empty())
    {
        let done = terminated(0, "Completed", &status["startTime"], moment);
        status["initContainerStatuses"] = statuses(pod, "initContainers", true, 0, &done);
    }
}

fn statuses(pod: &Value, field: &str, ready: bool, restarts: u32, state: &Value) -> Value {
    let list = pod["spec"][field].as_array();
    list.into_iter()
        .flatten()
        .map(|container| {
            // Init containers that are restarted run beside the others.
            let state = match container["restartPolicy"] == "Always" {
                true => &json!({"running": {"startedAt": state.pointer("/terminated/startedAt")}}),
                false => state,
            };
            json!({
                "name": container["name"], "image": container["image"], "imageID": "", "ready": ready,
                "restartCount": restarts, "started": state.get("running").is_some(), "state": state,
                "lastState": {},
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
