//! Checking an object against its schema, in the words of the API server.

mod expressions;
mod format;
mod junctors;
mod lists;
mod scalars;

use serde_json::{Map, Value};

use super::{FieldError, FieldPath, ListType, Problem, Schema, SchemaRef, Type};

/// What is wrong with `object`; empty when nothing is.
///
/// For objects that are pruned and defaulted. Names, labels and what rules in code say of built-in kinds is not
/// the schema's business.
pub fn validate(schema: &Schema, object: &Value) -> Vec<FieldError> {
    let mut errors = validate_shape(schema, object);
    drop(check_rules(schema, None, object, &mut errors));
    errors
}

/// What is wrong with the types and values of `object`, rules over several fields aside.
pub fn validate_shape(schema: &Schema, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check(schema.root(), object, None, &FieldPath::root(), &mut errors);
    lists::check_uniqueness(schema.root(), object, &FieldPath::root(), &mut errors);
    // Metadata has rules of its own.
    errors.retain(|error| !error.path.is_in("metadata"));
    errors
}

/// The same for `new` instead of `old`: what is as it was may stay wrong, so a custom resource whose definition became
/// stricter may still be changed elsewhere. Lists that name something twice may if any did. Built-in kinds are checked as
/// if they were new.
pub fn validate_update(schema: &Schema, old: &Value, new: &Value) -> Vec<FieldError> {
    if schema.root().is_typed() {
        return validate_shape(schema, new);
    }
    let mut errors = check_change(schema.root(), old, new);
    errors.retain(|error| !error.path.is_in("metadata"));
    errors
}

/// The same for the status alone, all that is looked at when it is written through its subresource. Messages name fields
/// from the status on.
pub fn validate_status(schema: &Schema, old: &Value, new: &Value) -> Vec<FieldError> {
    let (Some(entry), Some(status)) = (schema.root().entry("status"), new.get("status")) else {
        return Vec::new();
    };
    let mut errors = check_change(entry, &old["status"], status);
    for error in &mut errors {
        error.path = error.path.below("status");
    }
    errors
}

fn check_change(schema: SchemaRef<'_>, old: &Value, new: &Value) -> Vec<FieldError> {
    let root = FieldPath::root();
    let repeated = |value: &Value| {
        let mut errors = Vec::new();
        lists::check_uniqueness(schema, value, &root, &mut errors);
        errors
    };
    let mut errors = Vec::new();
    check(schema, new, Some(old), &root, &mut errors);
    let twice = repeated(new);
    if !twice.is_empty() && repeated(old).is_empty() {
        errors.extend(twice);
    }
    errors
}

/// Adds what rules over several fields say of `new`; returns what they say of it where it is as it was in `old`. Where
/// something is wrong already that changes the shape of the object, it is said that they were not looked at.
pub fn check_rules(
    schema: &Schema,
    old: Option<&Value>,
    new: &Value,
    errors: &mut Vec<FieldError>,
) -> Vec<FieldError> {
    let mut found = expressions::Found::default();
    if !schema.has_field_rules() {
        return found.excused;
    }
    if errors.iter().all(expressions::may_follow) {
        expressions::check(schema.root(), new, old, &FieldPath::root(), &mut found);
        errors.extend(found.errors);
    } else {
        errors.push(expressions::skipped());
    }
    found.excused
}

/// What an item of a list was before: one of a list of type map is known by its keys, any other is not known again.
fn item_before<'v>(schema: SchemaRef<'_>, old: Option<&'v Value>, item: &Value) -> Option<&'v Value> {
    if schema.list_type() != ListType::Map {
        return None;
    }
    let keys = lists::keys_of(schema, item);
    let items = old?.as_array()?;
    items.iter().find(|before| lists::keys_of(schema, before) == keys)
}

/// Checks a value, and what it holds, where that is not as it was before.
fn check(
    schema: SchemaRef<'_>,
    value: &Value,
    old: Option<&Value>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if old == Some(value) {
        return;
    }
    if let Some(error) = wrong_type(schema, value, path) {
        errors.push(error);
    }
    if value.is_null() {
        if !schema.is_nullable() && !schema.is_typed() {
            scalars::check_enumeration(schema, value, path, errors);
        }
        return;
    }
    if let Some(junctors) = schema.junctors() {
        junctors::check(schema, junctors, (value, old), path, errors);
    }
    match value {
        Value::String(text) => scalars::check_text(schema, text, path, errors),
        Value::Number(number) => scalars::check_number(schema, number, path, errors),
        Value::Array(items) => check_items(schema, items, old, path, errors),
        Value::Object(_) | Value::Bool(_) | Value::Null => {}
    }
    scalars::check_enumeration(schema, value, path, errors);
    if let Value::Object(fields) = value {
        check_fields(schema, fields, old, path, errors);
    }
}

