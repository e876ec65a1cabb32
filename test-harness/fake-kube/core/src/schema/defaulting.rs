//! Filling in what was left out.

use serde_json::{Map, Value};

use super::{Schema, SchemaRef, Type};

/// Drops what is not a value, and fills in defaults, in that order, as the API server does when it reads an object
/// from a request.
///
/// Null is dropped where the schema does not allow it. Of built-in kinds, optional lists and maps that are empty are
/// dropped too: the server holds those kinds as typed values, and cannot tell them from absent ones.
pub fn default(schema: &Schema, object: &mut Value) {
    let drops = if schema.is_builtin() {
        drops_builtin
    } else {
        drops_custom
    };
    drop_hollow(schema.root(), object, drops);
    fill_in(schema.root(), object);
}

/// Whether a field with this name and value is as good as absent, given the schemas of object and field.
type Drops = fn(SchemaRef<'_>, SchemaRef<'_>, &str, &Value) -> bool;

/// A default beats null, and is put in its place later.
fn drops_custom(_: SchemaRef<'_>, field: SchemaRef<'_>, _: &str, value: &Value) -> bool {
    value.is_null() && !field.is_nullable()
}

fn drops_builtin(object: SchemaRef<'_>, field: SchemaRef<'_>, name: &str, value: &Value) -> bool {
    let is_empty = match value {
        Value::Null => return true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty() && is_map(field),
        _ => false,
    };
    is_empty && !object.requires(name)
}

/// Entries instead of fields.
fn is_map(schema: SchemaRef<'_>) -> bool {
    schema.kind() == Some(Type::Object) && schema.additional().is_some()
}

fn drop_hollow(schema: SchemaRef<'_>, value: &mut Value, drops: Drops) {
    match value {
        Value::Object(fields) => fields.retain(|name, field| match schema.entry(name) {
            Some(entry) => {
                drop_hollow(entry, field, drops);
                !drops(schema, entry, name, field)
            }
            None => true,
        }),
        Value::Array(list) => {
            if let Some(items) = schema.items() {
                list.iter_mut().for_each(|item| drop_hollow(items, item, drops));
            }
        }
        _ => {}
    }
}

fn fill_in(schema: SchemaRef<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fill_in_fields(schema, fields);
            for (name, field) in fields {
                if let Some(entry) = schema.entry(name) {
                    fill_in(entry, field);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.items() {
                list.iter_mut().for_each(|item| fill_in(items, item));
            }
        }
        _ => {}
    }
}

fn fill_in_fields(schema: SchemaRef<'_>, fields: &mut Map<String, Value>) {
    for (name, field) in schema.fields() {
        if let Some(default) = field.default_value()
            && !fields.contains_key(name)
        {
            fields.insert(name.to_owned(), default.clone());
        }
    }
    for rule in schema.rules() {
        rule.carry_out(fields);
    }
}
