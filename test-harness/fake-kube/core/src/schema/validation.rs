//! Checking an object against its schema.

use serde_json::Value;

use super::{FieldError, FieldPath, Problem, Schema, SchemaRef};

/// What is wrong with `object`; empty when nothing is.
pub fn validate(schema: &Schema, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check(schema.root(), object, &FieldPath::root(), &mut errors);
    errors
}

fn check(schema: SchemaRef<'_>, value: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(entry) = schema.entry(name) {
                    check(entry, field, &path.field(name), errors);
                }
            }
            for name in schema.required().filter(|name| !fields.contains_key(*name)) {
                let problem = Problem::Required {
                    detail: String::new(),
                };
                errors.push(FieldError {
                    path: path.field(name),
                    problem,
                });
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.items() {
                for (index, item) in list.iter().enumerate() {
                    check(items, item, &path.index(index), errors);
                }
            }
        }
        _ => {}
    }
}
