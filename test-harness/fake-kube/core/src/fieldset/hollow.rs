//! What a server of typed objects holds of an object as it was sent, and does not read back.
//!
//! In Go a list without items and no list are two things to whoever compares whole lists, and so are two spellings of a
//! quantity. What is stored is the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Element, FieldSet, Shape, item_element, shape};
use crate::schema::{ListType, Schema, SchemaRef, is_forgotten, is_respelled, lacks_quantity};

/// Where an object as it was sent holds what nobody reads back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hollow {
    /// What is owned as a whole and holds such in the items of a list: it is another value than what is stored.
    pub leaves: FieldSet,
    /// Fields of the object that hold empty lists or maps anywhere.
    pub fields: BTreeSet<String>,
}

/// What is hollow in `object`, as it was sent.
pub fn hollow(schema: &Schema, object: &Value) -> Hollow {
    let root = schema.root();
    let mut walk = Walk {
        path: Vec::new(),
        leaves: FieldSet::default(),
    };
    let mut fields = BTreeSet::new();
    for (name, field) in object.as_object().into_iter().flatten() {
        let entry = root.field(name).filter(|_| root.is_typed());
        if entry.is_some_and(|entry| walk.entry(root, name, entry, field)) {
            fields.insert(name.clone());
        }
    }
    Hollow {
        leaves: walk.leaves,
        fields,
    }
}

struct Walk {
    path: Vec<Element>,
    leaves: FieldSet,
}

impl Walk {
    /// Whether this entry of an object is hollow, or anything in it.
    fn entry(&mut self, object: SchemaRef<'_>, name: &str, entry: SchemaRef<'_>, value: &Value) -> bool {
        // No bytes at all are other than none, where there is an entry for them, and no list is other than none where it
        // is shown as null.
        let is_other = match value {
            Value::Null => object.field(name).is_none() && entry.format() == Some("byte"),
            Value::Array(items) => items.is_empty() && is_shown_as_null(object, name, entry),
            _ => false,
        };
        if is_other {
            let path = [self.path.as_slice(), &[Element::field(name)]].concat();
            self.leaves.insert(&path);
        }
        is_forgotten(object, entry, name, value) || self.below(Element::field(name), entry, value)
    }

    /// Whether anything is hollow in here, where parts have owners of their own.
    fn parts(&mut self, schema: SchemaRef<'_>, value: &Value) -> bool {
        match shape(schema, value) {
            Shape::Object(fields) => {
                let mut is_hollow = false;
                for (name, field) in fields.into_iter().flatten() {
                    let entry = schema.entry(name);
                    is_hollow |= entry.is_some_and(|entry| self.entry(schema, name, entry, field));
                }
                is_hollow
            }
            Shape::List(items) => {
                let mut is_hollow = false;
                for item in items {
                    let below = schema.items().zip(item_element(schema, item).ok());
                    is_hollow |= below.is_some_and(|(entry, element)| self.below(element, entry, item));
                }
                is_hollow
            }
            Shape::Leaf => {
                if is_another(schema, value, false) {
                    self.leaves.insert(&self.path);
                }
                holds_empty(schema, value)
            }
        }
    }

    fn below(&mut self, element: Element, schema: SchemaRef<'_>, value: &Value) -> bool {
        self.path.push(element);
        let is_hollow = self.parts(schema, value);
        self.path.pop();
        is_hollow
    }
}

/// Whether no list is shown as null here, of one that is owned as a whole.
fn is_shown_as_null(object: SchemaRef<'_>, name: &str, list: SchemaRef<'_>) -> bool {
    list.list_type() == ListType::Atomic && object.rules().iter().any(|rule| rule.nullified() == Some(name))
}

fn holds_empty(schema: SchemaRef<'_>, value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, field)| {
            let entry = schema.entry(name);
            entry.is_some_and(|entry| is_forgotten(schema, entry, name, field) || holds_empty(entry, field))
        }),
        Value::Array(items) => {
            let entry = schema.items();
            entry.is_some_and(|entry| items.iter().any(|item| holds_empty(entry, item)))
        }
        _ => false,
    }
}

/// Whether this is another value to a server that compares lists as Go does.
fn is_another(schema: SchemaRef<'_>, value: &Value, is_in_list: bool) -> bool {
    match value {
        Value::Object(fields) => {
            let mut entries = fields
                .iter()
                .filter_map(|(name, field)| Some((name, field, schema.entry(name)?)));
            let is_another_entry = entries.any(|(name, field, entry)| {
                is_in_list && is_forgotten(schema, entry, name, field) || is_another(entry, field, is_in_list)
            });
            is_another_entry || is_in_list && lacks_quantity(schema, fields)
        }
        Value::Array(items) => {
            let entry = schema.items();
            entry.is_some_and(|entry| items.iter().any(|item| is_another(entry, item, true)))
        }
        scalar => is_in_list && is_respelled(schema, scalar),
    }
}
