//! Variables of containers: each has a name, and a value or one source of it.

use serde_json::Value;

use super::names::complaint_of_subdomain;
use super::places::{self, Place};
use super::{keys, references};
use crate::schema::{FieldError, FieldPath};

const SOURCES: [&str; 5] = [
    "fieldRef",
    "resourceFieldRef",
    "configMapKeyRef",
    "secretKeyRef",
    "fileKeyRef",
];

/// What is wrong with the variables of a container.
pub(super) fn check((path, container): &Place<'_>) -> Vec<FieldError> {
    let Some(container) = container else {
        return Vec::new();
    };
    let items = |field: &str| places::items((path.field(field), Some(&container[field])));
    let mut errors = Vec::new();
    for (path, variable) in items("env") {
        let Some(variable) = variable else { continue };
        let name = text(&variable["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(path.field("name"), ""));
        }
        errors.extend(
            complaint_of_variable(name).map(|why| FieldError::invalid(path.field("name"), name, why)),
        );
        if variable["valueFrom"].is_object() {
            errors.extend(check_source(&path.field("valueFrom"), variable));
        }
    }
    for (place, source) in items("envFrom") {
        let Some(source) = source else { continue };
        let prefix = text(&source["prefix"]);
        let why = complaint_of_variable(prefix);
        errors.extend(why.map(|why| FieldError::invalid(place.field("prefix"), prefix, why)));
        errors.extend(check_all_of(&path.field("envFrom"), &place, source));
    }
    errors
}

fn check_source(path: &FieldPath, variable: &Value) -> Vec<FieldError> {
    let source = &variable["valueFrom"];
    let given = |field: &str| source[field].is_object();
    let mut errors = Vec::new();
    if given("fieldRef") {
        let allowed = references::IN_VARIABLES;
        errors.extend(references::check_field(
            &path.field("fieldRef"),
            &source["fieldRef"],
            allowed,
        ));
    }
    if given("resourceFieldRef") {
        let place = path.field("resourceFieldRef");
        errors.extend(references::check_resource(
            &place,
            &source["resourceFieldRef"],
            false,
        ));
    }
    for field in ["configMapKeyRef", "secretKeyRef"] {
        if given(field) {
            errors.extend(check_key(&path.field(field), &source[field]));
        }
    }
    let has_value = !text(&variable["value"]).is_empty();
    let detail = match SOURCES.iter().filter(|field| given(field)).count() {
        0 => {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        }
        _ if has_value => "may not be specified when `value` is not empty",
        1 => return errors,
        _ => "may not have more than one field specified at a time",
    };
    errors.push(FieldError::invalid(path.clone(), "", detail));
    errors
}

/// One entry of a ConfigMap or Secret.
fn check_key(path: &FieldPath, reference: &Value) -> Vec<FieldError> {
    let (name, key) = (text(&reference["name"]), text(&reference["key"]));
    let no_name = complaint_of_subdomain(name).map(|why| FieldError::invalid(path.field("name"), name, why));
    let place = path.field("key");
    let no_key = if key.is_empty() {
        Some(FieldError::required(place, ""))
    } else {
        keys::complaint(key).map(|why| FieldError::invalid(place, key, why))
    };
    no_name.into_iter().chain(no_key).collect()
}

/// All entries of a ConfigMap or Secret. Which of them has none or both the server does not say.
fn check_all_of(all: &FieldPath, path: &FieldPath, source: &Value) -> Vec<FieldError> {
    let fields = ["configMapRef", "secretRef"];
    let given: Vec<&str> = fields
        .into_iter()
        .filter(|field| source[*field].is_object())
        .collect();
    let mut errors = Vec::new();
    for field in &given {
        let place = path.field(field).field("name");
        let name = text(&source[*field]["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(place, ""));
        } else {
            // As for the beginning of a name, which may end with a hyphen.
            let complaint = complaint_of_subdomain(&as_whole(name));
            errors.extend(complaint.map(|why| FieldError::invalid(place, name, why)));
        }
    }
    let detail = match given.len() {
        0 => "must specify one of: `configMapRef` or `secretRef`",
        1 => return errors,
        _ => "may not have more than one field specified at a time",
    };
    errors.push(FieldError::invalid(all.clone(), "", detail));
    errors
}

/// The server takes away one byte too many.
fn as_whole(name: &str) -> String {
    let begin = name.len().checked_sub(2).filter(|_| name.ends_with('-'));
    match begin.and_then(|end| name.get(..end)) {
        Some(begin) => format!("{begin}a"),
        None => name.to_owned(),
    }
}

fn complaint_of_variable(name: &str) -> Option<&'static str> {
    let is_clean = name
        .bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=');
    let detail =
        "a valid environment variable name must consist only of printable ASCII characters other than '='";
    (!is_clean).then_some(detail)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
