//! Places in a value, with what the schema says of them.

use outhaul_fake_kube_core::schema::SchemaRef;
use serde_json::Value;

/// A step into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Field(String),
    Item(usize),
}

/// A place, and its schema where one is known.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) path: Vec<Part>,
    pub(super) schema: Option<SchemaRef<'a>>,
}

/// All places below the root of `value`, outside in.
pub(super) fn places<'a>(schema: SchemaRef<'a>, value: &Value) -> Vec<Place<'a>> {
    let mut found = Vec::new();
    collect(Some(schema), value, &mut Vec::new(), &mut found);
    found
}

fn collect<'a>(
    schema: Option<SchemaRef<'a>>,
    value: &Value,
    path: &mut Vec<Part>,
    found: &mut Vec<Place<'a>>,
) {
    if !path.is_empty() {
        found.push(Place {
            path: path.clone(),
            schema,
        });
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                path.push(Part::Field(name.clone()));
                collect(schema.and_then(|schema| schema.entry(name)), field, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Part::Item(index));
                collect(schema.and_then(|schema| schema.items()), item, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// What is at a place.
pub(super) fn at<'v>(value: &'v mut Value, path: &[Part]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, part| match part {
        Part::Field(name) => value.get_mut(name),
        Part::Item(index) => value.get_mut(index),
    })
}

/// Takes out what is at a place.
pub(super) fn remove(value: &mut Value, path: &[Part]) -> Option<Value> {
    let (last, parent) = path.split_last()?;
    match (last, at(value, parent)?) {
        (Part::Field(name), Value::Object(fields)) => fields.remove(name),
        (Part::Item(index), Value::Array(items)) if *index < items.len() => Some(items.remove(*index)),
        _ => None,
    }
}

/// The name of the innermost field on a path.
pub(super) fn field_name(path: &[Part]) -> &str {
    let name = path.iter().rev().find_map(|part| match part {
        Part::Field(name) => Some(name.as_str()),
        Part::Item(_) => None,
    });
    name.unwrap_or_default()
}

/// As a JSON pointer.
pub(super) fn pointer(path: &[Part]) -> String {
    path.iter()
        .map(|part| match part {
            Part::Field(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            Part::Item(index) => format!("/{index}"),
        })
        .collect()
}
