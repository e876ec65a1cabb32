//! Filling in what was left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::canonical::Scalar;
use super::reference::zero_value;
use super::{Schema, SchemaRef, Type};

/// Drops what is not a value, and fills in defaults, in that order, as the API server does when it reads an object
/// from a request.
///
/// Null is dropped where the schema does not allow it. In typed values, empty optional lists and maps are dropped
/// as well: the server cannot tell them from absent ones.
pub fn default(schema: &Schema, object: &mut Value) {
    drop_hollow(schema.root(), object, true);
    fill_in(schema.root(), object);
}

/// The same for an object that comes out of an apply. There, a null that a custom resource's config brings along
/// stays, unless there is a default for it, and validation refuses it.
pub fn default_applied(schema: &Schema, object: &mut Value) {
    drop_hollow(schema.root(), object, false);
    fill_in(schema.root(), object);
}

/// Drops the nulls that validation let pass, where a custom resource's schema knows no type: nobody reads them back.
/// Says whether there were any.
pub fn forget_nulls(schema: &Schema, object: &mut Value) -> bool {
    if schema.root().is_typed() || !holds_null(object) {
        return false;
    }
    let sent = object.clone();
    drop_hollow(schema.root(), object, true);
    *object != sent
}

pub(crate) fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().any(holds_null),
        Value::Array(items) => items.iter().any(holds_null),
        _ => false,
    }
}

/// Fills in what the server itself gives a new object of a built-in kind, after its writer's fields are recorded:
/// nobody owns these.
pub fn complete(schema: &Schema, object: &mut Value) {
    fill_in_at_creation(schema.root(), object);
}

fn drop_hollow(schema: SchemaRef<'_>, value: &mut Value, drops_nulls: bool) {
    match value {
        Value::Object(fields) => fields.retain(|name, field| {
            let Some(entry) = schema.entry(name) else {
                return true;
            };
            if schema.is_typed() && field.is_null() && schema.field(name).is_none() {
                *field = zero_of_entry(entry);
            }
            if let Some(bytes) = listed_bytes(schema, entry, field) {
                *field = bytes;
            }
            drop_hollow(entry, field, drops_nulls);
            let is_lost = schema.is_typed() && is_zero(schema, entry, name, field);
            let is_refused = drops_nulls && field.is_null() && !entry.is_nullable();
            !is_lost && !is_refused
        }),
        Value::Array(list) => {
            if let Some(items) = schema.items() {
                for item in list {
                    if schema.is_typed() && item.is_null() && items.kind() == Some(Type::String) {
                        // In a list of texts a null is a text.
                        *item = Value::from("");
                    }
                    if schema.is_typed() && item.is_null() && items.kind() == Some(Type::Object) {
                        *item = Value::Object(Map::new());
                    }
                    drop_hollow(items, item, drops_nulls);
                }
            }
        }
        _ => {}
    }
}

/// What a null is as an entry of a map: in one of texts a text, in one of quantities a quantity.
fn zero_of_entry(entry: SchemaRef<'_>) -> Value {
    match (Scalar::of(entry), entry.kind()) {
        (Some(Scalar::Quantity), _) => "0".into(),
        (_, Some(Type::String)) => "".into(),
        _ => Value::Null,
    }
}

/// Bytes may be given one by one; they are shown as text.
fn listed_bytes(object: SchemaRef<'_>, field: SchemaRef<'_>, value: &Value) -> Option<Value> {
    if !object.is_typed() || field.format() != Some("byte") {
        return None;
    }
    let byte = |item: &Value| match item {
        Value::Null => Some(0),
        item => item.as_u64().and_then(|number| u8::try_from(number).ok()),
    };
    let bytes: Vec<u8> = value.as_array()?.iter().map(byte).collect::<Option<_>>()?;
    Some(STANDARD.encode(bytes).into())
}

/// Whether a typed object forgets this field once it is stored, though it is something: an empty list or map.
pub(crate) fn is_forgotten(object: SchemaRef<'_>, field: SchemaRef<'_>, name: &str, value: &Value) -> bool {
    let may_be_empty = matches!(value, Value::Array(_) | Value::Object(_));
    let is_filled = || object.rules().iter().any(|rule| rule.fills(name));
    may_be_empty && object.is_typed() && is_zero(object, field, name, value) && !is_filled()
}

/// Whether a typed object forgets this field.
fn is_zero(object: SchemaRef<'_>, field: SchemaRef<'_>, name: &str, value: &Value) -> bool {
    let is_empty = match value {
        Value::Null => return true,
        _ if field.vanishes() && is_scalar_zero(value) => return true,
        // What may be of any type is told from nothing, as an empty default of a definition.
        Value::Array(items) => items.is_empty() && field.kind().is_some(),
        Value::Object(entries) => entries.is_empty() && is_map(field),
        _ => false,
    };
    is_empty && !object.requires(name) && !TELLING.contains(&name)
}

fn is_scalar_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(is_true) => !is_true,
        _ => false,
    }
}

/// Lists that mean something when they are empty: owners are reset, and policies of an autoscaler are not filled in.
const TELLING: [&str; 2] = ["managedFields", "policies"];

/// Entries instead of fields.
fn is_map(schema: SchemaRef<'_>) -> bool {
    schema.kind() == Some(Type::Object) && schema.additional().is_some()
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

/// Rules know better than the schema's own defaults.
fn fill_in_fields(schema: SchemaRef<'_>, fields: &mut Map<String, Value>) {
    for rule in schema.rules().iter().filter(|rule| !rule.is_for_creation()) {
        rule.carry_out(fields);
    }
    if shows_zeros(schema) {
        for name in schema.required() {
            fields.entry(name).or_insert_with(|| zero_of(schema.field(name)));
        }
    }
    for (name, field) in schema.fields() {
        if let Some(default) = field.default_value()
            && !(field.vanishes() && is_scalar_zero(default))
            && (!fields.contains_key(name) || is_null_by_mistake(field, &fields[name]))
        {
            fields.insert(name.to_owned(), default.clone());
        }
    }
}

/// Typed objects whose required fields nobody insists on: they are there, and zero.
fn shows_zeros(schema: SchemaRef<'_>) -> bool {
    const ENDS: [&str; 4] = ["Condition", ".HTTPHeader", ".OwnerReference", ".SleepAction"];
    schema
        .definition_name()
        .is_some_and(|name| ENDS.iter().any(|end| name.ends_with(end)))
}

/// A time that was not given is none.
fn zero_of(field: Option<SchemaRef<'_>>) -> Value {
    match field {
        Some(field) if field.format() == Some("date-time") => Value::Null,
        field => zero_value(field.and_then(|field| field.kind())),
    }
}

fn is_null_by_mistake(schema: SchemaRef<'_>, value: &Value) -> bool {
    value.is_null() && !schema.is_nullable()
}

fn fill_in_at_creation(schema: SchemaRef<'_>, value: &mut Value) {
    if let Value::Object(fields) = value {
        for rule in schema.rules().iter().filter(|rule| rule.is_for_creation()) {
            rule.carry_out(fields);
        }
        for (name, field) in fields {
            if let Some(entry) = schema.entry(name) {
                fill_in_at_creation(entry, field);
            }
        }
    }
}
