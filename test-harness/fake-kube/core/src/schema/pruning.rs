//! Dropping what the schema does not know.

use serde_json::Value;

use super::{FieldPath, Schema, SchemaRef};

/// Removes fields that the schema does not declare and returns their paths, sorted: what strict field validation refuses
/// and what it warns of otherwise.
pub fn prune(schema: &Schema, object: &mut Value) -> Vec<FieldPath> {
    let mut unknown = Vec::new();
    prune_value(schema.root(), object, &FieldPath::root(), &mut unknown);
    unknown.sort();
    unknown
}

fn prune_value(schema: SchemaRef<'_>, value: &mut Value, path: &FieldPath, unknown: &mut Vec<FieldPath>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| match schema.entry(name) {
                Some(entry) => {
                    prune_value(entry, field, &path.field(name), unknown);
                    true
                }
                None if schema.preserves_unknown() => true,
                None if schema.kind().is_none() && !schema.is_int_or_string() => true,
                None => {
                    unknown.push(path.field(name));
                    false
                }
            });
        }
        Value::Array(list) => {
            if let Some(items) = schema.items() {
                for (index, item) in list.iter_mut().enumerate() {
                    prune_value(items, item, &path.index(index), unknown);
                }
            } else if !schema.preserves_unknown() && (schema.kind().is_some() || schema.is_int_or_string()) {
                list.iter_mut()
                    .enumerate()
                    .for_each(|(index, item)| prune_all(item, &path.index(index), unknown));
            }
        }
        _ => {}
    }
}

/// Removes all fields: what stands where no list should.
fn prune_all(value: &mut Value, path: &FieldPath, unknown: &mut Vec<FieldPath>) {
    match value {
        Value::Object(fields) => {
            unknown.extend(fields.keys().map(|name| path.field(name)));
            fields.clear();
        }
        Value::Array(list) => list
            .iter_mut()
            .enumerate()
            .for_each(|(index, item)| prune_all(item, &path.index(index), unknown)),
        _ => {}
    }
}
