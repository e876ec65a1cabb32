//! Protobuf bodies become the same values that JSON ones do. Go clients of the built-in kinds send nothing else.
//!
//! Only reading: answers are JSON, which every client takes. Field numbers come from a checked-in table.

mod table;
mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::meta;
use crate::refusal::Refusal;
use table::{Field, TABLE};
use wire::{Item, Payload};

/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";
/// No kind nests deeper; what does is no object.
const MAX_DEPTH: usize = 48;

/// Reads an object.
pub(super) fn read(body: &[u8]) -> Result<Value, Refusal> {
    let unreadable = || Refusal::bad_request("the body is not a protobuf object");
    let envelope = body.strip_prefix(MAGIC).ok_or_else(unreadable)?;
    let (type_meta, raw) = open(envelope).ok_or_else(unreadable)?;
    let api_version = type_meta
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let kind = type_meta.get("kind").and_then(Value::as_str).unwrap_or_default();
    let message = table::message_of(api_version, kind)
        .ok_or_else(|| Refusal::unsupported_media_type("application/json, application/yaml"))?;
    let mut object = message_value(message, raw, 0).ok_or_else(unreadable)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    let mut object = Value::Object(object);
    if meta::text(&object, "creationTimestamp").is_empty() {
        meta::remove(&mut object, "creationTimestamp");
    }
    Ok(object)
}

/// Type and content of an envelope (`runtime.Unknown`).
fn open(envelope: &[u8]) -> Option<(Map<String, Value>, &[u8])> {
    let mut type_meta = Map::new();
    let mut raw: &[u8] = &[];
    for item in wire::items(envelope) {
        match item? {
            Item {
                number: 1,
                payload: Payload::Bytes(bytes),
            } => {
                type_meta = message_value("io.k8s.apimachinery.pkg.runtime.TypeMeta", bytes, 0)?;
            }
            Item {
                number: 2,
                payload: Payload::Bytes(bytes),
            } => raw = bytes,
            _ => {}
        }
    }
    Some((type_meta, raw))
}

fn message_value(name: &str, bytes: &[u8], depth: usize) -> Option<Map<String, Value>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let fields = TABLE.get(name)?;
    let mut object = Map::new();
    for item in wire::items(bytes) {
        let item = item?;
        if let Some(field) = fields.get(&item.number) {
            put(&mut object, field, &item.payload, depth)?;
        }
    }
    Some(object)
}

fn put(object: &mut Map<String, Value>, field: &Field, payload: &Payload<'_>, depth: usize) -> Option<()> {
    if let Some(kind) = field.kind.strip_prefix("map:") {
        let (key, value) = entry(kind, payload, depth)?;
        let slot = object
            .entry(field.name)
            .or_insert_with(|| Value::Object(Map::new()));
        slot.as_object_mut()?.insert(key, value);
        return Some(());
    }
    if field.repeated {
        let values = list_values(field.kind, payload, depth)?;
        let slot = object
            .entry(field.name)
            .or_insert_with(|| Value::Array(Vec::new()));
        slot.as_array_mut()?.extend(values);
        return Some(());
    }
    match value(field.kind, payload, depth)? {
        Value::Object(inner) if field.inline => object.extend(inner),
        value if field.pointer || !is_zero(&value) => _ = object.insert(field.name.to_owned(), value),
        _ => {}
    }
    Some(())
}

/// What Go's JSON would leave out of a field that is not a pointer.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn entry(kind: &str, payload: &Payload<'_>, depth: usize) -> Option<(String, Value)> {
    let Payload::Bytes(bytes) = payload else {
        return None;
    };
    let (mut key, mut found) = (String::new(), None);
    for item in wire::items(bytes) {
        let item = item?;
        match item.number {
            1 => key = value("string", &item.payload, depth)?.as_str()?.to_owned(),
            2 => found = Some(value(kind, &item.payload, depth)?),
            _ => {}
        }
    }
    let empty = if matches!(kind, "string" | "bytes") {
        Value::String(String::new())
    } else {
        Value::Null
    };
    Some((key, found.unwrap_or(empty)))
}

/// Numbers of a repeated field may come packed into one item.
fn list_values(kind: &str, payload: &Payload<'_>, depth: usize) -> Option<Vec<Value>> {
    match (kind, payload) {
        ("int32" | "int64" | "uint32" | "uint64" | "bool", Payload::Bytes(bytes)) => wire::varints(bytes)
            .map(|number| value(kind, &Payload::Number(number?), depth))
            .collect(),
        _ => value(kind, payload, depth).map(|value| vec![value]),
    }
}

