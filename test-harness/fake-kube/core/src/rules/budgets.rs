//! A disruption budget has one bound: a number, or a share.

use serde_json::{Value, json};

use super::rollouts;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// What is wrong with the bounds of a PodDisruptionBudget.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    if !kind.is("policy", "PodDisruptionBudget") {
        return Vec::new();
    }
    let spec = &object["spec"];
    let path = FieldPath::root().field("spec");
    let mut errors = Vec::new();
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        let detail = "minAvailable and maxUnavailable cannot be both set";
        errors.push(FieldError::invalid(path.clone(), quoted(spec), detail));
    }
    for bound in ["minAvailable", "maxUnavailable"] {
        errors.extend(rollouts::check_share(&path.field(bound), &spec[bound]));
    }
    errors
}

/// The server shows the whole as it has it itself.
fn quoted(spec: &Value) -> Value {
    json!({
        "MaxUnavailable": spec["maxUnavailable"], "MinAvailable": spec["minAvailable"], "Selector": spec["selector"],
        "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"],
    })
}
