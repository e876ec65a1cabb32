//! Owners that are named twice.

use serde_json::Value;

use crate::meta;

/// Leaves each owner once, and says which were there again.
pub(crate) fn dedupe(object: &mut Value) -> Option<String> {
    let warning = warning(object, "")?;
    leave_once(object);
    Some(warning)
}

/// Which owners are there again. `when` is when they came to be there.
pub(crate) fn warning(object: &Value, when: &str) -> Option<String> {
    let owners = owners(object)?;
    let again = owners
        .iter()
        .enumerate()
        .filter(|(index, owner)| owners[..*index].contains(owner));
    let again: Vec<_> = again
        .map(|(_, owner)| owner["uid"].as_str().unwrap_or_default())
        .collect();
    (!again.is_empty()).then(|| {
        format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, \
             and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            again.join(", ")
        )
    })
}

/// Leaves each owner once.
pub(crate) fn leave_once(object: &mut Value) {
    let mut once: Vec<Value> = Vec::new();
    for owner in owners(object).into_iter().flatten() {
        if !once.contains(owner) {
            once.push(owner.clone());
        }
    }
    if owners(object).is_some_and(|all| all.len() > once.len()) {
        meta::set(object, "ownerReferences", once);
    }
}

fn owners(object: &Value) -> Option<&Vec<Value>> {
    meta::metadata(object)?.get("ownerReferences")?.as_array()
}
