//! What changed from one object to another, in fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Element, FieldSet, Shape, item_element, shape};
use crate::schema::{Schema, SchemaRef};

/// The fields that differ between two objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the first only.
    pub removed: FieldSet,
    /// In both, with other values.
    pub modified: FieldSet,
    /// In the second only.
    pub added: FieldSet,
}

impl Comparison {
    /// Without everything below the paths of `ignored`.
    #[must_use]
    pub fn without(&self, ignored: &FieldSet) -> Self {
        Self {
            removed: self.removed.difference_below(ignored),
            modified: self.modified.difference_below(ignored),
            added: self.added.difference_below(ignored),
        }
    }
}

/// What changed from `old` to `new`.
pub fn compare(schema: &Schema, old: &Value, new: &Value) -> Comparison {
    let mut walk = Walk {
        path: Vec::new(),
        found: Comparison::default(),
    };
    walk.compare(schema.root(), Some(old), Some(new));
    walk.found
}

struct Walk {
    path: Vec<Element>,
    found: Comparison,
}

impl Walk {
    fn compare(&mut self, schema: SchemaRef<'_>, old: Option<&Value>, new: Option<&Value>) {
        if old == new {
            return;
        }
        let has_parts = match (
            old.map(|old| shape(schema, old)),
            new.map(|new| shape(schema, new)),
        ) {
            (Some(Shape::List(old)), Some(Shape::List(new))) => self.lists(schema, old, new),
            (Some(Shape::List(old)), None) => self.lists(schema, old, &[]),
            (None, Some(Shape::List(new))) => self.lists(schema, &[], new),
            (Some(Shape::Object(old)), Some(Shape::Object(new))) => self.objects(schema, old, new),
            (Some(Shape::Object(old)), None) => self.objects(schema, old, None),
            (None, Some(Shape::Object(new))) => self.objects(schema, None, new),
            // Where any type goes, a value may change its shape: it is another value, and its parts come or go.
            (Some(Shape::Object(parts)), Some(_)) => {
                self.objects(schema, parts, None);
                false
            }
            (Some(_), Some(Shape::Object(parts))) => {
                self.objects(schema, None, parts);
                false
            }
            _ => false,
        };
        match (old, new) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (Some(_), Some(_)) if !has_parts => self.found.modified.insert(&self.path),
            _ => {}
        }
    }

    /// False when there are no entries to compare, and only the objects themselves can differ.
    fn objects(
        &mut self,
        schema: SchemaRef<'_>,
        old: Option<&Map<String, Value>>,
        new: Option<&Map<String, Value>>,
    ) -> bool {
        let names: BTreeSet<&String> = old.into_iter().chain(new).flat_map(Map::keys).collect();
        for name in &names {
            if let Some(child) = schema.child(name) {
                let old = old.and_then(|fields| fields.get(*name));
                let new = new.and_then(|fields| fields.get(*name));
                self.descend(Element::field(name), child, old, new);
            }
        }
        !names.is_empty()
    }

    fn lists(&mut self, schema: SchemaRef<'_>, old: &[Value], new: &[Value]) -> bool {
        let Some(item_schema) = schema.items() else {
            return false;
        };
        let (old_items, new_items) = (by_element(schema, old), by_element(schema, new));
        let elements: BTreeSet<&Element> = old_items.keys().chain(new_items.keys()).collect();
        for element in elements {
            let old = old_items.get(element).map_or(&[][..], Vec::as_slice);
            let new = new_items.get(element).map_or(&[][..], Vec::as_slice);
            self.items(element.clone(), item_schema, old, new);
        }
        !(old.is_empty() && new.is_empty())
    }

    /// An item that occurs several times is one value; it has no fields.
    fn items(&mut self, element: Element, schema: SchemaRef<'_>, old: &[&Value], new: &[&Value]) {
        let whole = |path: &[Element]| [path, std::slice::from_ref(&element)].concat();
        match (old, new) {
            ([], [_]) | ([_], []) | ([_], [_]) => {
                self.descend(element, schema, old.first().copied(), new.first().copied());
            }
            ([_, _, ..], [_, _, ..]) => {
                if old != new {
                    self.found.modified.insert(&whole(&self.path));
                }
            }
            ([_, _, ..], _) => {
                self.found.removed.insert(&whole(&self.path));
                if let [new] = new {
                    self.descend(element, schema, None, Some(new));
                }
            }
            (_, _) => {
                self.found.added.insert(&whole(&self.path));
                if let [old] = old {
                    self.descend(element, schema, Some(old), None);
                }
            }
        }
    }

    fn descend(&mut self, element: Element, schema: SchemaRef<'_>, old: Option<&Value>, new: Option<&Value>) {
        self.path.push(element);
        self.compare(schema, old, new);
        self.path.pop();
    }
}

fn by_element<'v>(schema: SchemaRef<'_>, items: &'v [Value]) -> BTreeMap<Element, Vec<&'v Value>> {
    let mut found: BTreeMap<Element, Vec<&Value>> = BTreeMap::new();
    for item in items {
        if let Ok(element) = item_element(schema, item) {
            found.entry(element).or_default().push(item);
        }
    }
    found
}
