//! Strategic merge patch: a merge patch that knows which lists merge, and by which key.

mod directives;
mod lists;
mod order;

use serde_json::{Map, Value};

use super::PatchError;
use crate::schema::{Schema, SchemaRef};

use directives::{DELETE, DELETE_FROM_LIST, PATCH, REPLACE, RETAIN_KEYS, SET_ORDER};

/// `live` with `patch` merged into it by the patch keys and strategies of the schema, with its directives.
///
/// # Errors
/// When a directive is malformed, or a list item lacks its merge key.
pub fn strategic(live: &Value, patch: &Value, schema: &Schema) -> Result<Value, PatchError> {
    let Value::Object(changes) = patch else {
        return Err(PatchError::BadRequest("invalid JSON document".to_owned()));
    };
    let live = live.as_object().cloned().unwrap_or_default();
    merge_objects(Some(schema.root()), live, changes).map(Value::Object)
}

type Fields = Map<String, Value>;

fn merge_objects(
    schema: Option<SchemaRef<'_>>,
    mut merged: Fields,
    patch: &Fields,
) -> Result<Fields, PatchError> {
    if let Some(directive) = patch.get(PATCH) {
        return follow(directive, patch);
    }
    if let Some(keys) = patch.get(RETAIN_KEYS) {
        retain_keys(&mut merged, keys, patch)?;
    }
    let mut ordered = Vec::new();
    for (name, order) in patch {
        if let Some(name) = name.strip_prefix(SET_ORDER) {
            merge_in_order(schema, &mut merged, patch, name, order)?;
            ordered.push(name);
        }
    }
    for (name, change) in patch {
        if let Some(name) = name.strip_prefix(DELETE_FROM_LIST) {
            delete_from_list(&mut merged, name, change)?;
        } else if !name.starts_with('$') && !ordered.contains(&&**name) {
            merge_field(schema, &mut merged, name, change)?;
        }
    }
    Ok(merged)
}

/// What an object becomes that a directive speaks of.
fn follow(directive: &Value, patch: &Fields) -> Result<Fields, PatchError> {
    match directive.as_str() {
        Some(REPLACE) => {
            let mut replaced = patch.clone();
            replaced.remove(PATCH);
            Ok(replaced)
        }
        Some(DELETE) => Ok(Fields::new()),
        _ => Err(directives::unknown(directive, patch)),
    }
}

fn merge_field(
    schema: Option<SchemaRef<'_>>,
    merged: &mut Fields,
    name: &str,
    change: &Value,
) -> Result<(), PatchError> {
    let field = schema.and_then(|schema| schema.entry(name));
    let after = match (merged.remove(name), change) {
        (_, Value::Null) => None,
        (Some(Value::Object(before)), Value::Object(change)) if !replaces(field) => {
            Some(Value::Object(merge_objects(field, before, change)?))
        }
        // What takes the place of another is taken as it is, directives and all.
        (Some(Value::Object(_)), Value::Object(_)) => Some(change.clone()),
        (Some(Value::Array(before)), Value::Array(change)) => {
            Some(Value::Array(lists::merge(field, &before, change)?))
        }
        (_, new) => directives::taken(new),
    };
    if let Some(after) = after {
        merged.insert(name.to_owned(), after);
    }
    Ok(())
}

fn replaces(schema: Option<SchemaRef<'_>>) -> bool {
    schema
        .and_then(|schema| schema.patch_rule())
        .is_some_and(|rule| rule.replace)
}

/// Fields that the patch does not list as retained go; it may not set others.
fn retain_keys(merged: &mut Fields, keys: &Value, patch: &Fields) -> Result<(), PatchError> {
    let malformed = || PatchError::BadRequest("invalid patch format of retainKeys".to_owned());
    let keys: Vec<&str> = keys
        .as_array()
        .ok_or_else(malformed)?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let is_listed = |name: &str| name.starts_with('$') || keys.contains(&name);
    let strays = patch
        .iter()
        .any(|(name, change)| !change.is_null() && !is_listed(name));
    if strays {
        return Err(malformed());
    }
    merged.retain(|name, _| keys.contains(&name.as_str()));
    Ok(())
}

fn merge_in_order(
    schema: Option<SchemaRef<'_>>,
    merged: &mut Fields,
    patch: &Fields,
    name: &str,
    order: &Value,
) -> Result<(), PatchError> {
    let malformed = || PatchError::BadRequest("invalid patch format of setElementOrder list".to_owned());
    let order = order.as_array().ok_or_else(malformed)?;
    if patch.get(name).is_some_and(Value::is_null) {
        let message = "expected a []interface {}, but received a %!s(<nil>)".to_owned();
        return Err(PatchError::Failed(message));
    }
    let field = schema.and_then(|schema| schema.entry(name));
    let before = merged.get(name).and_then(Value::as_array).cloned();
    if let Some(change) = patch.get(name).and_then(Value::as_array) {
        order::check(change, order, lists::merge_key(field))?;
    }
    let items = match (&before, patch.get(name).and_then(Value::as_array)) {
        (Some(before), None) => before.clone(),
        (None, Some(change)) => directives::taken_items(change),
        (Some(before), Some(change)) => lists::merge(field, before, change)?,
        (None, None) => return Ok(()),
    };
    let key = lists::merge_key(field);
    let before = before.unwrap_or_default();
    merged.insert(
        name.to_owned(),
        Value::Array(order::interleaved(items, order, &before, key)),
    );
    Ok(())
}

fn delete_from_list(merged: &mut Fields, name: &str, unwanted: &Value) -> Result<(), PatchError> {
    let malformed = || PatchError::BadRequest("invalid patch format of primitive list".to_owned());
    let unwanted = unwanted.as_array().ok_or_else(malformed)?;
    if let Some(Value::Array(items)) = merged.get_mut(name) {
        items.retain(|item| !unwanted.contains(item));
    }
    Ok(())
}
