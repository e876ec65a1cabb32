//! The keys of a patch that are instructions rather than fields.

use serde_json::{Map, Value};

use crate::patch::PatchError;
use crate::schema::go::{go_text, go_value};

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
    let (directive, patch) = (go_text(directive), go_value(&Value::Object(patch.clone())));
    PatchError::Failed(format!("unknown patch type: {directive} in map: {patch}"))
}

/// What takes the place of nothing: without nulls, and without what `$patch` is about. Other directives stay, and are
/// unknown fields. None when nothing is left to take.
pub(super) fn taken(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(_) if is_marker(value) => None,
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter_map(|(name, field)| Some((name.clone(), taken(field)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(taken_items(items))),
        scalar => Some(scalar.clone()),
    }
}

pub(super) fn taken_items(items: &[Value]) -> Vec<Value> {
    items.iter().filter_map(taken).collect()
}

fn is_marker(item: &Value) -> bool {
    item.get(PATCH).is_some_and(|directive| !directive.is_null())
}
