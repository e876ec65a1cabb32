//! Lists: replaced, or merged by key, or, of scalars, joined.

use serde_json::{Map, Value};

use super::directives::{DELETE, PATCH, REPLACE, unknown};
use super::{merge_objects, order};
use crate::patch::PatchError;
use crate::schema::SchemaRef;
use crate::schema::go::go_value;

/// The field that tells the items of this list apart.
pub(super) fn merge_key(list: Option<SchemaRef<'_>>) -> Option<&str> {
    list?.patch_rule()?.merge_key.as_deref()
}

pub(super) fn merge(
    list: Option<SchemaRef<'_>>,
    live: &[Value],
    patch: &[Value],
) -> Result<Vec<Value>, PatchError> {
    let merges = list
        .and_then(|list| list.patch_rule())
        .is_some_and(|rule| rule.merge);
    if !merges {
        return Ok(patch.to_vec());
    }
    let of_objects = live.iter().chain(patch).any(Value::is_object);
    if !of_objects {
        return Ok(join_scalars(live, patch));
    }
    let key = merge_key(list)
        .ok_or_else(|| PatchError::Failed("cannot merge lists without merge key".to_owned()))?;
    let Marked { kept, changes } = carry_out_markers(live, patch, key)?;
    let merged = merge_items(list, &kept, &changes, key)?;
    let mut items = merged.iter().filter_map(Value::as_object);
    if let Some(item) = items.find(|item| !item.contains_key(key)) {
        return Err(keyless(item, key));
    }
    Ok(order::interleaved(merged, &changes, &kept, Some(key)))
}

fn join_scalars(live: &[Value], patch: &[Value]) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::with_capacity(live.len() + patch.len());
    for item in live.iter().chain(patch) {
        if !joined.contains(item) {
            joined.push(item.clone());
        }
    }
    order::interleaved(joined, patch, live, None)
}

/// A list after the items with `$patch` in them have had their say.
struct Marked {
    kept: Vec<Value>,
    changes: Vec<Value>,
}

fn carry_out_markers(live: &[Value], patch: &[Value], key: &str) -> Result<Marked, PatchError> {
    let mut kept = live.to_vec();
    let mut changes = Vec::new();
    let mut is_replaced = false;
    for item in patch {
        let fields = item.as_object().cloned().unwrap_or_default();
        match fields.get(PATCH) {
            None => changes.push(item.clone()),
            Some(Value::String(directive)) if directive == DELETE => {
                let name = fields.get(key).ok_or_else(|| keyless(&fields, key))?;
                kept.retain(|item| item.get(key) != Some(name));
            }
            Some(Value::String(directive)) if directive == REPLACE => is_replaced = true,
            Some(other) => return Err(unknown(other, &fields)),
        }
    }
    Ok(if is_replaced {
        Marked {
            kept: changes,
            changes: Vec::new(),
        }
    } else {
        Marked { kept, changes }
    })
}

fn merge_items(
    list: Option<SchemaRef<'_>>,
    live: &[Value],
    changes: &[Value],
    key: &str,
) -> Result<Vec<Value>, PatchError> {
    let mut merged = live.to_vec();
    for change in changes {
        let fields = change.as_object().cloned().unwrap_or_default();
        let name = fields.get(key).ok_or_else(|| keyless(&fields, key))?;
        match merged.iter_mut().find(|item| item.get(key) == Some(name)) {
            Some(item) => {
                let before = item.as_object().cloned().unwrap_or_default();
                let items = list.and_then(|list| list.items());
                *item = Value::Object(merge_objects(items, before, &fields)?);
            }
            None => merged.push(change.clone()),
        }
    }
    Ok(merged)
}

fn keyless(item: &Map<String, Value>, key: &str) -> PatchError {
    let item = go_value(&Value::Object(item.clone()));
    PatchError::Failed(format!("map: {item} does not contain declared merge key: {key}"))
}
