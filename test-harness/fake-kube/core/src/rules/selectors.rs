//! Selectors by labels, wherever a built-in kind has one.

use serde_json::Value;

use super::metadata::check_labels;
use super::qualified::{complaints_of_name, complaints_of_value};
use crate::kind::Served;
use crate::schema::{FieldError, FieldPath, SchemaRef};
use crate::selector::LabelSelector;

/// What is wrong with the selectors of an object. Claims of a stateful set that is there already are not looked at.
pub(super) fn check(served: &Served, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    let schema = served.version().schema.root();
    let mut errors = Vec::new();
    if schema.is_typed()
        && let Some((schema, spec)) = schema.field("spec").zip(object.get("spec"))
    {
        visit(schema, spec, &FieldPath::root().field("spec"), &mut errors);
    }
    if old.is_some() {
        errors.retain(|error| !error.path.is_in("spec.volumeClaimTemplates"));
    }
    errors
}

/// A workload selects the pods of its own template. What is no selector is not asked what it selects.
pub(super) fn check_own(spec: &Value) -> Option<FieldError> {
    let (selector, labels) = (&spec["selector"], &spec["template"]["metadata"]["labels"]);
    let selects = || LabelSelector::from_object(selector).matches_labels(labels);
    if !selector.is_null() && (!is_valid(selector) || selects()) {
        return None;
    }
    let path = FieldPath::root().field("spec.template.metadata.labels");
    let detail = "`selector` does not match template `labels`";
    Some(FieldError::invalid(path, labels.clone(), detail))
}

pub(super) fn is_valid(selector: &Value) -> bool {
    let mut errors = Vec::new();
    check_selector(selector, &FieldPath::root(), &mut errors);
    errors.is_empty()
}

fn visit(schema: SchemaRef<'_>, value: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if schema
        .definition_name()
        .is_some_and(|name| name.ends_with(".LabelSelector"))
    {
        return check_selector(value, path, errors);
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(entry) = schema.field(name) {
                    visit(entry, field, &path.field(name), errors);
                }
            }
        }
        Value::Array(list) => {
            for (schema, (index, item)) in schema.items().into_iter().cycle().zip(list.iter().enumerate()) {
                visit(schema, item, &path.index(index), errors);
            }
        }
        _ => {}
    }
}

fn check_selector(selector: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    errors.extend(check_labels(&selector["matchLabels"], &path.field("matchLabels")));
    let requirements = selector["matchExpressions"].as_array().into_iter().flatten();
    for (index, requirement) in requirements.enumerate() {
        check_requirement(requirement, &path.field("matchExpressions").index(index), errors);
    }
}

fn check_requirement(requirement: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let text = |field: &str| requirement[field].as_str().unwrap_or_default();
    let values = requirement["values"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let place = path.field("values");
    match text("operator") {
        "In" | "NotIn" if values.is_empty() => {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            errors.push(FieldError::required(place.clone(), detail));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.push(FieldError::forbidden(place.clone(), detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.push(FieldError::invalid(
            path.field("operator"),
            other,
            "not a valid selector operator",
        )),
    }
    let key = text("key");
    errors.extend(
        complaints_of_name(key)
            .into_iter()
            .map(|why| FieldError::invalid(path.field("key"), key, why)),
    );
    for (index, value) in values.iter().enumerate() {
        let value = value.as_str().unwrap_or_default();
        let why = complaints_of_value(value).into_iter();
        errors.extend(why.map(|why| FieldError::invalid(place.index(index), value, why)));
    }
}
