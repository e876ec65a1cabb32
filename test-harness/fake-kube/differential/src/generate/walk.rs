//! Places in a value, with what the schema says of them.

use outhaul_fake_kube_core::schema::SchemaRef;
use serde_json::Value;

use super::definition;

/// A step into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Field(String),
    Item(usize),
}

/// A place, its schema where one is known, and the name of the definition and of the field that hints know it by.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) path: Vec<Part>,
    pub(super) schema: Option<SchemaRef<'a>>,
    pub(super) owner: String,
    pub(super) field: String,
}

/// All places below the root of `value`, an object of the kind `kind`, outside in.
pub(super) fn places<'a>(schema: SchemaRef<'a>, kind: &str, value: &Value) -> Vec<Place<'a>> {
    let mut found = Vec::new();
    let root = Place {
        path: Vec::new(),
        schema: Some(schema),
        owner: kind.to_owned(),
        field: kind.to_owned(),
    };
    collect(&root, value, &mut found);
    found
}

fn collect<'a>(place: &Place<'a>, value: &Value, found: &mut Vec<Place<'a>>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                visit(place.entry(name), field, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(place.item(index), item, found);
            }
        }
        _ => {}
    }
}

fn visit<'a>(place: Place<'a>, value: &Value, found: &mut Vec<Place<'a>>) {
    found.push(place.clone());
    collect(&place, value, found);
}

impl<'a> Place<'a> {
    fn entry(&self, name: &str) -> Self {
        let own = self.schema.map_or("", |schema| definition(schema, &self.field));
        let is_field = self.schema.is_some_and(|schema| schema.field(name).is_some());
        let (owner, field) = match own {
            // Entries of a map are known as the map is.
            _ if !is_field => (self.owner.as_str(), self.field.as_str()),
            "metadata" => ("ObjectMeta", name),
            own => (own, name),
        };
        Self {
            path: [self.path.as_slice(), &[Part::Field(name.to_owned())]].concat(),
            schema: self.schema.and_then(|schema| schema.entry(name)),
            owner: owner.to_owned(),
            field: field.to_owned(),
        }
    }

    fn item(&self, index: usize) -> Self {
        Self {
            path: [self.path.as_slice(), &[Part::Item(index)]].concat(),
            schema: self.schema.and_then(|schema| schema.items()),
            ..self.clone()
        }
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
