//! Finalizers of an object that is being deleted may only become fewer.

use serde_json::Value;

use crate::meta;
use crate::schema::{FieldError, FieldPath, Problem};

/// What is wrong with the finalizers of `new`.
pub(crate) fn check(old: &Value, new: &Value) -> Option<FieldError> {
    if !meta::is_terminating(old) {
        return None;
    }
    let before = meta::finalizers(old);
    let added: Vec<&str> = meta::finalizers(new)
        .into_iter()
        .filter(|f| !before.contains(f))
        .collect();
    if added.is_empty() {
        return None;
    }
    let listed: Vec<String> = added.iter().map(|f| format!("{f:?}")).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        listed.join(", ")
    );
    let path = FieldPath::root().field("metadata").field("finalizers");
    Some(FieldError {
        path,
        problem: Problem::Forbidden { detail },
    })
}