fn check_fields(
    schema: SchemaRef<'_>,
    fields: &Map<String, Value>,
    old: Option<&Value>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    check_count(schema, fields.len() as u64, path, errors);
    let missing = schema
        .required()
        .filter(|name| !fields.contains_key(*name) && !is_asked_by_code(schema))
        .chain(identity_of_embedded(schema, fields, path))
        .map(|name| {
            let problem = Problem::Required {
                detail: String::new(),
            };
            FieldError {
                path: path.field(name),
                problem,
            }
        });
    let present = |errors: &mut Vec<FieldError>| {
        for (name, field) in fields {
            if let Some(entry) = schema.entry(name) {
                let before = old.and_then(|old| old.get(name));
                check(entry, field, before, &path.field(name), errors);
            }
        }
    };
    // Typed objects are checked from the outside in, others the other way round.
    if schema.is_typed() {
        errors.extend(missing);
        present(errors);
    } else {
        present(errors);
        errors.extend(missing);
    }
}

/// Definitions whose missing fields a rule of the kind complains of, in words of its own.
const ASKED_BY_CODE: &[&str] = &[
    "io.k8s.api.apps.v1.DaemonSetSpec",
    "io.k8s.api.autoscaling.v2.ContainerResourceMetricSource",
    "io.k8s.api.autoscaling.v2.CrossVersionObjectReference",
    "io.k8s.api.autoscaling.v2.ExternalMetricSource",
    "io.k8s.api.autoscaling.v2.HPAScalingPolicy",
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec",
    "io.k8s.api.autoscaling.v2.MetricIdentifier",
    "io.k8s.api.autoscaling.v2.MetricSpec",
    "io.k8s.api.autoscaling.v2.MetricTarget",
    "io.k8s.api.autoscaling.v2.ObjectMetricSource",
    "io.k8s.api.autoscaling.v2.PodsMetricSource",
    "io.k8s.api.autoscaling.v2.ResourceMetricSource",
    "io.k8s.api.core.v1.ConfigMapKeySelector",
    "io.k8s.api.core.v1.DownwardAPIVolumeFile",
    "io.k8s.api.core.v1.EnvVar",
    "io.k8s.api.core.v1.GRPCAction",
    "io.k8s.api.core.v1.HTTPGetAction",
    "io.k8s.api.core.v1.HTTPHeader",
    "io.k8s.api.core.v1.HostAlias",
    "io.k8s.api.core.v1.HostPathVolumeSource",
    "io.k8s.api.core.v1.KeyToPath",
    "io.k8s.api.core.v1.ObjectFieldSelector",
    "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource",
    "io.k8s.api.core.v1.ResourceFieldSelector",
    "io.k8s.api.core.v1.SeccompProfile",
    "io.k8s.api.core.v1.SecretKeySelector",
    "io.k8s.api.core.v1.ServiceAccountTokenProjection",
    "io.k8s.api.core.v1.ServicePort",
    "io.k8s.api.core.v1.SleepAction",
    "io.k8s.api.core.v1.TCPSocketAction",
    "io.k8s.api.core.v1.TopologySpreadConstraint",
    "io.k8s.api.core.v1.TypedLocalObjectReference",
    "io.k8s.api.core.v1.Volume",
    "io.k8s.api.core.v1.VolumeMount",
    "io.k8s.api.networking.v1.HTTPIngressPath",
    "io.k8s.api.networking.v1.HTTPIngressRuleValue",
    "io.k8s.api.networking.v1.IPBlock",
    "io.k8s.api.networking.v1.IngressServiceBackend",
    "io.k8s.api.rbac.v1.ClusterRoleBinding",
    "io.k8s.api.rbac.v1.RoleBinding",
    "io.k8s.api.rbac.v1.RoleRef",
    "io.k8s.api.rbac.v1.Subject",
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
    // Of objects it is checked by a rule of its own, of templates not at all.
    "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
];

fn is_asked_by_code(schema: SchemaRef<'_>) -> bool {
    schema
        .definition_name()
        .is_some_and(|name| ASKED_BY_CODE.contains(&name))
}

/// What an object inside of an object lacks of its identity.
fn identity_of_embedded(
    schema: SchemaRef<'_>,
    fields: &Map<String, Value>,
    path: &FieldPath,
) -> Vec<&'static str> {
    let is_embedded = schema.is_embedded_resource() && !path.is_root();
    ["apiVersion", "kind"]
        .into_iter()
        .filter(|name| is_embedded && fields.get(*name).is_none_or(|value| value == ""))
        .collect()
}

fn check_count(schema: SchemaRef<'_>, actual: u64, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let Some(limits) = schema.limits() else { return };
    if let Some(min) = limits.min_properties.filter(|min| actual < *min) {
        let detail = format!("{path} in body should have at least {min} properties");
        errors.push(invalid(path, actual.into(), detail));
    }
    if let Some(max) = limits.max_properties.filter(|max| actual > *max) {
        errors.push(FieldError {
            path: path.clone(),
            problem: Problem::TooMany { actual, max },
        });
    }
}

