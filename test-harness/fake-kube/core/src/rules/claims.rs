//! What a claim asks of a volume.

use serde_json::Value;

use super::names::complaint_of_subdomain;
use super::places::{self, Place};
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath, compare_quantities};

const ACCESS_MODES: [&str; 4] = [
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];

/// What is wrong with a claim, or with those that a new stateful set makes.
pub(super) fn check(kind: &Kind, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    let path = match (&*kind.id.group, &*kind.name) {
        ("", "PersistentVolumeClaim") => "spec",
        ("apps", "StatefulSet") if old.is_none() => "spec.volumeClaimTemplates[].spec",
        _ => return Vec::new(),
    };
    let specs = places::all((FieldPath::root(), Some(object)), path);
    specs.iter().flat_map(check_spec).collect()
}

fn check_spec((path, spec): &Place<'_>) -> Vec<FieldError> {
    let none = Value::Null;
    let spec = spec.unwrap_or(&none);
    let mut errors = check_access(&path.field("accessModes"), &spec["accessModes"]);
    let place = path.field("resources").key("storage");
    match spec["resources"]["requests"]["storage"].as_str() {
        None => errors.push(FieldError::required(place, "")),
        Some(size) if size == "0" || size.starts_with('-') => {
            errors.push(FieldError::invalid(place, size, "must be greater than zero"));
        }
        Some(_) => {}
    }
    let class = spec["storageClassName"]
        .as_str()
        .filter(|class| !class.is_empty());
    errors.extend(class.and_then(|class| {
        let why = complaint_of_subdomain(class)?;
        Some(FieldError::invalid(path.field("storageClassName"), class, why))
    }));
    let mode = spec["volumeMode"].as_str();
    if let Some(mode) = mode.filter(|mode| !VOLUME_MODES.contains(mode)) {
        errors.push(FieldError::unsupported(
            path.field("volumeMode"),
            mode,
            &VOLUME_MODES,
        ));
    }
    errors
}

/// The server does not say which of them.
fn check_access(path: &FieldPath, modes: &Value) -> Vec<FieldError> {
    let modes = modes.as_array().into_iter().flatten();
    let modes: Vec<&str> = modes.map(|mode| mode.as_str().unwrap_or_default()).collect();
    if modes.is_empty() {
        return vec![FieldError::required(
            path.clone(),
            "at least 1 access mode is required",
        )];
    }
    let (known, unknown): (Vec<&str>, Vec<&str>) =
        modes.into_iter().partition(|mode| ACCESS_MODES.contains(mode));
    let unknown = unknown.into_iter();
    let mut errors: Vec<FieldError> = unknown
        .map(|mode| FieldError::unsupported(path.clone(), mode, &ACCESS_MODES))
        .collect();
    let (alone, others): (Vec<&str>, Vec<&str>) =
        known.into_iter().partition(|mode| *mode == "ReadWriteOncePod");
    if !alone.is_empty() && !others.is_empty() {
        let detail = "may not use ReadWriteOncePod with other access modes";
        errors.push(FieldError::forbidden(path.clone(), detail));
    }
    errors
}

/// What an update changes of a claim that it may not, beside what its spec may not at all.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let size = |value: &Value| value["storage"].as_str().unwrap_or("0").to_owned();
    let (before, after) = (
        size(&old["spec"]["resources"]["requests"]),
        size(&new["spec"]["resources"]["requests"]),
    );
    let is_less = |other: &str| compare_quantities(&after, other).is_some_and(std::cmp::Ordering::is_lt);
    let held = size(&old["status"]["capacity"]);
    let is_not_more = after == held || is_less(&held);
    if is_less(&before) && is_not_more {
        let path = FieldPath::root().field("spec.resources.requests.storage");
        errors.push(FieldError::forbidden(
            path,
            "field can not be less than status.capacity",
        ));
    }
    let (before, after) = (&old["spec"]["volumeMode"], &new["spec"]["volumeMode"]);
    if before != after {
        // Of which spec the server does not say.
        let path = FieldPath::root().field("volumeMode");
        errors.push(FieldError::invalid(path, after.clone(), "field is immutable"));
    }
    errors
}
