//! What built-in kinds may say of themselves: numbers that are none too small and none too large, conditions, addresses.

use std::net::IpAddr;

use serde_json::Value;

use super::names::{complaint_of_address, complaint_of_subdomain};
use super::places;
use super::qualified::complaints_of_name;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// Group, kind, and what counts there.
#[rustfmt::skip]
const COUNTS: &[(&str, &str, &[&str])] = &[
    ("apps", "DaemonSet", &[
        "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
        "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
    ]),
    ("apps", "Deployment", &[
        "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
        "unavailableReplicas", "terminatingReplicas", "collisionCount",
    ]),
    ("apps", "StatefulSet", &[
        "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration",
        "collisionCount",
    ]),
    ("autoscaling", "HorizontalPodAutoscaler", &["currentReplicas", "desiredReplicas"]),
    ("policy", "PodDisruptionBudget", &["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"]),
];

/// Kind, a count, another that it does not exceed, and how that one is called.
#[rustfmt::skip]
const BOUNDS: &[(&str, &str, &str, &str)] = &[
    ("Deployment", "updatedReplicas", "replicas", "status.replicas"),
    ("Deployment", "readyReplicas", "replicas", "status.replicas"),
    ("Deployment", "availableReplicas", "replicas", "status.replicas"),
    ("Deployment", "availableReplicas", "readyReplicas", "readyReplicas"),
    ("StatefulSet", "readyReplicas", "replicas", "status.replicas"),
    ("StatefulSet", "currentReplicas", "replicas", "status.replicas"),
    ("StatefulSet", "updatedReplicas", "replicas", "status.replicas"),
    ("StatefulSet", "availableReplicas", "replicas", "status.replicas"),
    ("StatefulSet", "availableReplicas", "readyReplicas", "status.readyReplicas"),
];

/// What is wrong with the status that is written over that of `old`.
pub(crate) fn check(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = check_counts(kind, old, new);
    errors.extend(check_conditions(kind, new));
    errors.extend(check_addresses(kind, old, new));
    errors
}

fn path() -> FieldPath {
    FieldPath::root().field("status")
}

fn check_counts(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    let Some((.., counts)) = COUNTS.iter().find(|(group, name, _)| kind.is(group, name)) else {
        return Vec::new();
    };
    let count = |object: &Value, field: &str| object["status"][field].as_i64().unwrap_or(0);
    let invalid =
        |field: &str, detail: &str| FieldError::invalid(path().field(field), count(new, field), detail);
    let negative = counts.iter().filter(|field| count(new, field) < 0);
    let mut errors: Vec<FieldError> = negative
        .map(|field| invalid(field, "must be greater than or equal to 0"))
        .collect();
    for (name, field, bound, told) in BOUNDS {
        if *name == &*kind.name && count(new, field) > count(new, bound) {
            errors.push(invalid(field, &format!("cannot be greater than {told}")));
        }
    }
    let collisions = |object: &Value| object["status"]["collisionCount"].as_i64();
    let is_less = collisions(old).is_some_and(|before| collisions(new).is_none_or(|after| after < before));
    errors.extend(is_less.then(|| invalid("collisionCount", "cannot be decremented")));
    errors
}

const REASON: &str = "a condition reason must start with alphabetic character, optionally followed by a string of \
     alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or \
     'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is \
     '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
const STATES: [&str; 3] = ["False", "True", "Unknown"];

fn check_conditions(kind: &Kind, new: &Value) -> Vec<FieldError> {
    let check = match (&*kind.id.group, &*kind.name) {
        ("", "Pod") => check_of_pod,
        ("autoscaling", "HorizontalPodAutoscaler") => check_generation,
        ("policy", "PodDisruptionBudget") => check_condition,
        _ => return Vec::new(),
    };
    let conditions = places::items((path().field("conditions"), Some(&new["status"]["conditions"])));
    conditions
        .iter()
        .filter_map(|(path, condition)| Some(check(path, (*condition)?)))
        .flatten()
        .collect()
}

fn check_generation(path: &FieldPath, condition: &Value) -> Vec<FieldError> {
    let generation = condition["observedGeneration"]
        .as_i64()
        .filter(|number| *number < 0);
    let detail = "must be greater than or equal to 0";
    let error =
        generation.map(|number| FieldError::invalid(path.field("observedGeneration"), number, detail));
    error.into_iter().collect()
}

/// What the server itself says of pods is not looked at.
const OF_SERVER: [&str; 3] = ["PodScheduled", "Ready", "Initialized"];

