//! The keys of a patch that are instructions rather than fields.

use serde_json::{Map, Value};

use crate::patch::PatchError;
use crate::schema::go::go_value;

/// `$patch: replace | delete` in an object.
pub(super) const PATCH: &str = "$patch";
/// The object, or the whole list, is replaced.
pub(super) const REPLACE: &str = "replace";
/// The object, or the item with this key, goes.
pub(super) const DELETE: &str = "delete";
/// Fields that stay; all others go.
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
/// Before the name of a list: the order of its items.
pub(super) const SET_ORDER: &str = "$setElementOrder/";
/// Before the name of a list of scalars: values to take out.
pub(super) const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";

pub(super) fn unknown(directive: &Value, patch: &Map<String, Value>) -> PatchError {
    let text = directive
        .as_str()
        .map_or_else(|| directive.to_string(), str::to_owned);
    PatchError::Failed(format!(
        "unknown patch type: {text} in map: {}",
        go_value(&Value::Object(patch.clone()))
    ))
}

/// A new value without directives and nulls; None when it is nothing but an order to delete.
pub(super) fn stripped(value: &Value) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            if fields.get(PATCH).and_then(Value::as_str) == Some(DELETE) {
                return None;
            }
            let kept = fields
                .iter()
                .filter(|(name, field)| !is_directive(name) && !field.is_null());
            let kept = kept.filter_map(|(name, field)| Some((name.clone(), stripped(field)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(stripped_items(items))),
        scalar => Some(scalar.clone()),
    }
}

pub(super) fn stripped_items(items: &[Value]) -> Vec<Value> {
    let is_marker = |item: &Value| item.get(PATCH).is_some();
    items
        .iter()
        .filter(|item| !is_marker(item))
        .filter_map(stripped)
        .collect()
}

fn is_directive(name: &str) -> bool {
    name == PATCH || name == RETAIN_KEYS || name.starts_with(SET_ORDER) || name.starts_with(DELETE_FROM_LIST)
}
