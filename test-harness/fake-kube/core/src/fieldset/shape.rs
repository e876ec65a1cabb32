//! How ownership sees a value: as one thing, or as things with parts.

use serde_json::{Map, Value};

use crate::schema::{ListType, MapType, SchemaRef, Type};

/// A value as ownership sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape<'v> {
    /// Owned as a whole: scalars, atomic lists and atomic objects.
    Leaf,
    /// A list whose items are told apart. Null is a list without items.
    List(&'v [Value]),
    /// An object whose entries are owned one by one. Null is an object without entries.
    Object(Option<&'v Map<String, Value>>),
}

/// The shape of `value` where the schema is `schema`. A value of the wrong type is a leaf: whoever may not store
/// it has refused it before.
pub(crate) fn shape<'v>(schema: SchemaRef<'_>, value: &'v Value) -> Shape<'v> {
    match value {
        Value::Array(items) if is_associative(schema) => Shape::List(items),
        Value::Object(fields) if is_granular(schema) => Shape::Object(Some(fields)),
        Value::Null if schema.kind() == Some(Type::Array) && is_associative(schema) => Shape::List(&[]),
        Value::Null if takes_objects(schema) && is_granular(schema) => Shape::Object(None),
        _ => Shape::Leaf,
    }
}

/// Whether the items of a list with this schema are owned one by one.
pub(crate) fn is_associative(schema: SchemaRef<'_>) -> bool {
    schema.list_type() != ListType::Atomic
}

fn is_granular(schema: SchemaRef<'_>) -> bool {
    schema.map_type() == MapType::Granular
}

fn takes_objects(schema: SchemaRef<'_>) -> bool {
    match schema.kind() {
        Some(kind) => kind == Type::Object,
        None => !schema.is_int_or_string(),
    }
}
