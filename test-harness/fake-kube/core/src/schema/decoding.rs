//! Values of the wrong type in built-in kinds.
//!
//! The server refuses these before anything else, when it decodes the body into its own types, and says so in the
//! words of Go's decoder.

use serde_json::Value;

use super::canonical::Scalar;
use super::go::json_type;
use super::{Schema, SchemaRef, Type};

/// Why a server cannot read `object` as a value of its built-in type, if so:
/// `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
///
/// Of custom resources it reads the metadata only; [`super::validate`] checks the rest.
pub fn undecodable(schema: &Schema, object: &Value) -> Option<String> {
    let place = Place {
        owner: String::new(),
        path: Vec::new(),
    };
    if schema.root().is_typed() {
        // What reads itself ends the reading; anything else is told of at its end.
        let own = refusal(schema.root(), object, &place, true);
        return own.or_else(|| refusal(schema.root(), object, &place, false));
    }
    refusal(
        schema.root().entry("metadata")?,
        object.get("metadata")?,
        &place,
        false,
    )
}

/// The same of a config that is applied, which is not decoded but converted.
pub fn unconvertible(schema: &Schema, object: &Value) -> Option<String> {
    let why = undecodable(schema, object)?;
    let Some((found, place)) = why.split_once(" into Go struct field ") else {
        return Some(why);
    };
    let (_, expected) = place.rsplit_once(" of type ")?;
    let place = Place {
        owner: String::new(),
        path: Vec::new(),
    };
    let reads_itself = refusal(schema.root(), object, &place, true).is_some();
    if found.contains('.') && !reads_itself {
        return Some(format!("cannot convert float64 to {expected}"));
    }
    // A number that is too large is cut to fit.
    let is_cut = found.contains("number ") && !reads_itself;
    (!is_cut).then(|| format!("{found} into Go value of type {expected}"))
}

/// Where in the Go types: the innermost struct, and the fields on the way to it.
struct Place {
    owner: String,
    path: Vec<String>,
}

impl Place {
    fn field(&self, owner: SchemaRef<'_>, name: &str) -> Self {
        let owner = owner
            .definition_name()
            .map_or_else(|| self.owner.clone(), |name| last_part(name).to_owned());
        Self {
            owner,
            path: [self.path.as_slice(), &[name.to_owned()]].concat(),
        }
    }

    /// Entries of a map are at the field of the map.
    fn entry(&self) -> Self {
        Self {
            owner: self.owner.clone(),
            path: self.path.clone(),
        }
    }
}

fn refusal(schema: SchemaRef<'_>, value: &Value, place: &Place, is_own: bool) -> Option<String> {
    if !schema.is_typed() || value.is_null() {
        return None;
    }
    if let Some(scalar) = Scalar::of(schema) {
        if !matches!(scalar, Scalar::Quantity) && !value.is_string() {
            return Some(unfit(json_type(value).to_owned(), "string", place));
        }
        return scalar.read(value).err();
    }
    if schema.is_int_or_string() {
        let found = match value {
            Value::Number(number) => format!("number {number}"),
            other => json_type(other).to_owned(),
        };
        let is_number = value.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
        return (!value.is_string() && !is_number).then(|| unfit(found, "int32", place));
    }
    match value {
        Value::Object(fields) if schema.kind() == Some(Type::Object) => {
            fields.iter().find_map(|(name, field)| match schema.field(name) {
                Some(entry) => refusal(entry, field, &place.field(schema, name), is_own),
                None => refusal(schema.additional()?, field, &place.entry(), is_own),
            })
        }
        Value::Array(items) if schema.format() == Some("byte") && !is_own => {
            let stray = items.iter().find(|item| !item.is_number() && !item.is_null())?;
            Some(unfit(json_type(stray).to_owned(), "uint8", place))
        }
        Value::Array(items) if schema.kind() == Some(Type::Array) => {
            let item_schema = schema.items()?;
            items
                .iter()
                .find_map(|item| refusal(item_schema, item, &place.entry(), is_own))
        }
        _ if is_own => None,
        Value::String(text) if schema.format() == Some("byte") => illegal_base64(text),
        value if fits(schema.kind(), value) && !is_too_large(schema, value) => None,
        value => Some(unfit(found(schema, value), &go_type_of(schema), place)),
    }
}

fn unfit(found: String, expected: &str, place: &Place) -> String {
    format!(
        "json: cannot unmarshal {found} into Go struct field {}.{} of type {expected}",
        place.owner,
        place.path.join("."),
    )
}

/// A number of the wrong kind is shown, anything else named.
fn found(schema: SchemaRef<'_>, value: &Value) -> String {
    match value {
        Value::Number(number) if schema.kind() == Some(Type::Integer) => format!("number {number}"),
        other => json_type(other).to_owned(),
    }
}

fn illegal_base64(text: &str) -> Option<String> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    let body = text.trim_end_matches('=');
    let at = match body.bytes().position(|byte| !is_legal(byte)) {
        Some(at) => at,
        None if text.len().is_multiple_of(4) && text.len() - body.len() <= 2 => return None,
        None => body.len() / 4 * 4,
    };
    Some(format!("illegal base64 data at input byte {at}"))
}

fn is_too_large(schema: SchemaRef<'_>, value: &Value) -> bool {
    let is_short = schema.kind() == Some(Type::Integer) && schema.format() == Some("int32");
    is_short && value.as_i64().is_none_or(|number| i32::try_from(number).is_err())
}

fn fits(kind: Option<Type>, value: &Value) -> bool {
    match kind {
        None => true,
        Some(Type::Object | Type::Array) => false,
        Some(Type::String) => value.is_string(),
        Some(Type::Integer) => value.is_i64() || value.is_u64(),
        Some(Type::Number) => value.is_number(),
        Some(Type::Boolean) => value.is_boolean(),
    }
}

/// The Go type of a field, as far as the schema tells: named types of text are not in it.
fn go_type_of(schema: SchemaRef<'_>) -> String {
    if let Some(name) = schema.definition_name() {
        let mut parts = name.rsplit('.');
        let (kind, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        return format!("{version}.{kind}");
    }
    let of = |schema: Option<SchemaRef<'_>>| schema.map_or_else(|| "interface {}".to_owned(), go_type_of);
    match schema.kind() {
        None => "interface {}".to_owned(),
        Some(Type::Object) => format!("map[string]{}", of(schema.additional())),
        Some(Type::Array) => format!("[]{}", of(schema.items())),
        Some(Type::String) if schema.format() == Some("byte") => "[]uint8".to_owned(),
        Some(Type::String) => "string".to_owned(),
        Some(Type::Integer) => schema.format().unwrap_or("int64").to_owned(),
        Some(Type::Number) => "float64".to_owned(),
        Some(Type::Boolean) => "bool".to_owned(),
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}
