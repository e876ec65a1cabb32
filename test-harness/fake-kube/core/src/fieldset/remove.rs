//! Taking fields out of a value.

use serde_json::{Map, Value};

use super::{Element, FieldSet, Shape, item_element, shape};
use crate::schema::{Schema, SchemaRef};

/// `object` without what is in `fields`. A container that loses its last part goes too.
pub fn remove_items(schema: &Schema, object: &Value, fields: &FieldSet) -> Value {
    without(schema.root(), object, fields).unwrap_or_else(|| Value::Object(Map::new()))
}

/// None when nothing is left of something that had parts.
fn without(schema: SchemaRef<'_>, value: &Value, fields: &FieldSet) -> Option<Value> {
    match shape(schema, value) {
        Shape::Leaf => is_scalar(value).then(|| value.clone()),
        Shape::Object(None) => None,
        Shape::Object(Some(entries)) => {
            let mut kept = Map::new();
            for (name, entry) in entries {
                let element = Element::field(name);
                if !fields.has(&element) {
                    let left = kept_part(schema.child(name), entry, fields.below(&element));
                    kept.insert(name.clone(), left.unwrap_or(Value::Null));
                }
            }
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Shape::List(items) => {
            let mut kept = Vec::new();
            for item in items {
                match item_element(schema, item) {
                    Ok(element) if fields.has(&element) => {}
                    Ok(element) => {
                        let left = kept_part(schema.items(), item, fields.below(&element));
                        kept.push(left.unwrap_or(Value::Null));
                    }
                    Err(_) => kept.push(item.clone()),
                }
            }
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
    }
}

/// Nothing of an atomic list or object survives the removal of something inside of it.
fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

fn kept_part(schema: Option<SchemaRef<'_>>, value: &Value, fields: Option<&FieldSet>) -> Option<Value> {
    match (schema, fields) {
        (Some(schema), Some(fields)) => without(schema, value, fields),
        _ => Some(value.clone()),
    }
}
