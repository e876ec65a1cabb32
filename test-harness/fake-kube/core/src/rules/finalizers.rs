//! Finalizers have qualified names, and those of an object that is being deleted may only become fewer.

use serde_json::Value;

use crate::kind::Kind;
use crate::meta;
use crate::schema::{FieldError, FieldPath, Problem};

/// Names without a domain that mean something to the server.
const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// What is wrong with the names of the finalizers of an object.
pub(crate) fn check_names(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let path = FieldPath::root().field("metadata").field("finalizers");
    let finalizers = meta::finalizers(object).into_iter().enumerate();
    finalizers
        .filter(|(_, name)| kind.custom.is_none() && !name.contains('/') && !STANDARD.contains(name))
        .map(|(index, name)| FieldError {
            path: path.index(index),
            problem: Problem::Invalid {
                value: name.into(),
                detail: "name is neither a standard finalizer name nor is it fully qualified".to_owned(),
            },
        })
        .collect()
}

/// What is wrong with the finalizers of `new` as it follows `old`.
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