fn check_of_pod(path: &FieldPath, condition: &Value) -> Vec<FieldError> {
    let kind = condition["type"].as_str().unwrap_or_default();
    let generation = condition["observedGeneration"]
        .as_i64()
        .filter(|number| *number < 0);
    let detail = "must be a non-negative integer";
    let error =
        generation.map(|number| FieldError::invalid(path.field("observedGeneration"), number, detail));
    let complaints = if OF_SERVER.contains(&kind) {
        Vec::new()
    } else {
        complaints_of_name(kind)
    };
    // The server calls the field as it is called in Go.
    let named = complaints
        .into_iter()
        .map(|why| FieldError::invalid(path.field("Type"), kind, why));
    error.into_iter().chain(named).collect()
}

fn check_condition(path: &FieldPath, condition: &Value) -> Vec<FieldError> {
    let text = |field: &str| condition[field].as_str().unwrap_or_default();
    let (kind, state, reason) = (text("type"), text("status"), text("reason"));
    let invalid = |field: &str, value: &str, why: &str| FieldError::invalid(path.field(field), value, why);
    let missing = |field: &str, detail: &str| FieldError::required(path.field(field), detail);
    let mut errors = Vec::new();
    if kind.is_empty() {
        errors.push(missing("type", "is required"));
    } else {
        errors.extend(
            complaints_of_name(kind)
                .iter()
                .map(|why| invalid("type", kind, why)),
        );
    }
    if state.is_empty() {
        errors.push(missing("status", ""));
    } else if !STATES.contains(&state) {
        errors.push(FieldError::unsupported(path.field("status"), state, &STATES));
    }
    if let Some(generation) = condition["observedGeneration"]
        .as_i64()
        .filter(|number| *number < 0)
    {
        let detail = "must be greater than or equal to zero";
        errors.push(FieldError::invalid(
            path.field("observedGeneration"),
            generation,
            detail,
        ));
    }
    if text("lastTransitionTime").is_empty() {
        errors.push(missing("lastTransitionTime", ""));
    }
    if reason.is_empty() {
        errors.push(missing("reason", ""));
    } else if !is_reason(reason) {
        errors.push(invalid("reason", reason, REASON));
    }
    errors
}

fn is_reason(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last().is_some_and(|byte| is_word(*byte))
        && bytes.iter().all(|byte| is_word(*byte) || b",:".contains(byte))
}

/// Addresses by which something is reached from outside; those that were there stay allowed.
fn check_addresses(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    let is_service = kind.is("", "Service");
    if !is_service && !kind.is("networking.k8s.io", "Ingress") {
        return Vec::new();
    }
    let path = path().field("loadBalancer").field("ingress");
    let list = |object: &Value| {
        object["status"]["loadBalancer"]["ingress"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (list(old), list(new));
    if is_service && new["spec"]["type"] != "LoadBalancer" {
        let detail = "may only be used when `spec.type` is 'LoadBalancer'";
        let is_used = !after.is_empty();
        return is_used
            .then(|| FieldError::forbidden(path, detail))
            .into_iter()
            .collect();
    }
    let mut errors = Vec::new();
    for (index, address) in after.iter().enumerate() {
        let path = path.index(index);
        let text = |field: &str| address[field].as_str().unwrap_or_default();
        let (ip, host) = (text("ip"), text("hostname"));
        let is_known = before.iter().any(|other| other["ip"] == ip);
        let complaint = complaint_of_address(ip).filter(|_| !ip.is_empty() && !is_known);
        errors.extend(complaint.map(|why| FieldError::invalid(path.field("ip"), ip, why)));
        if is_service {
            errors.extend(check_mode(&path.field("ipMode"), address["ipMode"].as_str(), ip));
        }
        if !host.is_empty() {
            let is_address = host.parse::<IpAddr>().is_ok();
            let address = is_address.then(|| "must be a DNS name, not an IP address".to_owned());
            let complaints = complaint_of_subdomain(host).into_iter().chain(address);
            errors.extend(complaints.map(|why| FieldError::invalid(path.field("hostname"), host, why)));
        }
    }
    errors
}

const MODES: [&str; 2] = ["Proxy", "VIP"];

fn check_mode(path: &FieldPath, mode: Option<&str>, ip: &str) -> Option<FieldError> {
    match (mode, ip) {
        (None, "") => None,
        (None, _) => Some(FieldError::required(
            path.clone(),
            "must be specified when `ip` is set",
        )),
        (Some(_), "") => {
            let detail = "may not be specified when `ip` is not set";
            Some(FieldError::forbidden(path.clone(), detail))
        }
        (Some(mode), _) if MODES.contains(&mode) => None,
        (Some(mode), _) => Some(FieldError::unsupported(path.clone(), mode, &MODES)),
    }
}
