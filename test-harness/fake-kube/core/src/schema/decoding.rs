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
        return refusal(schema.root(), object, &place);
    }
    refusal(schema.root().entry("metadata")?, object.get("metadata")?, &place)
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

fn refusal(schema: SchemaRef<'_>, value: &Value, place: &Place) -> Option<String> {
    if !schema.is_typed() || value.is_null() {
        return None;
    }
    if let Some(scalar) = Scalar::of(schema) {
        return scalar.read(value).err();
    }
    match value {
        Value::Object(fields) if schema.kind() == Some(Type::Object) => {
            fields.iter().find_map(|(name, field)| match schema.field(name) {
                Some(entry) => refusal(entry, field, &place.field(schema, name)),
                None => refusal(schema.additional()?, field, &place.entry()),
            })
        }
        Value::Array(items) if schema.kind() == Some(Type::Array) => {
            let item_schema = schema.items()?;
            items
                .iter()
                .find_map(|item| refusal(item_schema, item, &place.entry()))
        }
        Value::String(text) if schema.format() == Some("byte") => illegal_base64(text),
        value if fits(schema.kind(), value) => None,
        value => Some(format!(
            "json: cannot unmarshal {} into Go struct field {}.{} of type {}",
            found(schema, value),
            place.owner,
            place.path.join("."),
            go_type_of(schema)
        )),
    }
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
        Some(Type::String) => "string".to_owned(),
        Some(Type::Integer) => schema.format().unwrap_or("int64").to_owned(),
        Some(Type::Number) => "float64".to_owned(),
        Some(Type::Boolean) => "bool".to_owned(),
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}
