//! Patches of the three kinds, from the object that is there and one that might be.

use outhaul_fake_kube_core::kind::Kind;
use serde_json::{Map, Value, json};

use super::mutate::is_free;
use super::{hints, walk};
use crate::dice::Dice;

/// A merge patch that leads from somewhere near `from` to somewhere near `to`.
pub fn merge_patch(from: &Value, to: &Value, dice: &mut Dice) -> Value {
    let mut patch = part_of(to, dice, 0);
    forget(&mut patch, from, dice);
    patch
}

/// The same for a strategic merge patch: lists are merged, so directives say what goes.
pub fn strategic_patch(kind: &Kind, from: &Value, to: &Value, dice: &mut Dice) -> Value {
    let mut patch = merge_patch(from, to, dice);
    if dice.chance(40) {
        direct(kind, &mut patch, from, dice);
    }
    patch
}

/// Some of the fields; lists whole.
fn part_of(value: &Value, dice: &mut Dice, depth: usize) -> Value {
    let Value::Object(fields) = value else {
        return value.clone();
    };
    let kept = if depth == 0 { 70 } else { 50 };
    let mut part = Map::new();
    for (name, field) in fields {
        let is_identity = depth == 0 && matches!(name.as_str(), "apiVersion" | "kind")
            || depth == 1 && matches!(name.as_str(), "name" | "namespace");
        if !is_identity && dice.chance(kept) {
            part.insert(name.clone(), part_of(field, dice, depth + 1));
        }
    }
    Value::Object(part)
}

/// Sets null what is there, here and there.
fn forget(patch: &mut Value, from: &Value, dice: &mut Dice) {
    let Value::Object(fields) = from else { return };
    let Some(patch) = patch.as_object_mut() else {
        return;
    };
    for (name, field) in fields {
        match patch.get_mut(name) {
            Some(inner) => forget(inner, field, dice),
            None if dice.chance(6)
                && !matches!(
                    name.as_str(),
                    "apiVersion" | "kind" | "metadata" | "name" | "namespace"
                ) =>
            {
                patch.insert(name.clone(), Value::Null);
            }
            None => {}
        }
    }
}

/// Adds a directive of the strategic kind somewhere.
fn direct(kind: &Kind, patch: &mut Value, from: &Value, dice: &mut Dice) {
    let schema = kind.versions[0].schema.root();
    let lists: Vec<_> = walk::places(schema, &kind.name, from)
        .into_iter()
        .filter(|place| {
            is_free(&place.path) && place.path.iter().all(|part| matches!(part, walk::Part::Field(_)))
        })
        .collect();
    if lists.is_empty() {
        return;
    }
    let place = dice.pick(&lists).clone();
    let mut source = from.clone();
    let Some(live) = walk::at(&mut source, &place.path).cloned() else {
        return;
    };
    let name = walk::field_name(&place.path).to_owned();
    let Some(parent) = open(patch, &place.path[..place.path.len() - 1]) else {
        return;
    };
    match live {
        Value::Array(items) if items.iter().all(Value::is_object) && !items.is_empty() => {
            let mut gone = dice.pick(&items).clone();
            gone["$patch"] = dice.pick(&["delete", "replace"]).to_string().into();
            parent.insert(name, json!([gone]));
        }
        Value::Array(items) if !items.is_empty() => {
            let gone = dice.pick(&items).clone();
            let directive = dice
                .pick(&["$deleteFromPrimitiveList", "$setElementOrder"])
                .to_string();
            if directive == "$deleteFromPrimitiveList" {
                // Beside a new list, the order of a Go map decides which of the two comes first.
                parent.remove(&name);
            }
            parent.insert(format!("{directive}/{name}"), json!([gone]));
        }
        Value::Object(_) => {
            let directive = dice.pick(&["replace", "delete", "merge"]).to_string();
            parent.insert(name, json!({"$patch": directive, "a": "b"}));
        }
        _ => {}
    }
}

fn open<'v>(value: &'v mut Value, path: &[walk::Part]) -> Option<&'v mut Map<String, Value>> {
    let mut value = value;
    for part in path {
        let walk::Part::Field(name) = part else {
            return None;
        };
        value = value
            .as_object_mut()?
            .entry(name.clone())
            .or_insert_with(|| json!({}));
    }
    value.as_object_mut()
}

/// A JSON patch of the object `from`, with values of `to` where they fit.
pub fn json_patch(kind: &Kind, from: &Value, to: &Value, dice: &mut Dice) -> Value {
    let schema = kind.versions[0].schema.root();
    let mut targets: Vec<String> = Vec::new();
    let mut sources: Vec<(String, Value)> = Vec::new();
    for (object, is_target) in [(from, true), (to, false)] {
        let mut object = object.clone();
        for place in walk::places(schema, &kind.name, &object.clone()) {
            if !is_free(&place.path) {
                continue;
            }
            let pointer = walk::pointer(&place.path);
            if is_target {
                targets.push(pointer);
            } else if let Some(value) = walk::at(&mut object, &place.path) {
                sources.push((pointer, value.clone()));
            }
        }
    }
    let count = 1 + dice.below(3);
    let operations = (0..count).filter_map(|_| operation(&targets, &sources, dice));
    Value::Array(operations.collect())
}

fn operation(targets: &[String], sources: &[(String, Value)], dice: &mut Dice) -> Option<Value> {
    if sources.is_empty() {
        return None;
    }
    let (path, value) = dice.pick(sources).clone();
    let value = if dice.chance(5) {
        dice.pick(&hints::oddities()).clone()
    } else {
        value
    };
    if targets.is_empty() || dice.chance(40) {
        return Some(json!({"op": "add", "path": path, "value": value}));
    }
    let target = dice.pick(targets).clone();
    Some(match dice.below(12) {
        0..=3 => json!({"op": "replace", "path": target, "value": value}),
        4..=7 => json!({"op": "remove", "path": target}),
        8 => json!({"op": "test", "path": target, "value": without_listed_nulls(value)}),
        9 => json!({"op": "copy", "from": target, "path": path}),
        // Nothing moves into itself.
        10 if !path.starts_with(&target) => json!({"op": "move", "from": target, "path": path}),
        _ => json!({"op": "add", "path": format!("{target}/-"), "value": value}),
    })
}

/// The real server panics where a test finds a null in a list.
fn without_listed_nulls(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let items = items.into_iter().filter(|item| !item.is_null());
            items.map(without_listed_nulls).collect()
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(
                fields
                    .map(|(name, field)| (name, without_listed_nulls(field)))
                    .collect(),
            )
        }
        scalar => scalar,
    }
}
