//! Rules of `x-kubernetes-validations`.

use serde_json::Value;

use crate::schema::field_rule::FieldRule;
use crate::schema::{FieldError, FieldPath, Problem, SchemaRef};

/// Says that rules were not looked at.
pub(super) fn skipped() -> FieldError {
    FieldError {
        path: FieldPath::root(),
        problem: Problem::Invalid {
            value: Value::Null,
            detail: SKIPPED.to_owned(),
        },
    }
}

const SKIPPED: &str = "some validation rules were not checked because the object was invalid; \
     correct the existing errors to complete validation";

/// What rules complain of.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) errors: Vec<FieldError>,
    /// Of what is as it was before.
    pub(super) excused: Vec<FieldError>,
}

/// Complaints of all rules, of objects inside of objects too. For values of the right types and sizes.
pub(super) fn check(
    schema: SchemaRef<'_>,
    value: &Value,
    old: Option<&Value>,
    path: &FieldPath,
    found: &mut Found,
) {
    let is_as_before = old == Some(value);
    let rules = schema.field_rules().iter();
    let complaints = rules.filter_map(|rule| complaint(rule, value, old, path));
    if is_as_before {
        found.excused.extend(complaints);
    } else {
        found.errors.extend(complaints);
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(entry) = schema.entry(name) {
                    let before = old.and_then(|old| old.get(name));
                    check(entry, field, before, &path.field(name), found);
                }
            }
        }
        Value::Array(items) => {
            if let Some(item_schema) = schema.items() {
                for (index, item) in items.iter().enumerate() {
                    let before = match is_as_before {
                        true => Some(item),
                        false => super::item_before(schema, old, item),
                    };
                    check(item_schema, item, before, &path.index(index), found);
                }
            }
        }
        _ => {}
    }
}

fn complaint(rule: &FieldRule, value: &Value, old: Option<&Value>, path: &FieldPath) -> Option<FieldError> {
    match rule.holds_for(value, old)? {
        Ok(true) => None,
        Ok(false) => {
            let said = rule.said_of(value, old);
            let said = said.unwrap_or_else(|| format!("failed rule: {}", rule.source));
            Some(FieldError {
                path: rule.path_from(path),
                problem: problem(rule, value, said),
            })
        }
        Err(error) => {
            let said = rule.message.as_deref().unwrap_or(&rule.source);
            let detail = format!("{error} evaluating rule: {said}");
            let value = Value::from(super::type_name(value));
            Some(FieldError {
                path: path.clone(),
                problem: Problem::Invalid { value, detail },
            })
        }
    }
}

/// Objects and lists are not shown.
fn problem(rule: &FieldRule, value: &Value, detail: String) -> Problem {
    match rule.reason.as_deref() {
        Some("FieldValueForbidden") => Problem::Forbidden { detail },
        Some("FieldValueRequired") => Problem::Required { detail },
        _ if value.is_object() || value.is_array() => Problem::RuleBroken { detail },
        _ => Problem::Invalid {
            value: value.clone(),
            detail,
        },
    }
}

/// Whether rules are looked at beside this complaint: only where it leaves the object in its shape.
pub(super) fn may_follow(error: &FieldError) -> bool {
    match error.problem {
        Problem::Invalid { .. }
        | Problem::RuleBroken { .. }
        | Problem::Duplicate { .. }
        | Problem::NotFound { .. }
        | Problem::Forbidden { .. } => true,
        Problem::Required { .. }
        | Problem::WrongType { .. }
        | Problem::Unsupported { .. }
        | Problem::TooLong { .. }
        | Problem::TooMany { .. } => false,
    }
}
