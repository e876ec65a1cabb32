//! Workloads must select their own pods.

use serde_json::{Value, json};

use super::names::complaint_of_label;
use super::selectors;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const KINDS: [&str; 4] = ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"];

/// What is wrong between the parts of a workload.
pub(crate) fn check(kind: &Kind, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if &*kind.id.group == "apps" && KINDS.contains(&&*kind.name) {
        errors.extend(check_selector(kind, object));
        errors.extend(check_strategy(kind, object));
        errors.extend(check_order(kind, object));
        errors.extend(check_patience(kind, object));
        if old.is_none() {
            errors.extend(check_service(kind, object));
        }
    }
    errors
}

/// Where a selector is none, the server does not look at the template, but for how pods of a stateful set are restarted.
pub(crate) fn look_no_further(kind: &Kind, object: &Value, errors: &mut Vec<FieldError>) {
    let is_of_kind = ["Deployment", "ReplicaSet", "StatefulSet"]
        .iter()
        .any(|name| kind.is("apps", name));
    if !is_of_kind || selectors::is_valid(&object["spec"]["selector"]) {
        return;
    }
    let is_stateful = &*kind.name == "StatefulSet";
    let is_seen = |path: &FieldPath| {
        !path.is_in("spec.template") || is_stateful && path.is_in("spec.template.spec.restartPolicy")
    };
    errors.retain(|error| is_seen(&error.path));
    let detail = if is_stateful { "" } else { "invalid label selector" };
    let path = FieldPath::root().field("spec").field("selector");
    let selector = object["spec"]["selector"].clone();
    errors.push(FieldError::invalid(path, selector, detail));
}

fn check_selector(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    let root = FieldPath::root().field("spec");
    let is_empty = |field: &str| match &spec["selector"][field] {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => true,
    };
    let mut errors = Vec::new();
    if spec["selector"].is_object() && is_empty("matchLabels") && is_empty("matchExpressions") {
        let detail = format!("empty selector is invalid for {}", kind.singular);
        errors.push(FieldError::invalid(
            root.field("selector"),
            spec["selector"].clone(),
            detail,
        ));
    }
    errors.extend(selectors::check_own(spec));
    errors
}

/// The service of a new stateful set, which stays.
fn check_service(kind: &Kind, object: &Value) -> Option<FieldError> {
    let name = object["spec"]["serviceName"].as_str()?;
    let is_asked = &*kind.name == "StatefulSet" && !name.is_empty();
    let path = FieldPath::root().field("spec").field("serviceName");
    let why = complaint_of_label(name).filter(|_| is_asked)?;
    Some(FieldError::invalid(path, name, why))
}

/// A rollout is waited for longer than a single pod.
fn check_patience(kind: &Kind, object: &Value) -> Option<FieldError> {
    let spec = &object["spec"];
    let limit = spec["progressDeadlineSeconds"].as_i64()?;
    let is_long = limit > spec["minReadySeconds"].as_i64().unwrap_or(0);
    let path = FieldPath::root().field("spec").field("progressDeadlineSeconds");
    let detail = "must be greater than minReadySeconds";
    (&*kind.name == "Deployment" && !is_long).then(|| FieldError::invalid(path, limit, detail))
}

const ORDERS: [&str; 2] = ["OrderedReady", "Parallel"];

fn check_order(kind: &Kind, object: &Value) -> Option<FieldError> {
    let given = object["spec"]["podManagementPolicy"].as_str()?;
    let path = FieldPath::root().field("spec").field("podManagementPolicy");
    let detail = "must be 'OrderedReady' or 'Parallel'";
    (&*kind.name == "StatefulSet" && !ORDERS.contains(&given))
        .then(|| FieldError::invalid(path, given, detail))
}

/// Where each kind says how it is rolled out, and what it may say.
const STRATEGIES: [(&str, &str, [&str; 2]); 3] = [
    ("DaemonSet", "updateStrategy", ["RollingUpdate", "OnDelete"]),
    ("Deployment", "strategy", ["Recreate", "RollingUpdate"]),
    ("StatefulSet", "updateStrategy", ["RollingUpdate", "OnDelete"]),
];

fn check_strategy(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let Some((_, field, known)) = STRATEGIES.iter().find(|(name, ..)| *name == &*kind.name) else {
        return Vec::new();
    };
    let strategy = &object["spec"][field];
    let path = FieldPath::root().field("spec").field(field);
    let given = strategy["type"].as_str().unwrap_or_default();
    let mut errors = Vec::new();
    if !known.contains(&given) {
        // The server shows the whole as it has it itself.
        let value = json!({"Type": given, "RollingUpdate": strategy["rollingUpdate"]});
        errors.push(if &*kind.name == "StatefulSet" {
            let detail = format!("must be '{}' or '{}'", known[0], known[1]);
            FieldError::invalid(path.clone(), value, detail)
        } else {
            FieldError::unsupported(path.clone(), value, known)
        });
    }
    if given == "Recreate" && strategy["rollingUpdate"].is_object() {
        let detail = "may not be specified when strategy `type` is 'Recreate'";
        errors.push(FieldError::forbidden(path.field("rollingUpdate"), detail));
    }
    errors
}
