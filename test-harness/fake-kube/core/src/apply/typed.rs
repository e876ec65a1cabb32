//! Whether a config fits its schema well enough to be applied, in the words of the API server.

use serde_json::{Map, Value};

use crate::fieldset::{Element, item_element};
use crate::schema::go::{go_syntax, go_type, go_value};
use crate::schema::{ListType, SchemaRef, Type};

const UNDECLARED: &str = "field not declared in schema";

/// Complaints about `config`, each with its path in front.
pub(super) fn complaints(schema: SchemaRef<'_>, config: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, config, "", &mut found);
    // Where the whole object may have any fields, so may its parts.
    if schema.preserves_unknown() && !schema.is_typed() {
        found.retain(|complaint| !complaint.ends_with(UNDECLARED) || complaint.starts_with(".metadata"));
    }
    found
}

/// Whether all items of lists have an identity; two may have the same.
pub(super) fn is_trackable(schema: SchemaRef<'_>, value: &Value) -> bool {
    has_identities(schema, value) && (schema.is_typed() || mistypings(schema, value).is_empty())
}

/// Complaints about values of other types than the schema has.
pub(super) fn mistypings(schema: SchemaRef<'_>, value: &Value) -> Vec<String> {
    let mut complaints = complaints(schema, value);
    complaints.retain(|complaint| complaint.contains(": expected "));
    complaints
}

fn has_identities(schema: SchemaRef<'_>, value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(name, field)| {
            schema
                .child(name)
                .is_none_or(|child| has_identities(child, field))
        }),
        Value::Array(items) => {
            let is_atomic = schema.list_type() == ListType::Atomic;
            items.iter().all(|item| {
                (is_atomic || item_element(schema, item).is_ok())
                    && schema.items().is_none_or(|inner| has_identities(inner, item))
            })
        }
        _ => true,
    }
}

/// One complaint as it is, several as a list.
pub(super) fn listed(complaints: &[String]) -> String {
    match complaints {
        [only] => only.clone(),
        several => format!("errors:\n  {}", several.join("\n  ")),
    }
}

fn check(schema: SchemaRef<'_>, value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        other if is_quantity(schema) => {
            if !is_scalar(other) {
                found.push(said_of(
                    path,
                    &format!("expected any scalar, got &{{{}}}", go_value(other)),
                ));
            }
        }
        Value::Object(fields) if takes(schema, Type::Object) => check_object(schema, fields, path, found),
        Value::Array(items) if takes(schema, Type::Array) => check_list(schema, items, path, found),
        other => {
            if let Some(complaint) = wrong_type(schema, other) {
                found.push(said_of(path, &complaint));
            }
        }
    }
}

fn is_quantity(schema: SchemaRef<'_>) -> bool {
    schema
        .definition_name()
        .is_some_and(|name| name.ends_with(".Quantity"))
}

fn takes(schema: SchemaRef<'_>, kind: Type) -> bool {
    schema.kind().is_none_or(|declared| declared == kind)
}

fn check_object(schema: SchemaRef<'_>, fields: &Map<String, Value>, path: &str, found: &mut Vec<String>) {
    for (name, field) in fields {
        let path = format!("{path}.{name}");
        match schema.child(name) {
            Some(child) => check(child, field, &path, found),
            None => {
                found.push(said_of(&path, UNDECLARED));
                return;
            }
        }
    }
}

fn check_list(schema: SchemaRef<'_>, items: &[Value], path: &str, found: &mut Vec<String>) {
    let is_atomic = schema.list_type() == ListType::Atomic;
    let mut seen: Vec<Element> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let element = if is_atomic {
            Ok(Element::Index(index as u64))
        } else {
            item_element(schema, item)
        };
        let element = match element {
            Ok(element) => element,
            Err(error) => {
                found.push(said_of(path, &format!("element {index}: {error}")));
                return;
            }
        };
        if seen.contains(&element) {
            found.push(said_of(path, &format!("duplicate entries for key {element}")));
        }
        if let Some(item_schema) = schema.items() {
            check(item_schema, item, &format!("{path}{element}"), found);
        }
        seen.push(element);
    }
}

fn wrong_type(schema: SchemaRef<'_>, value: &Value) -> Option<String> {
    // What may be of two types is of any here.
    let kind = schema.kind()?;
    if schema.format() == Some("date-time") {
        return (!is_scalar(value)).then(|| format!("expected any scalar, got &{{{}}}", go_value(value)));
    }
    match (kind, value) {
        (Type::Integer | Type::Number, Value::Number(_)) => None,
        (Type::String, Value::String(_)) | (Type::Boolean, Value::Bool(_)) => None,
        (Type::Integer | Type::Number, other) => {
            Some(format!("expected numeric (int or float), got {}", go_type(other)))
        }
        (Type::String, other) => Some(format!(
            "expected string, got &value.valueUnstructured{{Value:{}}}",
            go_syntax(other)
        )),
        (Type::Boolean, other) => Some(format!("expected boolean, got &{{{}}}", go_value(other))),
        (Type::Array, other) => Some(format!("expected list, got &{{{}}}", go_value(other))),
        (Type::Object, other) => Some(format!("expected map, got &{{{}}}", go_value(other))),
    }
}

fn said_of(path: &str, complaint: &str) -> String {
    if path.is_empty() {
        complaint.to_owned()
    } else {
        format!("{path}: {complaint}")
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}