fn check_items(
    schema: SchemaRef<'_>,
    items: &[Value],
    old: Option<&Value>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if let Some(item_schema) = schema.items() {
        for (index, item) in items.iter().enumerate() {
            let before = item_before(schema, old, item);
            check(item_schema, item, before, &path.index(index), errors);
        }
    }
    let Some(limits) = schema.limits() else { return };
    let actual = items.len() as u64;
    if let Some(min) = limits.min_items.filter(|min| actual < *min) {
        let detail = format!("{path} in body should have at least {min} items");
        errors.push(invalid(path, actual.into(), detail));
    }
    if let Some(max) = limits.max_items.filter(|max| actual > *max) {
        errors.push(FieldError {
            path: path.clone(),
            problem: Problem::TooMany { actual, max },
        });
    }
    if limits.unique_items
        && items
            .iter()
            .enumerate()
            .any(|(index, item)| items[..index].contains(item))
    {
        errors.push(invalid(
            path,
            "".into(),
            format!("{path} in body shouldn't contain duplicates"),
        ));
    }
}

fn wrong_type(schema: SchemaRef<'_>, value: &Value, path: &FieldPath) -> Option<FieldError> {
    let expected = expected_type(schema)?;
    if value.is_null() {
        // A time of a built-in kind that was not given is none.
        let is_no_time = schema.is_typed() && schema.format() == Some("date-time");
        return (!schema.is_nullable() && !is_no_time).then(|| mistyped(path, expected, "null"));
    }
    if fits(schema, value) {
        return None;
    }
    let format = schema.limits().and_then(|limits| limits.format.as_deref());
    match (format, value) {
        // Anything but text and lists is measured by the format.
        (Some(format), Value::Bool(_) | Value::Object(_)) => Some(mistyped(path, format, "")),
        (Some(format), Value::Number(number)) => {
            let found = if number.is_f64() { "float64" } else { "int64" };
            Some(mistyped(path, format, found))
        }
        // Lists pass where text of some format is expected.
        (Some(_), Value::Array(_)) if schema.kind() == Some(Type::String) => None,
        _ => Some(mistyped(path, expected, type_name(value))),
    }
}

fn expected_type(schema: SchemaRef<'_>) -> Option<&'static str> {
    if schema.is_int_or_string() {
        Some("integer,string")
    } else {
        schema.kind().map(Type::as_str)
    }
}

fn fits(schema: SchemaRef<'_>, value: &Value) -> bool {
    if schema.is_int_or_string() {
        return value.is_string() || is_integer(value);
    }
    match schema.kind() {
        None => true,
        Some(Type::Object) => value.is_object(),
        Some(Type::Array) => value.is_array(),
        Some(Type::String) => value.is_string(),
        Some(Type::Integer) => is_integer(value),
        Some(Type::Number) => value.is_number(),
        Some(Type::Boolean) => value.is_boolean(),
    }
}

/// `3.0` is an integer.
fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn mistyped(path: &FieldPath, expected: &str, found: &str) -> FieldError {
    let detail = format!("{path} in body must be of type {expected}: {found:?}");
    FieldError {
        path: path.clone(),
        problem: Problem::WrongType {
            value: found.into(),
            detail,
        },
    }
}

fn invalid(path: &FieldPath, value: Value, detail: String) -> FieldError {
    FieldError {
        path: path.clone(),
        problem: Problem::Invalid { value, detail },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let spec = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string", "maxLength": 3},
            "b": {"type": "integer", "maximum": 5}}});
        Schema::from_crd(&json!({"type": "object", "properties": {"spec": spec}})).expect("a schema")
    }

    fn complaints(old: Value, new: Value) -> Vec<String> {
        let errors = validate_update(&schema(), &json!({ "spec": old }), &json!({ "spec": new }));
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_update_may_leave_wrong_what_was_wrong() {
        assert_eq!(complaints(json!({"b": 9}), json!({"b": 9})), Vec::<String>::new());
        assert_eq!(
            complaints(json!({"a": "x", "b": 9}), json!({"a": "x", "b": 8})),
            ["spec.b: Invalid value: 8: spec.b in body should be less than or equal to 5"]
        );
        assert_eq!(
            complaints(json!({"a": "x", "b": 9}), json!({"b": 9})),
            ["spec.a: Required value"]
        );
        assert_eq!(
            complaints(json!({"b": 1}), json!({"b": 2})),
            ["spec.a: Required value"]
        );
    }

    #[test]
    fn an_item_is_known_again_by_its_keys() {
        let spec = |kind: &str| {
            json!({"type": "array", "x-kubernetes-list-type": kind, "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["size"], "properties": {"name": {"type": "string"}}}})
        };
        let old = json!({"spec": [{"name": "a"}, {"name": "b"}]});
        let new = json!({"spec": [{"name": "c", "size": 1}, {"name": "b"}]});
        for (kind, complaints) in [("map", 0), ("atomic", 1)] {
            let schema = Schema::from_crd(&json!({"type": "object", "properties": {"spec": spec(kind)}}));
            let errors = validate_update(&schema.expect("a schema"), &old, &new);
            assert_eq!(errors.len(), complaints, "{kind}: {errors:?}");
        }
    }
}
