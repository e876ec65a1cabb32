//! Which field manager owns which fields, and what a server-side apply makes of an object.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The way to a field: the names on it, each behind a [`MARK`].
type Way = String;

const MARK: char = '\0';

/// Applies `body` with force, as `manager`. Fields that it no longer names go, unless another manager has them.
pub(super) fn apply(object: &mut Value, manager: &str, body: &Value) {
    let wanted = leaves(body);
    let former = owned(object, manager, "Apply");
    let dropped: Vec<&Way> = former.difference(&wanted).collect();
    if !dropped.is_empty() {
        let others = others(object, manager);
        for way in dropped.into_iter().filter(|way| !others.contains(*way)) {
            remove(object, way);
        }
    }
    let changed: BTreeSet<Way> = wanted
        .iter()
        .filter(|way| at(object, way) != at(body, way))
        .cloned()
        .collect();
    disown(object, manager, &changed);
    for way in &changed {
        set(object, way, at(body, way).cloned().unwrap_or_default());
    }
    own(object, manager, "Apply", &wanted);
}

/// Notes who changed an object other than by apply.
pub(super) fn updated(before: &Value, after: &mut Value, manager: &str) {
    let (old, new) = (leaves(before), leaves(after));
    let changed = new.iter().filter(|way| at(before, way) != at(after, way));
    let gone = old.difference(&new);
    let changed: BTreeSet<Way> = changed.cloned().collect();
    let touched = changed.iter().chain(gone).cloned().collect();
    disown(after, "", &touched);
    let mut mine = owned(after, manager, "Update");
    mine.extend(changed);
    own(after, manager, "Update", &mine);
}

/// The fields of an object that somebody can own.
fn leaves(object: &Value) -> BTreeSet<Way> {
    let mut found = BTreeSet::new();
    for (name, field) in object.as_object().into_iter().flatten() {
        match name.as_str() {
            "apiVersion" | "kind" | "status" => {}
            "metadata" => {
                for name in ["labels", "annotations"] {
                    if let Some(field) = field.get(name) {
                        collect(field, &mut format!("{MARK}metadata{MARK}{name}"), &mut found);
                    }
                }
            }
            _ => collect(field, &mut format!("{MARK}{name}"), &mut found),
        }
    }
    found
}

fn collect(value: &Value, way: &mut Way, found: &mut BTreeSet<Way>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let length = way.len();
                way.push(MARK);
                way.push_str(name);
                collect(field, way, found);
                way.truncate(length);
            }
        }
        _ => {
            found.insert(way.clone());
        }
    }
}

fn names(way: &str) -> impl Iterator<Item = &str> {
    way.split(MARK).skip(1)
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
    let Some(list) = object["metadata"]["managedFields"].as_array_mut() else {
        return;
    };
    for entry in list.iter_mut().filter(|entry| !is(entry, spared, "Apply")) {
        for way in fields {
            let names: Vec<&str> = names(way).collect();
            take_out(&mut entry["fieldsV1"], &names);
        }
    }
    list.retain(|entry| {
        entry["fieldsV1"]
            .as_object()
            .is_some_and(|fields| !fields.is_empty())
    });
}

/// Takes one field out of a tree of fields, and what is empty because of that.
fn take_out(tree: &mut Value, way: &[&str]) {
    let ([first, rest @ ..], Value::Object(fields)) = (way, tree) else {
        return;
    };
    let name = format!("f:{first}");
    let Some(field) = fields.get_mut(&name) else {
        return;
    };
    let was_leaf = is_leaf(field);
    take_out(field, rest);
    if is_leaf(field) && was_leaf == rest.is_empty() {
        fields.remove(&name);
    }
}

fn is_leaf(tree: &Value) -> bool {
    tree.as_object().is_none_or(Map::is_empty)
}

fn own(object: &mut Value, manager: &str, operation: &str, fields: &BTreeSet<Way>) {
    let managed = object["metadata"]["managedFields"].take();
    let mut list = match managed {
        Value::Array(list) => list,
        _ => Vec::new(),
    };
    list.retain(|entry| !is(entry, manager, operation));
    if !fields.is_empty() {
        list.push(json!({"manager": manager, "operation": operation, "fieldsV1": tree(fields)}));
    }
    list.sort_by(|one, other| who(one).cmp(&who(other)));
    object["metadata"]["managedFields"] = list.into();
}

fn who(entry: &Value) -> (Option<&str>, Option<&str>) {
    (entry["operation"].as_str(), entry["manager"].as_str())
}

fn tree(fields: &BTreeSet<Way>) -> Value {
    let mut root = json!({});
    for way in fields {
        let mut here = &mut root;
        for name in names(way) {
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
    collect_ways(tree, &mut Way::new(), &mut found);
    found
}

fn collect_ways(tree: &Value, way: &mut Way, found: &mut BTreeSet<Way>) {
    for (name, field) in tree.as_object().into_iter().flatten() {
        let length = way.len();
        way.push(MARK);
        way.push_str(name.strip_prefix("f:").unwrap_or(name));
        if is_leaf(field) {
            found.insert(way.clone());
        } else {
            collect_ways(field, way, found);
        }
        way.truncate(length);
    }
}

fn at<'a>(object: &'a Value, way: &str) -> Option<&'a Value> {
    names(way).try_fold(object, |value, name| value.get(name))
}

fn set(object: &mut Value, way: &str, value: Value) {
    let mut here = object;
    for name in names(way) {
        if !here.is_object() {
            *here = json!({});
        }
        here = &mut here[name];
    }
    *here = value;
}

/// Removes a field, and what is empty because of that.
fn remove(object: &mut Value, way: &str) {
    let Some((parents, last)) = way.rsplit_once(MARK) else {
        return;
    };
    let parent = names(parents).try_fold(&mut *object, |value, name| value.get_mut(name));
    let Some(Value::Object(fields)) = parent else {
        return;
    };
    fields.remove(last);
    if fields.is_empty() && names(parents).count() > 1 {
        remove(object, parents);
    }
}

/// An object without anything.
pub(super) fn empty() -> Value {
    Value::Object(Map::new())
}
