//! What a CustomResourceDefinition must say, and what makes its schemas structural.

use serde_json::Value;

use crate::effects;
use crate::kind::Kind;
use crate::schema::{self, FieldError, FieldPath};

const APPROVAL: &str = "api-approved.kubernetes.io";
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// What is wrong with a definition, which replaces `old` or is new.
pub(super) fn check(kind: &Kind, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
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
    if old.is_some_and(|old| old["spec"] != *spec) {
        errors.extend(check_stored(versions, &object["status"]["storedVersions"]));
    }
    errors
}

/// That rules of a definition are not understood here, and so not enforced. A real server knows all of CEL.
pub(super) fn warnings(kind: &Kind, old: Option<&Value>, new: &Value) -> Vec<String> {
    if !effects::is_definition(kind) || old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Vec::new();
    }
    let mut rules = Vec::new();
    collect_rules(&new["spec"]["versions"], &mut rules);
    let all = rules.len();
    rules.retain(|rule| !schema::is_understood(rule));
    let count = rules.len();
    rules
        .into_iter()
        .enumerate()
        .map(|(index, rule)| {
            format!(
                "x-kubernetes-validations: {rule:?} is not understood and not enforced ({} of {count}, of {all} rules)",
                index + 1
            )
        })
        .collect()
}

fn collect_rules<'v>(value: &'v Value, rules: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            let own = fields.get("x-kubernetes-validations").and_then(Value::as_array);
            rules.extend(own.into_iter().flatten().filter_map(|own| own["rule"].as_str()));
            fields.values().for_each(|field| collect_rules(field, rules));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_rules(item, rules)),
        _ => {}
    }
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

/// What objects may be stored as must stay readable.
fn check_stored(versions: &[Value], stored: &Value) -> Vec<FieldError> {
    let stored = stored.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_gone = |name: &Value| versions.iter().all(|version| version["name"] != *name);
    let gone = stored.iter().enumerate().filter(|(_, name)| is_gone(name));
    let complaint = |(index, name): (usize, &Value)| {
        let path = FieldPath::root()
            .field("status")
            .field("storedVersions")
            .index(index);
        let text = name.as_str().unwrap_or_default();
        let detail = format!(
            "missing from spec.versions; {text} was previously a storage version, and must remain in spec.versions until \
             a storage migration ensures no data remains persisted in {text} and removes {text} from \
             status.storedVersions"
        );
        FieldError::invalid(path, text, detail)
    };
    gone.map(complaint).collect()
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
    check_list(schema, path, errors);
    check_fields(schema, path, errors);
}

/// How items are told apart.
fn check_list(schema: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if schema["uniqueItems"] == true {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        errors.push(FieldError::forbidden(path.field("uniqueItems"), detail));
    }
    let (list_type, items) = (&schema["x-kubernetes-list-type"], &schema["items"]);
    let keys = &schema["x-kubernetes-list-map-keys"];
    let all = keys.as_array().map(Vec::as_slice).unwrap_or_default();
    if (list_type == "map" || list_type == "set") && items["nullable"] == true {
        let kind = list_type.as_str().unwrap_or_default();
        let detail = format!("cannot be nullable when x-kubernetes-list-type is {kind}");
        errors.push(FieldError::forbidden(
            path.field("items").field("nullable"),
            detail,
        ));
    }
    let place = path.field("x-kubernetes-list-map-keys");
    match list_type.as_str() {
        Some("map") if all.is_empty() => {
            let detail = "must not be empty if x-kubernetes-list-type is map";
            errors.push(FieldError::required(place, detail));
        }
        Some("map") => {
            for (at, key) in all.iter().filter_map(Value::as_str).enumerate() {
                if items["properties"][key].is_null() {
                    let detail = "entries must all be names of item properties";
                    errors.push(FieldError::invalid(place.clone(), keys.clone(), detail));
                }
                if all[..at].iter().any(|earlier| earlier == key) {
                    let detail = "must not contain duplicate entries";
                    errors.push(FieldError::invalid(place.clone(), keys.clone(), detail));
                }
                check_list_key(
                    items,
                    key,
                    &path.field("items").field("properties").key(key),
                    errors,
                );
            }
        }
        _ => {}
    }
}

/// Every item has a value for each key.
fn check_list_key(items: &Value, key: &str, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let property = &items["properties"][key];
    let required = items["required"].as_array().into_iter().flatten();
    if property.is_null() {
        return;
    }
    if property["default"].is_null() && !required.into_iter().any(|name| name == key) {
        let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
        errors.push(FieldError::required(path.field("default"), detail));
    }
    if property["nullable"] == true {
        let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
        errors.push(FieldError::forbidden(path.field("nullable"), detail));
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Registry;

    #[test]
    fn whoever_installs_a_definition_is_told_of_rules_that_are_not_understood() {
        let registry = Registry::default();
        let kind = registry
            .kinds()
            .find(|kind| effects::is_definition(kind))
            .expect("definitions are built in");
        let rules = json!([{"rule": "self.a == 1"}, {"rule": "self.all(i, v, v > i)"}]);
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-validations": rules}}});
        let new = json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}});
        assert_eq!(
            warnings(kind, None, &new),
            [
                "x-kubernetes-validations: \"self.all(i, v, v > i)\" is not understood and not enforced (1 of 1, of 2 rules)"
            ]
        );
        assert!(warnings(kind, Some(&new), &new).is_empty());
    }
}
