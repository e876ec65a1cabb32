//! Finalizers have qualified names, and those of an object that is being deleted may only become fewer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::qualified::complaints_of_name;
use crate::kind::Kind;
use crate::meta;
use crate::schema::{FieldError, FieldPath};

const BARE: &str = "name is neither a standard finalizer name nor is it fully qualified";
/// Names without a domain that mean something to the server.
const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

fn path() -> FieldPath {
    FieldPath::root().field("metadata").field("finalizers")
}

fn is_bare(name: &str) -> bool {
    !name.contains('/') && !STANDARD.contains(&name)
}

/// What is wrong with the names of finalizers.
pub(super) fn check_names(object: &Value) -> Vec<FieldError> {
    let finalizers = meta::finalizers(object);
    let mut errors: Vec<FieldError> = finalizers
        .iter()
        .flat_map(|name| {
            complaints_of_name(name)
                .into_iter()
                .map(move |detail| FieldError::invalid(path(), *name, detail))
        })
        .collect();
    if finalizers.contains(&"orphan") && finalizers.contains(&"foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(path(), finalizers, detail));
    }
    errors
}

/// Built-in kinds want a domain in front.
pub(super) fn check_qualified(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let finalizers = meta::finalizers(object).into_iter().enumerate();
    finalizers
        .filter(|(_, name)| kind.custom.is_none() && !takes_any(kind) && is_bare(name))
        .map(|(index, name)| FieldError::invalid(path().index(index), name, BARE))
        .collect()
}

/// What is wrong with what holds a namespace beside its metadata.
pub(crate) fn check_namespace(namespace: &Value) -> Vec<FieldError> {
    let path = FieldPath::root().field("spec").field("finalizers");
    let all = namespace["spec"]["finalizers"].as_array().into_iter().flatten();
    all.filter_map(Value::as_str)
        .enumerate()
        .flat_map(|(index, name)| {
            let bare = (is_bare(name) && complaints_of_name(name).is_empty()).then(|| BARE.to_owned());
            let details = complaints_of_name(name).into_iter().chain(bare);
            let at = path.clone().index(index);
            details.map(move |detail| FieldError::invalid(at.clone(), name, detail))
        })
        .collect()
}

/// Built-in kinds of which nobody asks this.
fn takes_any(kind: &Kind) -> bool {
    matches!(&*kind.name, "Lease" | "PodDisruptionBudget")
}

/// Custom kinds only warn of its absence.
pub(super) fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let before = old.map(meta::finalizers).unwrap_or_default();
    let added: BTreeSet<&str> = meta::finalizers(new)
        .into_iter()
        .filter(|name| !before.contains(name))
        .collect();
    let bare = added.into_iter().filter(|name| is_bare(name));
    bare.map(|name| {
        let how = if name.contains('.') {
            " including a path (/)"
        } else {
            ""
        };
        format!(
            "metadata.finalizers: {name:?}: prefer a domain-qualified finalizer name{how} to avoid accidental \
             conflicts with other finalizer writers"
        )
    })
    .collect()
}

/// What is wrong with the finalizers of `new` as it follows `old`.
pub(super) fn check_additions(old: &Value, new: &Value) -> Option<FieldError> {
    if !meta::is_terminating(old) {
        return None;
    }
    let before = meta::finalizers(old);
    let mut added: Vec<&str> = meta::finalizers(new)
        .into_iter()
        .filter(|f| !before.contains(f))
        .collect();
    if added.is_empty() {
        return None;
    }
    added.sort_unstable();
    added.dedup();
    let listed: Vec<String> = added.iter().map(|f| format!("{f:?}")).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        listed.join(", ")
    );
    Some(FieldError::forbidden(path(), detail))
}
