//! The fields that a value mentions.

use serde_json::{Map, Value};

use super::{Element, FieldSet, Shape, item_element, shape};
use crate::schema::{Schema, SchemaRef};

/// Every leaf and every list item of `object`: what an applier of it owns.
pub fn of_value(schema: &Schema, object: &Value) -> FieldSet {
    parts_of(schema.root(), object).unwrap_or_default()
}

/// What is in `value`; none when it is a leaf.
fn parts_of(schema: SchemaRef<'_>, value: &Value) -> Option<FieldSet> {
    match shape(schema, value) {
        Shape::Leaf => None,
        Shape::List(items) => Some(items_of(schema, items)),
        Shape::Object(None) => Some(FieldSet::default()),
        Shape::Object(Some(fields)) => Some(fields_of(schema, fields)),
    }
}

fn fields_of(schema: SchemaRef<'_>, fields: &Map<String, Value>) -> FieldSet {
    let mut set = FieldSet::default();
    for (name, field) in fields {
        let Some(child) = schema.child(name) else { continue };
        let parts = parts_of(child, field);
        // What has no leaves, or is no declared field, exists only because somebody put it there.
        let is_hollow = field.is_null() || field.as_object().is_some_and(Map::is_empty);
        let is_member = parts.is_none() || is_hollow || schema.field(name).is_none();
        set.put(Element::field(name), is_member, parts.unwrap_or_default());
    }
    set
}

/// Items that occur twice are owned as one, without their fields.
fn items_of(schema: SchemaRef<'_>, items: &[Value]) -> FieldSet {
    let mut set = FieldSet::default();
    for item in items {
        let Ok(element) = item_element(schema, item) else {
            continue;
        };
        let is_repeated = set.has(&element);
        let parts = schema
            .items()
            .filter(|_| !is_repeated)
            .and_then(|items| parts_of(items, item));
        set.put(element, true, parts.unwrap_or_default());
    }
    set
}
