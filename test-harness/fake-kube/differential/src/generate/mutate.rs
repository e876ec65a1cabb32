//! Small changes of an object: those that a writer makes, and those that only a broken one would.

use outhaul_fake_kube_core::kind::Kind;
use serde_json::Value;

use super::walk::{self, Part, Place};
use super::{hints, named};
use crate::dice::Dice;

#[derive(Clone, Copy)]
enum Change {
    Drop,
    Renew,
    Add,
    Duplicate,
    Reorder,
    Spoil,
    Unknown,
}

/// Changes an object somewhere below `spec`, `data` or `metadata`. Now and then the change is one that no schema allows.
pub fn mutate(kind: &Kind, object: &mut Value, dice: &mut Dice) {
    let root = kind.versions[0].schema.root();
    let places: Vec<Place<'_>> = walk::places(root, &kind.name, object)
        .into_iter()
        .filter(|place| is_free(&place.path))
        .collect();
    if places.is_empty() {
        return;
    }
    let place = dice.pick(&places).clone();
    let change = dice.weighted(&[
        (25, Change::Drop),
        (30, Change::Renew),
        (25, Change::Add),
        (5, Change::Duplicate),
        (8, Change::Reorder),
        (5, Change::Spoil),
        (2, Change::Unknown),
    ]);
    carry_out(change, object, &place, dice);
}

/// Whether a place may change: not the identity of the object.
pub(super) fn is_free(path: &[Part]) -> bool {
    let field = |at: usize| match path.get(at) {
        Some(Part::Field(name)) => name.as_str(),
        _ => "",
    };
    match field(0) {
        "apiVersion" | "kind" | "status" => false,
        "metadata" => {
            matches!(
                field(1),
                "labels" | "annotations" | "finalizers" | "ownerReferences"
            ) && !field(2).starts_with("deprecated.")
        }
        // What addresses there are is the cluster's affair.
        _ => !matches!(
            field(1),
            "clusterIP" | "clusterIPs" | "ipFamilies" | "ipFamilyPolicy"
        ),
    }
}

fn carry_out(change: Change, object: &mut Value, place: &Place<'_>, dice: &mut Dice) {
    let Some(slot) = walk::at(object, &place.path) else {
        return;
    };
    match (change, slot) {
        (Change::Drop, _) => _ = walk::remove(object, &place.path),
        (Change::Renew, slot) => renew(slot, place, dice),
        (Change::Add, slot) => add(slot, place, dice),
        (Change::Duplicate, Value::Array(items)) if !items.is_empty() => {
            let copy = dice.pick(items).clone();
            items.push(copy);
        }
        (Change::Reorder, Value::Array(items)) => items.reverse(),
        (Change::Spoil, slot) => *slot = dice.pick(&hints::oddities()).clone(),
        (Change::Unknown, Value::Object(fields)) => {
            _ = fields.insert("unheardOf".to_owned(), dice.pick(&hints::oddities()).clone());
        }
        (_, slot) => renew(slot, place, dice),
    }
}

fn renew(slot: &mut Value, place: &Place<'_>, dice: &mut Dice) {
    if let Some(schema) = place.schema {
        *slot = named(schema, &place.owner, &place.field, dice, place.path.len().min(5));
    } else {
        *slot = dice.pick(&hints::words()).clone();
    }
}

/// Adds what is generated anew and not there yet.
fn add(slot: &mut Value, place: &Place<'_>, dice: &mut Dice) {
    let Some(schema) = place.schema else { return };
    let fresh = named(schema, &place.owner, &place.field, dice, 1);
    match (slot, fresh) {
        (Value::Object(fields), Value::Object(fresh)) => {
            for (name, value) in fresh {
                fields.entry(name).or_insert(value);
            }
        }
        (Value::Array(items), Value::Array(fresh)) => items.extend(fresh.into_iter().take(1)),
        (slot, fresh) => *slot = fresh,
    }
}
