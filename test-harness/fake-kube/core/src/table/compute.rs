//! Cells that are more than a field.

use jiff::Timestamp;
use serde_json::Value;

use super::cell::{human_age, since};
use crate::meta;
use crate::selector::LabelSelector;

const NONE: &str = "<none>";

pub(super) fn none(_: &Value, _: Timestamp) -> Value {
    NONE.into()
}

pub(super) fn created_at(object: &Value, _: Timestamp) -> Value {
    meta::text(object, "creationTimestamp").into()
}

/// How many entries a ConfigMap or Secret has.
pub(super) fn data(object: &Value, _: Timestamp) -> Value {
    let count = |field: &str| object[field].as_object().map_or(0, serde_json::Map::len);
    (count("data") + count("binaryData")).into()
}

pub(super) fn replicas_ready(object: &Value, _: Timestamp) -> Value {
    let ready = number(&object["status"]["readyReplicas"]);
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    format!("{ready}/{wanted}").into()
}

pub(super) fn containers(object: &Value, _: Timestamp) -> Value {
    joined(template(object)["spec"]["containers"].as_array(), "name").into()
}

pub(super) fn images(object: &Value, _: Timestamp) -> Value {
    joined(template(object)["spec"]["containers"].as_array(), "image").into()
}

fn template(object: &Value) -> &Value {
    match object["spec"].get("jobTemplate") {
        Some(job) => &job["spec"]["template"],
        None => &object["spec"]["template"],
    }
}

pub(super) fn selector(object: &Value, _: Timestamp) -> Value {
    selected(&object["spec"]["selector"]).into()
}

pub(super) fn pod_selector(object: &Value, _: Timestamp) -> Value {
    selected(&object["spec"]["podSelector"]).into()
}

pub(super) fn node_selector(object: &Value, _: Timestamp) -> Value {
    selected(&object["spec"]["template"]["spec"]["nodeSelector"]).into()
}

fn selected(selector: &Value) -> String {
    match LabelSelector::from_spec(selector) {
        all if all.is_empty() => NONE.to_owned(),
        some => some.to_string(),
    }
}

pub(super) fn pod_ready(pod: &Value, _: Timestamp) -> Value {
    let all = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let ready = statuses(pod).filter(|status| status["ready"] == true).count();
    format!("{ready}/{all}").into()
}

/// The phase, unless a container has more to say.
pub(super) fn pod_status(pod: &Value, _: Timestamp) -> Value {
    if meta::is_terminating(pod) {
        return "Terminating".into();
    }
    let reason = statuses(pod)
        .filter_map(|status| status["state"].as_object())
        .flat_map(|state| ["waiting", "terminated"].map(|key| state.get(key)))
        .flatten()
        .find_map(|state| state["reason"].as_str());
    let phase = pod["status"]["phase"].as_str().unwrap_or("Unknown");
    reason.unwrap_or(phase).into()
}

pub(super) fn pod_restarts(pod: &Value, _: Timestamp) -> Value {
    statuses(pod)
        .map(|status| number(&status["restartCount"]))
        .sum::<i64>()
        .to_string()
        .into()
}

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    pod["status"]["containerStatuses"]
        .as_array()
        .into_iter()
        .flatten()
}

pub(super) fn external_ip(service: &Value, _: Timestamp) -> Value {
    let addresses: Vec<&str> = service["status"]["loadBalancer"]["ingress"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|ingress| ingress["ip"].as_str().or_else(|| ingress["hostname"].as_str()))
        .collect();
    match service["spec"]["type"].as_str() {
        Some("LoadBalancer") if addresses.is_empty() => "<pending>".into(),
        Some("LoadBalancer") => addresses.join(",").into(),
        Some("ExternalName") => service["spec"]["externalName"].clone(),
        _ => NONE.into(),
    }
}

pub(super) fn service_ports(service: &Value, _: Timestamp) -> Value {
    let ports: Vec<String> = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            match port["nodePort"].as_i64() {
                Some(node) => format!("{}:{node}/{protocol}", port["port"]),
                None => format!("{}/{protocol}", port["port"]),
            }
        })
        .collect();
    if ports.is_empty() {
        NONE.into()
    } else {
        ports.join(",").into()
    }
}

pub(super) fn endpoints(object: &Value, _: Timestamp) -> Value {
    let addresses = object["subsets"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|s| s["addresses"].as_array());
    list(addresses.flatten().filter_map(|a| a["ip"].as_str())).into()
}

