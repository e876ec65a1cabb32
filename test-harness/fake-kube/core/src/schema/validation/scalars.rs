//! Text, numbers and enumerations.

use serde_json::{Number, Value};

use super::{format, invalid, mistyped};
use crate::schema::node::Limits;
use crate::schema::{FieldError, FieldPath, Problem, SchemaRef, Type};

pub(super) fn check_text(schema: SchemaRef<'_>, text: &str, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let Some(limits) = schema.limits() else { return };
    if let Some(error) = text_error(limits, text, path) {
        errors.push(error);
    }
    if let Some(name) = limits.format.as_deref()
        && (!format::is_valid(name, text) || is_no_bytes(schema, name, text))
    {
        errors.push(mistyped(path, name, text));
    }
}

/// No bytes at all are none to what reads a custom resource.
fn is_no_bytes(schema: SchemaRef<'_>, format: &str, text: &str) -> bool {
    format == "byte" && text.is_empty() && !schema.is_typed()
}

/// The first rule that the text breaks; the API server names no more.
fn text_error(limits: &Limits, text: &str, path: &FieldPath) -> Option<FieldError> {
    let length = text.chars().count() as u64;
    if let Some(max) = limits.max_length.filter(|max| length > *max) {
        return Some(FieldError {
            path: path.clone(),
            problem: Problem::TooLong { max },
        });
    }
    if let Some(min) = limits.min_length.filter(|min| length < *min) {
        let detail = format!("{path} in body should be at least {min} chars long");
        return Some(invalid(path, text.into(), detail));
    }
    let pattern = limits.pattern.as_ref().filter(|pattern| !pattern.matches(text))?;
    let detail = format!("{path} in body should match '{}'", pattern.source());
    Some(invalid(path, text.into(), detail))
}

pub(super) fn check_number(
    schema: SchemaRef<'_>,
    number: &Number,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let unlimited = Limits::default();
    let limits = schema.limits().unwrap_or(&unlimited);
    if let Some(error) = range_error(schema, limits, number, path) {
        errors.push(error);
    }
    let value = number.as_f64().unwrap_or_default();
    let mut complain = |rule: &str, limit: &Number| {
        let detail = format!("{path} in body should be {rule} {}", bound(limit));
        errors.push(invalid(path, Value::Number(number.clone()), detail));
    };
    if let Some(factor) = &limits.multiple_of
        && (value / bound(factor)).fract() != 0.0
    {
        complain("a multiple of", factor);
    }
    if let Some(max) = &limits.maximum {
        if limits.exclusive_maximum && value >= bound(max) {
            complain("less than", max);
        } else if value > bound(max) {
            complain("less than or equal to", max);
        }
    }
    if let Some(min) = &limits.minimum {
        if limits.exclusive_minimum && value <= bound(min) {
            complain("greater than", min);
        } else if value < bound(min) {
            complain("greater than or equal to", min);
        }
    }
}

fn bound(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// A complaint without a field of its own: the API server names it in the text only.
fn range_error(
    schema: SchemaRef<'_>,
    limits: &Limits,
    number: &Number,
    path: &FieldPath,
) -> Option<FieldError> {
    if schema.kind() != Some(Type::Integer) {
        return None;
    }
    let value = number.as_f64().unwrap_or_default();
    let is_int32 = limits.format.as_deref() == Some("int32");
    let fits = !is_int32 || (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
    if value.fract() == 0.0 && fits {
        return None;
    }
    let format = match limits.format.as_deref() {
        Some(format) => format!("with format {format}"),
        None => "(default format)".to_owned(),
    };
    let detail = format!("Checked value must be of type integer {format} in {path}");
    Some(invalid(&FieldPath::root(), "".into(), detail))
}

pub(super) fn check_enumeration(
    schema: SchemaRef<'_>,
    value: &Value,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let Some(allowed) = schema.limits().and_then(|limits| limits.allowed.as_deref()) else {
        return;
    };
    if allowed.contains(value) {
        return;
    }
    let shown = |each: &Value| each.as_str().map_or_else(|| each.to_string(), str::to_owned);
    let allowed = allowed.iter().map(shown).collect();
    errors.push(FieldError {
        path: path.clone(),
        problem: Problem::Unsupported {
            value: value.clone(),
            allowed,
        },
    });
}
