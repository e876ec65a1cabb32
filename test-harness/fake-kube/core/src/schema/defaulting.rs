//! Filling in what was left out.

use serde_json::Value;

use super::{Schema, SchemaRef};

/// Drops nulls where null is not a value, and fills in defaults, in that order, as the API server does when it reads
/// an object from a request.
pub fn default(schema: &Schema, object: &mut Value) {
    drop_nulls(schema.root(), object);
    fill_in(schema.root(), object);
}

fn drop_nulls(schema: SchemaRef<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| {
                !(field.is_null() && schema.entry(name).is_some_and(|entry| !entry.is_nullable()))
            });
            for (name, field) in fields {
                if let Some(entry) = schema.entry(name) {
                    drop_nulls(entry, field);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.items() {
                list.iter_mut().for_each(|item| drop_nulls(items, item));
            }
        }
        _ => {}
    }
}

fn fill_in(schema: SchemaRef<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in schema.fields() {
                if let Some(default) = field.default_value()
                    && !fields.contains_key(name)
                {
                    fields.insert(name.to_owned(), default.clone());
                }
            }
            for (name, field) in fields {
                if let Some(entry) = schema.entry(name) {
                    fill_in(entry, field);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.items() {
                list.iter_mut().for_each(|item| fill_in(items, item));
            }
        }
        _ => {}
    }
}
