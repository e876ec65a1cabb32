//! Owners that are named twice.

use serde_json::Value;

use crate::meta;

/// Leaves each owner once, and says which were there again. `when` is when they came to be there.
pub(crate) fn dedupe(object: &mut Value, when: &str) -> Option<String> {
    let owners = meta::metadata(object)?.get("ownerReferences")?.as_array()?;
    let mut once: Vec<Value> = Vec::with_capacity(owners.len());
    let mut again: Vec<&str> = Vec::new();
    for owner in owners {
        if once.contains(owner) {
            again.push(owner["uid"].as_str().unwrap_or_default());
        } else {
            once.push(owner.clone());
        }
    }
    if again.is_empty() {
        return None;
    }
    let warning = format!(
        ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and \
         may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
        again.join(", ")
    );
    meta::set(object, "ownerReferences", once);
    Some(warning)
}
