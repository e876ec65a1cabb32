//! What containers ask for and may use.

use serde_json::{Map, Value};

use super::places::Place;
use super::qualified::complaints_of_name;
use crate::schema::{FieldError, FieldPath, compare_quantities, is_whole};

const OF_CONTAINERS: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];

/// What there is beside, for quotas.
const STANDARD: [&str; 17] = [
    "configmaps",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

/// Those of them that come whole.
const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// What is wrong with the resources of a container.
pub(super) fn check((path, container): &Place<'_>) -> Vec<FieldError> {
    let none = Map::new();
    let of = |field: &str| container.and_then(|container| container["resources"][field].as_object());
    let (limits, requests) = (of("limits").unwrap_or(&none), of("requests").unwrap_or(&none));
    let path = path.field("resources");
    let (limited, requested) = (path.field("limits"), path.field("requests"));
    let entries = limits.iter().map(|entry| (&limited, entry));
    let entries = entries.chain(requests.iter().map(|entry| (&requested, entry)));
    let mut errors: Vec<FieldError> = entries
        .flat_map(|(path, (name, amount))| check_entry(&path.key(name), name, text(amount)))
        .collect();
    for (name, amount) in requests {
        let (amount, limit) = (text(amount), limits.get(name).map(text));
        errors.extend(check_request(&limited, &requested, name, amount, limit));
    }
    errors
}

fn check_entry(path: &FieldPath, name: &str, amount: &str) -> Vec<FieldError> {
    let invalid = |value: &str, why: &str| FieldError::invalid(path.clone(), value, why);
    let mut errors: Vec<FieldError> = complaints_of_name(name)
        .iter()
        .map(|why| invalid(name, why))
        .collect();
    let is_bare = !name.contains('/');
    let is_of_containers = OF_CONTAINERS.contains(&name) || name.starts_with("hugepages-");
    if is_bare {
        let is_standard =
            is_of_containers || STANDARD.contains(&name) || name.starts_with("requests.hugepages-");
        if errors.is_empty() && !is_standard {
            errors.push(invalid(
                name,
                "must be a standard resource type or fully qualified",
            ));
        }
        if !is_of_containers {
            errors.push(invalid(name, "must be a standard resource for containers"));
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.push(invalid(name, "doesn't follow extended resource name standard"));
    }
    if amount.starts_with('-') {
        errors.push(invalid(amount, "must be greater than or equal to 0"));
    }
    if (COUNTED.contains(&name) || is_extended(name)) && !is_whole(amount) {
        errors.push(invalid(amount, "must be an integer"));
    }
    errors
}

/// What is asked for is not above the limit, and that itself of what is not shared.
fn check_request(
    limits: &FieldPath,
    requests: &FieldPath,
    name: &str,
    amount: &str,
    limit: Option<&str>,
) -> Option<FieldError> {
    let is_shared = is_native(name) && !name.starts_with("hugepages-");
    let Some(limit) = limit else {
        let detail = "Limit must be set for non overcommitable resources";
        return (!is_shared).then(|| FieldError::required(limits.clone(), detail));
    };
    let order = compare_quantities(amount, limit)?;
    let bound = match (is_shared, order.is_eq(), order.is_gt()) {
        (false, false, _) => "equal to",
        (true, _, true) => "less than or equal to",
        _ => return None,
    };
    let detail = format!("must be {bound} {name} limit of {limit}");
    Some(FieldError::invalid(requests.clone(), amount, detail))
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    let in_quota = format!("requests.{name}");
    !is_native(name) && !name.starts_with("requests.") && complaints_of_name(&in_quota).is_empty()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