pub(super) fn slice_ports(slice: &Value, _: Timestamp) -> Value {
    let ports = slice["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| port["port"].to_string());
    let ports: Vec<String> = ports.collect();
    list(ports.iter().map(String::as_str)).into()
}

pub(super) fn slice_endpoints(slice: &Value, _: Timestamp) -> Value {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    list(endpoints.filter_map(|endpoint| endpoint["addresses"][0].as_str())).into()
}

pub(super) fn access_modes(claim: &Value, _: Timestamp) -> Value {
    let modes = claim["status"]["accessModes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let short: Vec<&str> = modes
        .map(|mode| match mode {
            "ReadWriteOnce" => "RWO",
            "ReadOnlyMany" => "ROX",
            "ReadWriteMany" => "RWX",
            "ReadWriteOncePod" => "RWOP",
            other => other,
        })
        .collect();
    short.join(",").into()
}

pub(super) fn node_status(node: &Value, _: Timestamp) -> Value {
    let conditions = node["status"]["conditions"].as_array();
    let ready =
        conditions.is_some_and(|all| all.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"));
    let schedulable = if node["spec"]["unschedulable"] == true {
        ",SchedulingDisabled"
    } else {
        ""
    };
    format!("{}{schedulable}", if ready { "Ready" } else { "NotReady" }).into()
}

pub(super) fn node_roles(node: &Value, _: Timestamp) -> Value {
    let labels = meta::metadata(node)
        .and_then(|m| m.get("labels"))
        .and_then(Value::as_object);
    let roles = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"));
    list(roles).into()
}

pub(super) fn suspend(job: &Value, _: Timestamp) -> Value {
    if job["spec"]["suspend"] == true {
        "True".into()
    } else {
        "False".into()
    }
}

pub(super) fn active_jobs(job: &Value, _: Timestamp) -> Value {
    job["status"]["active"].as_array().map_or(0, Vec::len).into()
}

pub(super) fn last_schedule(job: &Value, now: Timestamp) -> Value {
    job["status"]["lastScheduleTime"]
        .as_str()
        .map_or(NONE.into(), |time| since(time, now).into())
}

pub(super) fn job_status(job: &Value, _: Timestamp) -> Value {
    let holds = |kind: &str| {
        let conditions = job["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|c| c["type"] == kind && c["status"] == "True"))
    };
    let states = [
        ("Complete", "Complete"),
        ("Failed", "Failed"),
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
    ];
    let state = states
        .iter()
        .find(|(kind, _)| holds(kind))
        .map(|(_, shown)| *shown);
    match state {
        Some(state) => state.into(),
        None if meta::is_terminating(job) => "Terminating".into(),
        None => "Running".into(),
    }
}

pub(super) fn completions(job: &Value, _: Timestamp) -> Value {
    let succeeded = number(&job["status"]["succeeded"]);
    format!("{succeeded}/{}", job["spec"]["completions"].as_i64().unwrap_or(1)).into()
}

pub(super) fn job_duration(job: &Value, now: Timestamp) -> Value {
    let time = |field: &str| job["status"][field].as_str()?.parse::<Timestamp>().ok();
    match time("startTime") {
        Some(start) => {
            let end = time("completionTime").unwrap_or(now);
            human_age(end.as_second() - start.as_second()).into()
        }
        None => "".into(),
    }
}

pub(super) fn scale_target(autoscaler: &Value, _: Timestamp) -> Value {
    let target = &autoscaler["spec"]["scaleTargetRef"];
    format!("{}/{}", shown(&target["kind"]), shown(&target["name"])).into()
}

pub(super) fn ingress_hosts(ingress: &Value, _: Timestamp) -> Value {
    let hosts: Vec<&str> = ingress["spec"]["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| rule["host"].as_str())
        .collect();
    if hosts.is_empty() {
        "*".into()
    } else {
        hosts.join(",").into()
    }
}

pub(super) fn ingress_address(ingress: &Value, _: Timestamp) -> Value {
    let addresses = ingress["status"]["loadBalancer"]["ingress"]
        .as_array()
        .into_iter()
        .flatten();
    addresses
        .filter_map(|a| a["ip"].as_str().or(a["hostname"].as_str()))
        .collect::<Vec<_>>()
        .join(",")
        .into()
}

pub(super) fn ingress_ports(ingress: &Value, _: Timestamp) -> Value {
    if ingress["spec"]["tls"]
        .as_array()
        .is_some_and(|tls| !tls.is_empty())
    {
        "80, 443".into()
    } else {
        "80".into()
    }
}

pub(super) fn role(binding: &Value, _: Timestamp) -> Value {
    format!(
        "{}/{}",
        shown(&binding["roleRef"]["kind"]),
        shown(&binding["roleRef"]["name"])
    )
    .into()
}

/// An event may be in either group's form.
fn event_field<'a>(event: &'a Value, core: &str, events: &str) -> &'a Value {
    event
        .get(core)
        .or_else(|| event.get(events))
        .unwrap_or(&Value::Null)
}

pub(super) fn event_object(event: &Value, _: Timestamp) -> Value {
    let object = event_field(event, "involvedObject", "regarding");
    format!(
        "{}/{}",
        shown(&object["kind"]).to_lowercase(),
        shown(&object["name"])
    )
    .into()
}

pub(super) fn event_message(event: &Value, _: Timestamp) -> Value {
    shown(event_field(event, "message", "note")).trim().into()
}

pub(super) fn event_source(event: &Value, _: Timestamp) -> Value {
    let source = &event["source"];
    let component = source["component"]
        .as_str()
        .or_else(|| event["reportingComponent"].as_str());
    match (component, source["host"].as_str()) {
        (Some(component), Some(host)) => format!("{component}, {host}").into(),
        (component, _) => component.unwrap_or_default().into(),
    }
}

pub(super) fn first_seen(event: &Value, now: Timestamp) -> Value {
    seen(
        event,
        &["firstTimestamp", "deprecatedFirstTimestamp", "eventTime"],
        now,
    )
}

pub(super) fn last_seen(event: &Value, now: Timestamp) -> Value {
    if let Some(time) = event["series"]["lastObservedTime"].as_str() {
        return since(time, now).into();
    }
    seen(
        event,
        &["lastTimestamp", "deprecatedLastTimestamp", "eventTime"],
        now,
    )
}

fn seen(event: &Value, fields: &[&str], now: Timestamp) -> Value {
    let time = fields.iter().find_map(|field| event[*field].as_str());
    time.map_or("<unknown>".into(), |time| since(time, now).into())
}

fn shown(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn joined(items: Option<&Vec<Value>>, field: &str) -> String {
    items
        .into_iter()
        .flatten()
        .filter_map(|item| item[field].as_str())
        .collect::<Vec<_>>()
        .join(",")
}

/// Three of them at most, and how many more there are.
fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let items: Vec<&str> = items.collect();
    match items.len() {
        0 => NONE.to_owned(),
        few if few <= SHOWN => items.join(","),
        many => format!("{} + {} more...", items[..SHOWN].join(","), many - SHOWN),
    }
}
