//! Workloads must select their own pods.

use serde_json::{Value, json};

use super::selectors;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const KINDS: [&str; 4] = ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"];

/// What is wrong between the parts of a workload.
pub(crate) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if &*kind.id.group == "apps" && KINDS.contains(&&*kind.name) {
        errors.extend(check_selector(kind, object));
        errors.extend(check_strategy(kind, object));
    }
    errors
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
