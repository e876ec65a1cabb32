//! Labels, annotations, finalizers and owners: what every kind's metadata must satisfy.

use serde_json::{Map, Value};

use super::qualified::{complaints_of_name, complaints_of_value};
use super::{definitions, finalizers};
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
    errors.extend(check_deletion(kind, old, new));
    errors.extend(common(new));
    errors.extend(check_managed_fields(new));
    if meta::finalizers(old) != meta::finalizers(new) {
        errors.extend(finalizers::check_names(new));
        errors.extend(finalizers::check_qualified(kind, new));
    }
    errors
}

/// Only a deletion says when an object goes, and how long it may take.
fn check_deletion(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    let fields = ["deletionTimestamp", "deletionGracePeriodSeconds"].into_iter();
    let changed = fields.filter(|field| old["metadata"][field] != new["metadata"][field]);
    changed
        .flat_map(|field| immutable(kind, field, new["metadata"][field].clone()))
        .collect()
}

/// That a field of metadata does not change. Of custom kinds two parts of the real server say so.
pub(crate) fn immutable(kind: &Kind, name: &str, value: impl Into<Value>) -> Vec<FieldError> {
    let error = FieldError::invalid(field(name), value, "field is immutable");
    let times = if kind.custom.is_some() { 2 } else { 1 };
    vec![error; times]
}

/// What a client is warned of that wrote `new` over `old`.
pub(crate) fn new_warnings(kind: &Kind, old: Option<&Value>, new: &Value) -> Vec<String> {
    if kind.custom.is_none() {
        return definitions::warnings(kind, old, new);
    }
    finalizers::warnings(old, new)
}

fn common(object: &Value) -> Vec<FieldError> {
    let metadata = &object["metadata"];
    let mut errors = check_labels(&metadata["labels"], &field("labels"));
    errors.extend(check_annotations(&metadata["annotations"], &field("annotations")));
    errors.extend(check_owners(object));
    errors
}

fn field(name: &str) -> FieldPath {
    FieldPath::root().field("metadata").field(name)
}

/// What is wrong with the labels of `path`, or with what selects by them.
pub(super) fn check_labels(labels: &Value, path: &FieldPath) -> Vec<FieldError> {
    let complaints = entries(labels).flat_map(|(key, value)| {
        let of_key = complaints_of_name(key)
            .into_iter()
            .map(move |why| (key.as_str(), why));
        let of_value = complaints_of_value(value)
            .into_iter()
            .map(move |why| (value, why));
        of_key.chain(of_value)
    });
    complaints
        .map(|(text, why)| FieldError::invalid(path.clone(), text, why))
        .collect()
}

/// What is wrong with the annotations of `path`.
pub(super) fn check_annotations(annotations: &Value, path: &FieldPath) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = entries(annotations)
        .flat_map(|(key, _)| {
            complaints_of_name(&key.to_lowercase())
                .into_iter()
                .map(move |why| FieldError::invalid(path.clone(), key.as_str(), why))
        })
        .collect();
    let weight: usize = entries(annotations)
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if weight > MAX_ANNOTATION_BYTES {
        let max = MAX_ANNOTATION_BYTES as u64;
        errors.push(FieldError {
            path: path.clone(),
            problem: Problem::TooLong { max },
        });
    }
    errors
}

fn entries(map: &Value) -> impl Iterator<Item = (&String, &str)> {
    map.as_object()
        .into_iter()
        .flat_map(Map::iter)
        .map(|(key, value)| (key, value.as_str().unwrap_or_default()))
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
            } else if name == "apiVersion" && !is_api_version(text(name)) {
                let why = "must be <group>/<version> or <version>";
                errors.push(FieldError::invalid(path.field(name), text(name), why));
            }
        }
        if (text("apiVersion"), text("kind")) == ("v1", "Event") {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(FieldError::invalid(path, owner.clone(), why));
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

fn is_api_version(text: &str) -> bool {
    text.split('/').count() <= 2 && !text.ends_with('/')
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
