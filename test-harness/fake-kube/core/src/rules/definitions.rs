//! What a CustomResourceDefinition must say, and what makes its schemas structural.

use serde_json::Value;

use crate::effects;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const APPROVAL: &str = "api-approved.kubernetes.io";
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// What is wrong with a definition.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    if !effects::is_definition(kind) {
        return Vec::new();
    }
    let spec = &object["spec"];
    let mut errors = Vec::new();
    errors.extend(check_group(object));
    errors.extend(check_scope(spec));
    let versions = spec["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, version) in versions.iter().enumerate() {
        check_version(version, index, versions.len(), &mut errors);
    }
    errors
}

/// Groups of Kubernetes itself need its approval.
fn check_group(object: &Value) -> Option<FieldError> {
    let group = object["spec"]["group"].as_str().unwrap_or_default();
    let is_protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group == *domain || group.ends_with(&format!(".{domain}")));
    let approval = object.pointer("/metadata/annotations/api-approved.kubernetes.io");
    if !is_protected || approval.is_some() {
        return None;
    }
    let detail = format!(
        "protected groups must have approval annotation \"{APPROVAL}\", see \
         https://github.com/kubernetes/enhancements/pull/1111"
    );
    let path = FieldPath::root()
        .field("metadata")
        .field("annotations")
        .key(APPROVAL);
    Some(FieldError::required(path, detail))
}

fn check_scope(spec: &Value) -> Option<FieldError> {
    let scope = spec["scope"]
        .as_str()
        .filter(|scope| !["Cluster", "Namespaced"].contains(scope))?;
    Some(FieldError::unsupported(
        FieldPath::root().field("spec").field("scope"),
        scope,
        &["Cluster", "Namespaced"],
    ))
}

fn check_version(version: &Value, index: usize, count: usize, errors: &mut Vec<FieldError>) {
    let spec = FieldPath::root().field("spec");
    let own = spec.field("versions").index(index).field("schema");
    let schema = &version["schema"]["openAPIV3Schema"];
    if schema.is_null() {
        errors.push(FieldError::required(own.field("openAPIV3Schema"), ""));
        return;
    }
    // The server keeps the schema of a lone version where that of all versions used to be.
    let place = if count == 1 { spec.field("validation") } else { own };
    let place = place.field("openAPIV3Schema");
    match schema["type"].as_str() {
        Some("object") => check_fields(schema, &place, errors),
        None | Some("") => errors.push(FieldError::required(
            place.field("type"),
            "must not be empty at the root",
        )),
        Some(other) => errors.push(FieldError::invalid(
            place.field("type"),
            other,
            "must be object at the root",
        )),
    }
}

fn check_node(schema: &Value, path: &FieldPath, empty: &str, errors: &mut Vec<FieldError>) {
    let is_free = [
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-int-or-string",
    ]
    .iter()
    .any(|flag| schema[flag] == true);
    match schema["type"].as_str() {
        None | Some("") if !is_free => errors.push(FieldError::required(path.field("type"), empty)),
        Some(other) if !other.is_empty() && !TYPES.contains(&other) => {
            errors.push(FieldError::unsupported(path.field("type"), other, &TYPES));
        }
        Some("array") if schema["items"].is_null() => {
            errors.push(FieldError::required(path.field("items"), "must be specified"));
        }
        _ => {}
    }
    if schema["x-kubernetes-list-type"] == "map" && schema["x-kubernetes-list-map-keys"].is_null() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        errors.push(FieldError::required(
            path.field("x-kubernetes-list-map-keys"),
            detail,
        ));
    }
    check_fields(schema, path, errors);
}

fn check_fields(schema: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = path.field("properties").key(name);
        check_node(
            field,
            &path,
            "must not be empty for specified object fields",
            errors,
        );
    }
    if schema["additionalProperties"].is_object() {
        let path = path.field("additionalProperties");
        let empty = "must not be empty for specified object fields";
        check_node(&schema["additionalProperties"], &path, empty, errors);
    }
    if schema["items"].is_object() {
        let empty = "must not be empty for specified array items";
        check_node(&schema["items"], &path.field("items"), empty, errors);
    }
}
