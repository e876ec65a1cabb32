//! Merging a config into an object. Nothing is removed here.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::fieldset::{Element, Shape, item_element, shape};
use crate::schema::SchemaRef;

/// `live` with everything of `config` in it. Where both say something of the same leaf, the config wins.
pub(super) fn merge(schema: SchemaRef<'_>, live: &Value, config: &Value) -> Value {
    match (shape(schema, live), shape(schema, config)) {
        (Shape::Object(live), Shape::Object(Some(config))) if !config.is_empty() => {
            Value::Object(merge_objects(schema, live, config))
        }
        // An empty config adds no entries and takes none away.
        (Shape::Object(Some(entries)), Shape::Object(_)) if !entries.is_empty() => live.clone(),
        (Shape::List(items), Shape::List(config)) if !(items.is_empty() && config.is_empty()) => {
            Value::Array(merge_lists(schema, items, config))
        }
        _ => config.clone(),
    }
}

fn merge_objects(
    schema: SchemaRef<'_>,
    live: Option<&Map<String, Value>>,
    config: &Map<String, Value>,
) -> Map<String, Value> {
    let mut merged = live.cloned().unwrap_or_default();
    for (name, ours) in config {
        let merged_entry = match (schema.child(name), merged.get(name)) {
            (Some(child), Some(theirs)) => merge(child, theirs, ours),
            _ => ours.clone(),
        };
        merged.insert(name.clone(), merged_entry);
    }
    merged
}

/// Items in the order of the config, with those of the live list that the config does not name in between, where
/// they were relative to the items that both have.
fn merge_lists(schema: SchemaRef<'_>, live: &[Value], config: &[Value]) -> Vec<Value> {
    let live = Indexed::new(schema, live);
    let config = Indexed::new(schema, config);
    let mut shared = config.elements.iter().filter(|element| live.contains(element));
    let mut next_shared = shared.next();
    let mut taken = BTreeSet::new();
    let mut merged = Vec::new();
    let (mut at_live, mut at_config) = (0, 0);
    while at_live < live.len() || at_config < config.len() {
        let theirs = live.elements.get(at_live);
        let ours = config.elements.get(at_config);
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            if theirs == ours {
                merged.push(merge_item(schema, &live, &config, ours));
                taken.insert(ours);
                next_shared = shared.next();
                (at_live, at_config) = (at_live + 1, at_config + 1);
                continue;
            }
            if config.contains(theirs) && next_shared.is_some_and(|next| next != theirs) {
                // It has its turn when the config names it.
                at_live += 1;
                continue;
            }
        }
        if let Some(theirs) = theirs {
            if !config.contains(theirs) {
                merged.push(live.items[at_live].clone());
                at_live += 1;
                continue;
            }
            if taken.contains(theirs) {
                at_live += 1;
            }
        }
        if let Some(ours) = ours {
            merged.push(merge_item(schema, &live, &config, ours));
            taken.insert(ours);
            if next_shared == Some(ours) {
                next_shared = shared.next();
            }
            at_config += 1;
        }
    }
    merged
}

fn merge_item(schema: SchemaRef<'_>, live: &Indexed<'_>, config: &Indexed<'_>, element: &Element) -> Value {
    let ours = config.find(element).cloned().unwrap_or_default();
    match (schema.items(), live.find(element)) {
        (Some(items), Some(theirs)) => merge(items, theirs, &ours),
        _ => ours,
    }
}

/// A list with the steps to its items.
struct Indexed<'v> {
    items: Vec<&'v Value>,
    elements: Vec<Element>,
}

impl<'v> Indexed<'v> {
    fn new(schema: SchemaRef<'_>, items: &'v [Value]) -> Self {
        let indexed = items
            .iter()
            .filter_map(|item| Some((item, item_element(schema, item).ok()?)));
        let (items, elements) = indexed.unzip();
        Self { items, elements }
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn contains(&self, element: &Element) -> bool {
        self.elements.contains(element)
    }

    /// The item, if it occurs once: duplicates have nothing to merge with.
    fn find(&self, element: &Element) -> Option<&'v Value> {
        let mut found = self
            .items
            .iter()
            .zip(&self.elements)
            .filter(|(_, each)| *each == element);
        let (item, _) = found.next()?;
        found.next().is_none().then_some(*item)
    }
}
