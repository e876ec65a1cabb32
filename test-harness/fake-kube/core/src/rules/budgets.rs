//! A disruption budget has one bound.

use serde_json::{Value, json};

use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// What is wrong between the bounds of a PodDisruptionBudget.
pub(super) fn check(kind: &Kind, object: &Value) -> Option<FieldError> {
    let spec = &object["spec"];
    let has_both = !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null();
    let is_budget = kind.is("policy", "PodDisruptionBudget");
    let detail = "minAvailable and maxUnavailable cannot be both set";
    (is_budget && has_both)
        .then(|| FieldError::invalid(FieldPath::root().field("spec"), quoted(spec), detail))
}

/// The server shows the whole as it has it itself.
fn quoted(spec: &Value) -> Value {
    json!({
        "MaxUnavailable": spec["maxUnavailable"], "MinAvailable": spec["minAvailable"], "Selector": spec["selector"],
        "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"],
    })
}
