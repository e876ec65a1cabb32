//! How a pod refers to fields and resources of its own.

use serde_json::Value;

use super::qualified::complaints_of_name;
use crate::schema::{FieldError, FieldPath};

/// Fields that files can have.
pub(super) const IN_FILES: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// Fields that variables can have.
pub(super) const IN_VARIABLES: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields that can be referred to somewhere, beside those of files and variables.
const ELSEWHERE: [&str; 3] = ["spec.restartPolicy", "spec.schedulerName", "status.phase"];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const UNITS: [&str; 13] = [
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
];

/// What is wrong with a reference to a field, which is one of `allowed`.
pub(super) fn check_field(path: &FieldPath, reference: &Value, allowed: &[&str]) -> Vec<FieldError> {
    let place = path.field("fieldPath");
    let version = reference["apiVersion"].as_str().unwrap_or_default();
    let given = reference["fieldPath"].as_str().unwrap_or_default();
    if version.is_empty() {
        return vec![FieldError::required(path.field("apiVersion"), "")];
    }
    if given.is_empty() {
        return vec![FieldError::required(place, "")];
    }
    let no_field = |why: String| {
        vec![FieldError::invalid(
            place.clone(),
            given,
            format!("error converting fieldPath: {why}"),
        )]
    };
    if version != "v1" {
        return no_field(format!("unsupported pod version: {version}"));
    }
    if let Some((field, entry)) = entry_of(given) {
        let complaints = match field {
            "metadata.annotations" => complaints_of_name(&entry.to_lowercase()),
            "metadata.labels" => complaints_of_name(entry),
            _ => return no_field(format!("field label does not support subscript: {given}")),
        };
        let value = if field == "metadata.annotations" {
            entry.to_lowercase()
        } else {
            entry.to_owned()
        };
        let invalid = |why| FieldError::invalid(path.clone(), value.clone(), why);
        return complaints.into_iter().map(invalid).collect();
    }
    let field = if given == "spec.host" {
        "spec.nodeName"
    } else {
        given
    };
    if allowed.contains(&field) {
        return Vec::new();
    }
    let is_known = [IN_FILES, IN_VARIABLES, &ELSEWHERE]
        .iter()
        .any(|fields| fields.contains(&field));
    if !is_known {
        return no_field(format!("field label not supported: {given}"));
    }
    vec![FieldError::unsupported(place, field, allowed)]
}

/// The map and the key of what is one entry of a map.
fn entry_of(field: &str) -> Option<(&str, &str)> {
    let (map, key) = field.strip_suffix("']")?.split_once("['")?;
    (!map.is_empty()).then_some((map, key))
}

/// What is wrong with a reference to what a container may use. A file says of which container.
pub(super) fn check_resource(path: &FieldPath, reference: &Value, is_in_file: bool) -> Vec<FieldError> {
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let resource = text("resource");
    let is_of_pages = ["requests.hugepages-", "limits.hugepages-"]
        .iter()
        .any(|prefix| resource.starts_with(prefix));
    let mut errors = Vec::new();
    if is_in_file && text("containerName").is_empty() {
        errors.push(FieldError::required(path.field("containerName"), ""));
    } else if resource.is_empty() {
        errors.push(FieldError::required(path.field("resource"), ""));
    } else if !RESOURCES.contains(&resource) && !is_of_pages {
        errors.push(FieldError::unsupported(
            path.field("resource"),
            resource,
            &RESOURCES,
        ));
    }
    let divisor = text("divisor");
    let (units, of): (&[&str], &str) = match resource.split_once('.') {
        _ if is_of_pages => (&UNITS, "hugepages"),
        Some(("limits" | "requests", "cpu")) => (&["1m", "1"], "cpu"),
        Some(("limits" | "requests", "memory")) => (&UNITS, "memory"),
        Some(("limits" | "requests", "ephemeral-storage")) => (&UNITS, "local ephemeral storage"),
        _ => return errors,
    };
    if !matches!(divisor, "" | "0") && !units.contains(&divisor) {
        let listed = if of == "cpu" {
            "1m and 1".to_owned()
        } else {
            units.join(", ")
        };
        let detail = format!("only divisor's values {listed} are supported with the {of} resource");
        errors.push(FieldError::invalid(path.field("divisor"), resource, detail));
    }
    errors
}
