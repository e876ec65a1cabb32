//! Labels, annotations, finalizers and owners: what every kind's metadata must satisfy.

use serde_json::{Map, Value};

use super::finalizers;
use super::qualified::{complaints_of_name, complaints_of_value};
use crate::kind::Kind;
use crate::meta;
use crate::schema::{FieldError, FieldPath, Problem};

/// What all annotations of an object may weigh.
const MAX_ANNOTATION_BYTES: usize = 256 * 1024;

/// What is wrong with the metadata of a new object.
pub(crate) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let mut errors = common(object);
    errors.extend(finalizers::check_names(object));
    errors.extend(finalizers::check_qualified(kind, object));
    errors.extend(check_managed_fields(object));
    errors
}

/// What is wrong with the metadata of `new`, which replaces `old`.
pub(crate) fn check_update(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = finalizers::check_additions(old, new).into_iter().collect();
    errors.extend(common(new));
    errors.extend(check_managed_fields(new));
    if meta::finalizers(old) != meta::finalizers(new) {
        errors.extend(finalizers::check_names(new));
        errors.extend(finalizers::check_qualified(kind, new));
    }
    errors
}

/// What a client is warned of that wrote `new` over `old`.
pub(crate) fn new_warnings(kind: &Kind, old: Option<&Value>, new: &Value) -> Vec<String> {
    if kind.custom.is_none() {
        return Vec::new();
    }
    finalizers::warnings(old, new)
}

fn common(object: &Value) -> Vec<FieldError> {
    let mut errors = check_labels(object);
    errors.extend(check_annotations(object));
    errors.extend(check_owners(object));
    errors
}

fn field(name: &str) -> FieldPath {
    FieldPath::root().field("metadata").field(name)
}

fn entries<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a str)> {
    let map = meta::metadata(object).and_then(|m| m.get(name)?.as_object());
    map.into_iter()
        .flat_map(Map::iter)
        .map(|(key, value)| (key, value.as_str().unwrap_or_default()))
}

fn check_labels(object: &Value) -> Vec<FieldError> {
    entries(object, "labels")
        .flat_map(|(key, value)| {
            let of_key = complaints_of_name(key)
                .into_iter()
                .map(move |detail| FieldError::invalid(field("labels"), key.as_str(), detail));
            let of_value = complaints_of_value(value)
                .into_iter()
                .map(move |detail| FieldError::invalid(field("labels"), value, detail));
            of_key.chain(of_value)
        })
        .collect()
}

fn check_annotations(object: &Value) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = entries(object, "annotations")
        .flat_map(|(key, _)| {
            complaints_of_name(&key.to_lowercase())
                .into_iter()
                .map(move |detail| FieldError::invalid(field("annotations"), key.as_str(), detail))
        })
        .collect();
    let weight: usize = entries(object, "annotations")
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if weight > MAX_ANNOTATION_BYTES {
        let max = MAX_ANNOTATION_BYTES as u64;
        errors.push(FieldError {
            path: field("annotations"),
            problem: Problem::TooLong { max },
        });
    }
    errors
}

fn check_owners(object: &Value) -> Vec<FieldError> {
    let owners = meta::metadata(object).and_then(|m| m.get("ownerReferences")?.as_array());
    let owners = owners.map(Vec::as_slice).unwrap_or_default();
    let mut errors = Vec::new();
    let mut controller: Option<String> = None;
    for (index, owner) in owners.iter().enumerate() {
        let path = field("ownerReferences").index(index);
        let text = |name: &str| owner[name].as_str().unwrap_or_default();
        for name in ["apiVersion", "kind", "name", "uid"] {
            if text(name).is_empty() {
                errors.push(FieldError::required(path.field(name), "must not be empty"));
            }
        }
        if owner["controller"] != true {
            continue;
        }
        let this = format!("{}/{}", text("kind"), text("name"));
        match &controller {
            None => controller = Some(this),
            Some(first) => errors.push(FieldError::invalid(
                field("ownerReferences"),
                Value::from(owners),
                format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                ),
            )),
        }
    }
    errors
}

fn check_managed_fields(object: &Value) -> Vec<FieldError> {
    let entries = meta::metadata(object).and_then(|m| m.get("managedFields")?.as_array());
    let entries = entries.into_iter().flatten().enumerate();
    entries
        .filter(|(_, entry)| !matches!(entry["operation"].as_str(), Some("Apply" | "Update")))
        .map(|(index, entry)| {
            let path = field("managedFields").index(index).field("operation");
            FieldError::unsupported(path, entry["operation"].clone(), &["Apply", "Update"])
        })
        .collect()
}
