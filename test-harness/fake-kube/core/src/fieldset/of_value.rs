//! The fields that a value mentions.

use serde_json::Value;

use super::{Element, FieldSet, Shape, item_element, shape};
use crate::schema::{Schema, SchemaRef};

/// Every leaf and every list item of `object`: what an applier of it owns.
pub fn of_value(schema: &Schema, object: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(schema.root(), object, &mut Vec::new(), &mut set);
    set
}

fn collect(schema: SchemaRef<'_>, value: &Value, path: &mut Vec<Element>, set: &mut FieldSet) {
    match shape(schema, value) {
        Shape::Leaf => set.insert(path),
        Shape::List(items) => collect_items(schema, items, path, set),
        Shape::Object(None) => {}
        Shape::Object(Some(fields)) => {
            for (name, field) in fields {
                let Some(child) = schema.child(name) else { continue };
                path.push(Element::field(name));
                collect(child, field, path, set);
                // What has no leaves, or is no declared field, exists only because somebody put it there.
                let is_hollow = field.is_null() || field.as_object().is_some_and(serde_json::Map::is_empty);
                if is_hollow || schema.field(name).is_none() {
                    set.insert(path);
                }
                path.pop();
            }
        }
    }
}

/// Items that occur twice are owned as one, without their fields.
fn collect_items(schema: SchemaRef<'_>, items: &[Value], path: &mut Vec<Element>, set: &mut FieldSet) {
    let elements: Vec<Option<Element>> = items.iter().map(|item| item_element(schema, item).ok()).collect();
    for (item, element) in items.iter().zip(&elements) {
        let (Some(element), Some(item_schema)) = (element, schema.items()) else {
            continue;
        };
        let is_unique = elements
            .iter()
            .filter(|other| other.as_ref() == Some(element))
            .count()
            == 1;
        path.push(element.clone());
        if is_unique {
            collect(item_schema, item, path, set);
        }
        set.insert(path);
        path.pop();
    }
}
