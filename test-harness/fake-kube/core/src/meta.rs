//! Reading and writing `metadata` of an object held as JSON.

use serde_json::{Map, Value};

/// The object's metadata, if it has any.
pub fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.as_object()
}

/// The object's metadata, made if absent.
pub fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let slot = &mut object["metadata"];
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("made an object above")
}

/// A text field of metadata, empty when absent.
pub fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    metadata(object)
        .and_then(|m| m.get(field))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The object's name.
pub fn name(object: &Value) -> &str {
    text(object, "name")
}

/// The object's namespace, empty for cluster-scoped ones.
pub fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

/// The object's uid.
pub fn uid(object: &Value) -> &str {
    text(object, "uid")
}

/// Sets one field of metadata.
pub fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    metadata_mut(object).insert(field.to_owned(), value.into());
}

/// Takes one field of metadata out.
pub fn remove(object: &mut Value, field: &str) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.remove(field)
}

/// Whether deletion of the object has begun.
pub fn is_terminating(object: &Value) -> bool {
    metadata(object).is_some_and(|m| m.contains_key("deletionTimestamp"))
}

/// The finalizers that hold the object.
pub fn finalizers(object: &Value) -> Vec<&str> {
    let list = metadata(object)
        .and_then(|m| m.get("finalizers"))
        .and_then(Value::as_array);
    list.map(|l| l.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// Whether a certain finalizer holds the object.
pub fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    finalizers(object).contains(&finalizer)
}

/// Adds a finalizer unless it is there.
pub fn add_finalizer(object: &mut Value, finalizer: &str) {
    if has_finalizer(object, finalizer) {
        return;
    }
    let slot = metadata_mut(object)
        .entry("finalizers")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Some(list) = slot.as_array_mut() {
        list.push(finalizer.into());
    }
}

/// Takes a finalizer away; says whether it was there.
pub fn remove_finalizer(object: &mut Value, finalizer: &str) -> bool {
    let kept: Vec<Value> = finalizers(object)
        .into_iter()
        .filter(|f| *f != finalizer)
        .map(Value::from)
        .collect();
    let removed = kept.len() != finalizers(object).len();
    if kept.is_empty() {
        remove(object, "finalizers");
    } else if removed {
        set(object, "finalizers", kept);
    }
    removed
}

/// Who owns the object.
pub fn owners(object: &Value) -> impl Iterator<Item = Owner<'_>> {
    let list = metadata(object)
        .and_then(|m| m.get("ownerReferences"))
        .and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|reference| {
        let text = |field: &str| reference.get(field).and_then(Value::as_str);
        Some(Owner {
            api_version: text("apiVersion").unwrap_or_default(),
            kind: text("kind").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            uid: text("uid")?,
            blocks: reference
                .get("blockOwnerDeletion")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    })
}

/// One owner reference, as far as garbage collection cares.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The `apiVersion` that it is said to have.
    pub api_version: &'a str,
    /// The kind that it is said to be of.
    pub kind: &'a str,
    /// The name that it is said to have.
    pub name: &'a str,
    /// The owner's uid.
    pub uid: &'a str,
    /// `blockOwnerDeletion`: foreground deletion of the owner waits for this object.
    pub blocks: bool,
}

/// The `resourceVersion` of an object as a client sent it: absent, or a number, or nonsense.
pub fn resource_version(object: &Value) -> Option<&str> {
    let version = text(object, "resourceVersion");
    (!version.is_empty()).then_some(version)
}

/// `group/version` split; the core group is empty.
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// Group and version joined as in `apiVersion`.
pub fn join_api_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}
