//! Which field manager owns which fields, and what a server-side apply makes of an object.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The way to a field.
type Way = Vec<String>;

/// Applies `body` with force, as `manager`. Fields that it no longer names go, unless another manager has them.
pub(super) fn apply(object: &mut Value, manager: &str, body: &Value) {
    let wanted = leaves(body);
    let former = owned(object, manager, "Apply");
    let others = others(object, manager);
    for way in former.difference(&wanted).filter(|way| !others.contains(*way)) {
        remove(object, way);
    }
    let changed: BTreeSet<Way> = wanted
        .iter()
        .filter(|way| at(object, way) != at(body, way))
        .cloned()
        .collect();
    disown(object, manager, &changed);
    for way in &wanted {
        set(object, way, at(body, way).cloned().unwrap_or_default());
    }
    own(object, manager, "Apply", &wanted);
}

/// Notes who changed an object other than by apply.
pub(super) fn updated(before: &Value, after: &mut Value, manager: &str) {
    let (old, new) = (leaves(before), leaves(after));
    let changed: BTreeSet<Way> = new
        .iter()
        .filter(|way| at(before, way) != at(after, way))
        .cloned()
        .collect();
    let gone: BTreeSet<Way> = old.difference(&new).cloned().collect();
    disown(after, "", &changed.union(&gone).cloned().collect());
    let mut mine = owned(after, manager, "Update");
    mine.extend(changed);
    own(after, manager, "Update", &mine);
}

/// The fields of an object that somebody can own.
fn leaves(object: &Value) -> BTreeSet<Way> {
    let mut found = BTreeSet::new();
    collect(object, &mut Vec::new(), &mut found);
    found.retain(|way| !is_systems(way));
    found
}

fn collect(value: &Value, way: &mut Way, found: &mut BTreeSet<Way>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                way.push(name.clone());
                collect(field, way, found);
                way.pop();
            }
        }
        _ => {
            found.insert(way.clone());
        }
    }
}

/// What nobody owns: it is the object's name, or the server's.
fn is_systems(way: &Way) -> bool {
    let way: Vec<&str> = way.iter().map(String::as_str).collect();
    matches!(way.as_slice(), ["apiVersion" | "kind" | "status", ..])
        || matches!(way.as_slice(), ["metadata", field, ..] if *field != "labels" && *field != "annotations")
        || way.is_empty()
        || way == ["metadata"]
}

fn entries(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
}

fn is(entry: &Value, manager: &str, operation: &str) -> bool {
    entry["manager"] == manager && entry["operation"] == operation
}

fn owned(object: &Value, manager: &str, operation: &str) -> BTreeSet<Way> {
    let entry = entries(object).find(|entry| is(entry, manager, operation));
    entry.map(|entry| ways(&entry["fieldsV1"])).unwrap_or_default()
}

fn others(object: &Value, manager: &str) -> BTreeSet<Way> {
    let entries = entries(object).filter(|entry| !is(entry, manager, "Apply"));
    entries.flat_map(|entry| ways(&entry["fieldsV1"])).collect()
}

/// Takes fields from every manager but the applying `spared`.
fn disown(object: &mut Value, spared: &str, fields: &BTreeSet<Way>) {
    let kept: Vec<(String, String, BTreeSet<Way>)> = entries(object)
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            let mut ways = ways(&entry["fieldsV1"]);
            if !is(entry, spared, "Apply") {
                ways.retain(|way| !fields.contains(way));
            }
            (text("manager"), text("operation"), ways)
        })
        .collect();
    for (manager, operation, ways) in kept {
        own(object, &manager, &operation, &ways);
    }
}

fn own(object: &mut Value, manager: &str, operation: &str, fields: &BTreeSet<Way>) {
    let mut list: Vec<Value> = entries(object)
        .filter(|entry| !is(entry, manager, operation))
        .cloned()
        .collect();
    if !fields.is_empty() {
        list.push(json!({"manager": manager, "operation": operation, "fieldsV1": tree(fields)}));
    }
    list.sort_by_key(|entry| (entry["operation"].to_string(), entry["manager"].to_string()));
    object["metadata"]["managedFields"] = list.into();
}

fn tree(fields: &BTreeSet<Way>) -> Value {
    let mut root = json!({});
    for way in fields {
        let mut here = &mut root;
        for name in way {
            here = &mut here[format!("f:{name}")];
            if here.is_null() {
                *here = json!({});
            }
        }
    }
    root
}

fn ways(tree: &Value) -> BTreeSet<Way> {
    let mut found = BTreeSet::new();
    collect(tree, &mut Vec::new(), &mut found);
    let plain = |name: String| name.strip_prefix("f:").map(str::to_owned).unwrap_or(name);
    found
        .into_iter()
        .filter(|way| !way.is_empty())
        .map(|way| way.into_iter().map(plain).collect())
        .collect()
}

fn at<'a>(object: &'a Value, way: &[String]) -> Option<&'a Value> {
    way.iter().try_fold(object, |value, name| value.get(name))
}

fn set(object: &mut Value, way: &[String], value: Value) {
    let mut here = object;
    for name in way {
        if !here.is_object() {
            *here = json!({});
        }
        here = &mut here[name.as_str()];
    }
    *here = value;
}

/// Removes a field, and what is empty because of that.
fn remove(object: &mut Value, way: &[String]) {
    let Some((last, parents)) = way.split_last() else {
        return;
    };
    let parent = parents
        .iter()
        .try_fold(&mut *object, |value, name| value.get_mut(name));
    let Some(Value::Object(fields)) = parent else {
        return;
    };
    fields.remove(last);
    if fields.is_empty() && parents.len() > 1 {
        remove(object, parents);
    }
}

/// An object without anything.
pub(super) fn empty() -> Value {
    Value::Object(Map::new())
}
