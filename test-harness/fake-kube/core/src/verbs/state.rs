//! What a write may not change, and whether it changed anything.

use serde_json::Value;

use super::incoming;
use crate::kind::Served;
use crate::meta;

/// Which part of an object a write may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All but the status of kinds that have a status subresource.
    Main,
    /// The status only.
    Status,
    /// What [`Part::Main`] may, and of a namespace what holds it.
    Finalizers,
}

impl Part {
    pub(super) fn subresource(self) -> Option<&'static str> {
        match self {
            Self::Main => None,
            Self::Status => Some("status"),
            Self::Finalizers => Some("finalize"),
        }
    }
}

/// Puts back what this write may not change.
pub(super) fn restore(served: &Served, old: &Value, new: &mut Value, part: Part) {
    if part == Part::Status && served.kind.traits.metadata_by_status {
        let (metadata, status) = (new["metadata"].take(), new.get_mut("status").map(Value::take));
        *new = old.clone();
        new["metadata"] = metadata;
        set_or_remove(new, "status", status);
        restore_metadata(old, new, kept_by_status(served));
        return;
    }
    if part == Part::Status {
        let status = new.get_mut("status").map(Value::take);
        let managed = meta::remove(new, "managedFields");
        *new = old.clone();
        set_or_remove(new, "status", status);
        if let Some(managed) = managed {
            meta::set(new, "managedFields", managed);
        }
        return;
    }
    restore_metadata(old, new, &[]);
    if served.version().status {
        set_or_remove(new, "status", old.get("status").cloned());
    }
}

fn restore_metadata(old: &Value, new: &mut Value, more: &[&str]) {
    let fields = incoming::SERVER_OWNED.into_iter().chain(["name", "namespace"]);
    for field in fields.chain(more.iter().copied()) {
        match meta::metadata(old).and_then(|m| m.get(field)) {
            // A time of deletion never changes; how long it may take is asked to stay, if anything is said of it.
            Some(_) if field == "deletionGracePeriodSeconds" && says(new, field) => {}
            Some(value) => meta::set(new, field, value.clone()),
            None if incoming::DELETION.contains(&field) && says(new, field) => {}
            None => _ = meta::remove(new, field),
        }
    }
}

fn says(object: &Value, field: &str) -> bool {
    meta::metadata(object).is_some_and(|metadata| metadata.get(field).is_some_and(|value| !value.is_null()))
}

/// What of metadata a kind does not take through the status, though it takes metadata there.
pub(super) fn kept_by_status(served: &Served) -> &'static [&'static str] {
    match (&*served.kind.id.group, &*served.kind.name) {
        ("apps", "Deployment") => &["labels"],
        ("", "Pod") => &["ownerReferences"],
        _ => &[],
    }
}

fn set_or_remove(object: &mut Value, field: &str, value: Option<Value>) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    match value {
        Some(value) => _ = fields.insert(field.to_owned(), value),
        None => _ = fields.remove(field),
    }
}

/// Whether nothing but server bookkeeping differs.
pub(super) fn same(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
        return false;
    };
    let rest = |(name, _): &(&String, &Value)| *name != "metadata";
    let old_meta = old.get("metadata").and_then(Value::as_object);
    let new_meta = new.get("metadata").and_then(Value::as_object);
    let (Some(old_meta), Some(new_meta)) = (old_meta, new_meta) else {
        return false;
    };
    let plain = |(name, _): &(&String, &Value)| *name != "resourceVersion" && *name != "managedFields";
    old.iter().filter(rest).eq(new.iter().filter(rest))
        && old_meta.iter().filter(plain).eq(new_meta.iter().filter(plain))
        && timeless(old_meta.get("managedFields")).eq(timeless(new_meta.get("managedFields")))
}

/// Entries of managedFields without their times.
fn timeless(managed: Option<&Value>) -> impl Iterator<Item = Vec<(&String, &Value)>> {
    managed
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(|entry| entry.iter().filter(|(name, _)| *name != "time").collect())
}

/// A change of anything but metadata and status is a new generation.
pub(super) fn count_generation(served: &Served, old: &Value, new: &mut Value) {
    if !served.kind.traits.generation {
        return;
    }
    let with_status = !served.version().status;
    let counted = |(name, _): &(&String, &Value)| *name != "metadata" && (with_status || *name != "status");
    let (Some(before), Some(after)) = (old.as_object(), new.as_object()) else {
        return;
    };
    let is_annotated = is_deployment(served) && annotations(old).ne(annotations(new));
    if !is_annotated && before.iter().filter(counted).eq(after.iter().filter(counted)) {
        return;
    }
    bump_generation(new);
}

/// Of Deployments annotations count as well.
fn is_deployment(served: &Served) -> bool {
    served.kind.is("apps", "Deployment")
}

/// Without those that the controller writes through the status, where nothing counts.
fn annotations(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let all = meta::metadata(object).and_then(|metadata| metadata.get("annotations")?.as_object());
    all.into_iter()
        .flatten()
        .filter(|(name, _)| !name.starts_with("deployment.kubernetes.io/"))
}

/// The next generation.
pub(super) fn bump_generation(object: &mut Value) {
    let generation = meta::metadata(object)
        .and_then(|m| m.get("generation"))
        .and_then(Value::as_i64);
    meta::set(object, "generation", generation.unwrap_or(0) + 1);
}
