//! Lists of type set and map name nothing twice.

use serde_json::{Map, Value};

use super::invalid;
use crate::schema::{FieldError, FieldPath, ListType, Problem, SchemaRef};

/// Complains about every first repetition, lists inside of lists included. Not in typed values: of which of their
/// lists that is asked, code decides and not the schema.
pub(super) fn check_uniqueness(
    schema: SchemaRef<'_>,
    value: &Value,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(entry) = schema.entry(name) {
                    check_uniqueness(entry, field, &path.field(name), errors);
                }
            }
        }
        Value::Array(items) => {
            check_list(schema, items, path, errors);
            if let Some(item_schema) = schema.items() {
                for (index, item) in items.iter().enumerate() {
                    check_uniqueness(item_schema, item, &path.index(index), errors);
                }
            }
        }
        _ => {}
    }
}

fn check_list(schema: SchemaRef<'_>, items: &[Value], path: &FieldPath, errors: &mut Vec<FieldError>) {
    match schema.list_type() {
        _ if schema.is_typed() => {}
        ListType::Atomic => {}
        ListType::Set => report_repeated(items, path, errors),
        ListType::Map => match items.iter().position(|item| !item.is_object() && !item.is_null()) {
            Some(index) => {
                let detail = "must be an object for an array of list-type map".to_owned();
                errors.push(invalid(&path.index(index), items[index].clone(), detail));
            }
            None => {
                let keys: Vec<Value> = items.iter().map(|item| keys_of(schema, item)).collect();
                report_repeated(&keys, path, errors);
            }
        },
    }
}

pub(super) fn keys_of(schema: SchemaRef<'_>, item: &Value) -> Value {
    let key = |name: &str| Some((name.to_owned(), item.get(name)?.clone()));
    Value::Object(
        schema
            .list_keys()
            .iter()
            .filter_map(|name| key(name))
            .collect::<Map<_, _>>(),
    )
}

fn report_repeated(values: &[Value], path: &FieldPath, errors: &mut Vec<FieldError>) {
    for (index, value) in values.iter().enumerate() {
        if values[..index].iter().filter(|earlier| *earlier == value).count() == 1 {
            let problem = Problem::Duplicate { value: value.clone() };
            errors.push(FieldError {
                path: path.index(index),
                problem,
            });
        }
    }
}
