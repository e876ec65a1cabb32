//! The object that a writer starts from.

use serde_json::{Map, Value};

use super::reference::zero_value;
use super::{Schema, SchemaRef};

/// An object of this kind that nobody has written to yet.
///
/// The server holds built-in kinds as typed values, and some fields of those are there from the start: structs that
/// are no pointers, whatever is required, and zeroes that are always shown. A creation does not add them, it changes them; so its writer owns what
/// is in them, but not themselves.
pub(crate) fn zero_object(schema: &Schema) -> Value {
    let fields = if schema.root().is_typed() {
        zero_fields(schema.root())
    } else {
        Map::new()
    };
    Value::Object(fields)
}

fn zero_fields(schema: SchemaRef<'_>) -> Map<String, Value> {
    let zero = |(name, field): (&str, SchemaRef<'_>)| {
        let is_struct = field.default_value().is_some_and(Value::is_object);
        let is_shown = field.default_value() == Some(&zero_value(field.kind()));
        let value = if is_struct {
            Value::Object(zero_fields(field))
        } else if field.is_nullable() {
            Value::Null
        } else if is_shown || schema.requires(name) {
            zero_value(field.kind())
        } else {
            return None;
        };
        Some((name.to_owned(), value))
    };
    schema.fields().filter_map(zero).collect()
}
