//! Taking over what OpenChoreo wrote by update: its fields become ours, once.
//!
//! A field that two managers have stays when one of them leaves it out. So where a controller has written an object by
//! update, which is what OpenChoreo's did before it applied, what we leave out later would stay for ever. Its entries in
//! `metadata.managedFields` are laid over ours before the object counts as applied; the apply that follows drops what we
//! do not want.
//!
//! Of the name that many programs have, only entries are taken over that have something of what we apply. Others may be
//! of somebody who adds to objects, and goes on doing so.

use serde_json::{Map, Value, json};

use crate::field::at;

/// The field manager of OpenChoreo's controllers where they say none: the name of their program, as of most that are
/// made with the same tools.
const PROGRAM: &str = "manager";

/// Whether `object`, as it is in the plane, was written by update and applied by `manager`.
pub fn is_due(object: &Value, manager: &str) -> bool {
    let entries = entries(object);
    let ours = entries.iter().find(|entry| is_ours(entry, manager));
    ours.is_some_and(|ours| entries.iter().any(|entry| is_former(entry, ours)))
}

/// The merge patch that makes the fields of former managers ours, if there are any. It is refused where somebody has
/// written the object meanwhile.
pub fn patch(object: &Value, manager: &str) -> Option<Value> {
    let entries = entries(object);
    let ours = entries.iter().find(|entry| is_ours(entry, manager))?;
    let (former, kept): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| is_former(entry, ours));
    if former.is_empty() {
        return None;
    }
    let mut fields = ours["fieldsV1"].clone();
    for entry in former {
        lay_over(&mut fields, &entry["fieldsV1"]);
    }
    let managed: Vec<Value> = kept
        .into_iter()
        .map(|entry| {
            let mut entry = entry.clone();
            if is_ours(&entry, manager) {
                entry["fieldsV1"] = fields.clone();
            }
            entry
        })
        .collect();
    let version = at(object, "metadata/resourceVersion")?;
    Some(json!({ "metadata": { "resourceVersion": version, "managedFields": managed } }))
}

fn entries(object: &Value) -> &[Value] {
    let entries = at(object, "metadata/managedFields").and_then(Value::as_array);
    entries.map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn is_ours(entry: &Value, manager: &str) -> bool {
    text(entry, "manager") == manager && is_by(entry, "Apply")
}

fn is_former(entry: &Value, ours: &Value) -> bool {
    let manager = text(entry, "manager");
    let wrote = || manager == PROGRAM && meets(&entry["fieldsV1"], &ours["fieldsV1"]);
    is_by(entry, "Update") && (manager == text(ours, "manager") || wrote())
}

/// By this operation, on the object itself.
fn is_by(entry: &Value, operation: &str) -> bool {
    text(entry, "operation") == operation && text(entry, "subresource").is_empty()
}

/// Whether two sets of fields have a field in common. What they have in common of the way there is none.
fn meets(one: &Value, two: &Value) -> bool {
    let (Some(one), Some(two)) = (one.as_object(), two.as_object()) else {
        return false;
    };
    one.iter().any(|(field, below)| {
        let Some(other) = two.get(field) else {
            return false;
        };
        field != "." && (is_leaf(below) && is_leaf(other) || meets(below, other))
    })
}

fn is_leaf(fields: &Value) -> bool {
    fields.as_object().is_none_or(Map::is_empty)
}

/// Adds the fields of one set to another.
fn lay_over(fields: &mut Value, more: &Value) {
    let (Value::Object(fields), Value::Object(more)) = (fields, more) else {
        return;
    };
    for (field, below) in more {
        lay_over(fields.entry(field.clone()).or_insert_with(|| json!({})), below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGER: &str = "release-controller";

    fn object(others: &[Value]) -> Value {
        let ours = json!({
            "manager": MANAGER, "operation": "Apply", "apiVersion": "v1",
            "fieldsV1": { "f:data": { ".": {}, "f:kept": {} } },
        });
        let managed: Vec<_> = [ours].into_iter().chain(others.iter().cloned()).collect();
        json!({ "metadata": { "resourceVersion": "7", "managedFields": managed } })
    }

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({ "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields })
    }

    #[test]
    fn what_was_written_by_update_becomes_ours_whole() {
        let former = [
            entry(
                "manager",
                "Update",
                json!({ "f:data": { ".": {}, "f:kept": {}, "f:dropped": {} } }),
            ),
            entry(MANAGER, "Update", json!({ "f:immutable": {} })),
        ];
        let object = object(&former);
        assert!(is_due(&object, MANAGER));
        let ours = entry(
            MANAGER,
            "Apply",
            json!({ "f:data": { ".": {}, "f:kept": {}, "f:dropped": {} }, "f:immutable": {} }),
        );
        let expected = json!({ "metadata": { "resourceVersion": "7", "managedFields": [ours] } });
        assert_eq!(patch(&object, MANAGER), Some(expected));
    }

    #[test]
    fn what_others_write_stays_theirs() {
        let status = json!({
            "manager": "manager", "operation": "Update", "subresource": "status", "fieldsV1": { "f:data": { "f:kept": {} } },
        });
        let others = [
            entry("kubectl-edit", "Update", json!({ "f:data": { "f:kept": {} } })),
            entry("manager", "Apply", json!({ "f:data": { "f:kept": {} } })),
            entry(
                "manager",
                "Update",
                json!({ "f:data": { ".": {}, "f:added": {} } }),
            ),
            status,
        ];
        let object = object(&others);
        assert!(!is_due(&object, MANAGER));
        assert_eq!(patch(&object, MANAGER), None);
    }

    #[test]
    fn what_we_never_applied_is_not_taken_over_yet() {
        let update = entry("manager", "Update", json!({ "f:data": { "f:kept": {} } }));
        let object = json!({ "metadata": { "resourceVersion": "7", "managedFields": [update] } });
        assert!(!is_due(&object, MANAGER));
        assert_eq!(patch(&object, MANAGER), None);
    }
}
