//! The numbers and the selector that a custom kind's scale subresource points at.

use serde_json::Value;

use crate::kind::Served;
use crate::schema::go::{go_type, go_value};
use crate::schema::{FieldError, FieldPath};

const MAP: &str = "map[string]interface{}";
const MAX: i64 = i32::MAX as i64;

/// What is wrong at the paths of the scale subresource.
pub(super) fn check(served: &Served, object: &Value) -> Vec<FieldError> {
    let Some(scale) = served
        .version()
        .scale
        .as_ref()
        .filter(|_| served.kind.custom.is_some())
    else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    errors.extend(check_number(&scale.spec_replicas, object));
    errors.extend(check_number(&scale.status_replicas, object));
    errors.extend(scale.selector.as_ref().and_then(|path| check_text(path, object)));
    errors
}

fn check_text(path: &[String], object: &Value) -> Option<FieldError> {
    match at(object, path) {
        Ok(value) => {
            let value = value.filter(|value| !value.is_string())?;
            Some(mistyped(path, value, "".into(), "string"))
        }
        Err(value) => Some(mistyped(path, value, "".into(), MAP)),
    }
}

fn check_number(path: &[String], object: &Value) -> Option<FieldError> {
    let value = match at(object, path) {
        Ok(value) => value?,
        Err(value) => return Some(mistyped(path, value, 0.into(), MAP)),
    };
    let Some(number) = value.as_i64() else {
        return Some(mistyped(path, value, 0.into(), "int64"));
    };
    let detail = match number {
        ..0 => "should be a non-negative integer".to_owned(),
        0..=MAX => return None,
        _ => format!("should be less than or equal to {MAX}"),
    };
    Some(FieldError::invalid(field(path), number, detail))
}

fn mistyped(path: &[String], value: &Value, shown: Value, expected: &str) -> FieldError {
    let detail = format!(
        ".{} accessor error: {} is of the type {}, expected {expected}",
        path.join("."),
        go_value(value),
        go_type(value)
    );
    FieldError::invalid(field(path), shown, detail)
}

/// Written as in the definition, with a dot in front.
fn field(path: &[String]) -> FieldPath {
    FieldPath::root().field(&format!(".{}", path.join(".")))
}

/// The value at a path, or what stands in its way.
fn at<'a>(object: &'a Value, path: &[String]) -> Result<Option<&'a Value>, &'a Value> {
    let mut value = object;
    for name in path {
        if value.is_null() {
            return Ok(None);
        }
        let Some(fields) = value.as_object() else {
            return Err(value);
        };
        match fields.get(name) {
            Some(field) => value = field,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}