fn value(kind: &str, payload: &Payload<'_>, depth: usize) -> Option<Value> {
    match (kind, payload) {
        ("string", Payload::Bytes(bytes)) => Some(std::str::from_utf8(bytes).ok()?.into()),
        ("bytes", Payload::Bytes(bytes)) => Some(STANDARD.encode(bytes).into()),
        ("bool", Payload::Number(number)) => Some((*number != 0).into()),
        // Negative numbers travel as two's complement in 64 bits.
        ("int32" | "int64", Payload::Number(number)) => Some(number.cast_signed().into()),
        ("uint32" | "uint64", Payload::Number(number)) => Some((*number).into()),
        ("double", Payload::Number(bits)) => Some(f64::from_bits(*bits).into()),
        (message, Payload::Bytes(bytes)) => {
            let fields = message_value(message, bytes, depth + 1)?;
            Some(plain(message, fields))
        }
        _ => None,
    }
}

/// Messages that JSON writes as something simpler.
fn plain(message: &str, fields: Map<String, Value>) -> Value {
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    let number = |field: &str| fields.get(field).and_then(Value::as_i64).unwrap_or(0);
    match message.rsplit('.').next().unwrap_or_default() {
        "Time" if !fields.is_empty() => timestamp(number("seconds"), 0, "%Y-%m-%dT%H:%M:%SZ"),
        "MicroTime" if !fields.is_empty() => {
            timestamp(number("seconds"), number("nanos"), "%Y-%m-%dT%H:%M:%S.%6fZ")
        }
        "Time" | "MicroTime" => Value::Null,
        "Quantity" => text("string").into(),
        "IntOrString" if number("type") == 1 => text("strVal").into(),
        "IntOrString" => number("intVal").into(),
        "RawExtension" | "FieldsV1" => embedded(fields.values().next()),
        "ExtraValue" => fields
            .get("items")
            .cloned()
            .unwrap_or_else(|| Value::Array(Vec::new())),
        _ => Value::Object(fields),
    }
}

fn timestamp(seconds: i64, nanos: i64, format: &str) -> Value {
    let nanos = i32::try_from(nanos).unwrap_or(0);
    Timestamp::new(seconds, nanos).map_or(Value::Null, |time| time.strftime(format).to_string().into())
}

/// JSON inside of bytes.
fn embedded(bytes: Option<&Value>) -> Value {
    let decoded = bytes
        .and_then(Value::as_str)
        .and_then(|text| STANDARD.decode(text).ok());
    decoded
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A field that holds bytes: key, length, content; all of them short here.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        bytes.extend(content);
        bytes
    }

    fn body(api_version: &str, kind: &str, content: &[u8]) -> Vec<u8> {
        let type_meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &type_meta), field(2, content)].concat()
    }

    #[test]
    fn a_namespace_reads_like_its_json() {
        let labels = field(11, &[field(1, b"a"), field(2, b"b")].concat());
        let metadata = [field(1, b"shop"), field(2, b""), field(8, b""), labels].concat();
        let read = read(&body(
            "v1",
            "Namespace",
            &[field(1, &metadata), field(2, b"")].concat(),
        ))
        .unwrap();
        let expected = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}},
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn a_pointer_to_zero_is_a_value() {
        let read = read(&body("apps/v1", "Deployment", &field(2, &[1 << 3, 0]))).unwrap();
        assert_eq!(read["spec"], json!({"replicas": 0}));
    }

    #[test]
    fn secrets_keep_their_bytes() {
        let data = field(2, &[field(1, b"k"), field(2, b"\xff\x00")].concat());
        assert_eq!(
            super::read(&body("v1", "Secret", &data)).unwrap()["data"],
            json!({"k": "/wA="})
        );
    }

    #[test]
    fn damaged_bodies_are_refused() {
        let whole = body("v1", "Namespace", &field(1, &field(1, b"shop")));
        for end in 0..whole.len() {
            // Cut anywhere it must not panic; most cuts are refused, some leave a shorter object.
            _ = read(&whole[..end]);
        }
        assert!(read(b"").is_err());
        assert!(read(&whole[..6]).is_err());
        assert!(read(&body("v1", "Unheard", b"")).is_err());
    }
}
