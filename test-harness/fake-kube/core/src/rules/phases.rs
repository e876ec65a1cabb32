//! The phase of a namespace says whether it goes away.

use serde_json::Value;

use crate::effects;
use crate::kind::Kind;
use crate::meta;
use crate::schema::{FieldError, FieldPath};

/// What is wrong with the status that is written to a namespace.
pub(crate) fn check(kind: &Kind, object: &Value) -> Option<FieldError> {
    if !effects::is_namespace(kind) {
        return None;
    }
    let (expected, detail) = if meta::is_terminating(object) {
        (
            "Terminating",
            "may only be 'Terminating' if `deletionTimestamp` is not empty",
        )
    } else {
        ("Active", "may only be 'Active' if `deletionTimestamp` is empty")
    };
    let phase = object["status"]["phase"].as_str().unwrap_or_default();
    let path = FieldPath::root().field("status").field("Phase");
    (phase != expected).then(|| FieldError::invalid(path, phase, detail))
}
