//! Values that a server of typed objects reads in several spellings and writes in one: times and quantities.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::quantity;
use super::{Schema, SchemaRef};

/// Rewrites times and quantities as the server writes them. Values that are none stay.
pub fn canonicalize(schema: &Schema, object: &mut Value) {
    if schema.root().is_typed() {
        rewrite(schema.root(), object);
    }
}

fn rewrite(schema: SchemaRef<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(entry) = schema.entry(name) {
                    rewrite(entry, field);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                items.iter_mut().for_each(|item| rewrite(schema, item));
            }
        }
        scalar => {
            if let Some(Ok(canonical)) = Scalar::of(schema).map(|kind| kind.read(scalar)) {
                *scalar = canonical;
            }
        }
    }
}

/// Whether the server holds a time or a quantity as it was sent otherwise than it reads back what it writes of it.
pub(crate) fn is_respelled(schema: SchemaRef<'_>, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    match Scalar::of(schema) {
        Some(Scalar::Quantity) => quantity::is_respelled(&text),
        Some(Scalar::Time) => text
            .parse()
            .is_ok_and(|time: Timestamp| time.subsec_nanosecond() != 0),
        Some(Scalar::MicroTime) | None => false,
    }
}

/// Whether a quantity is left out here that the server shows as zero: it holds that as something else than a zero.
pub(crate) fn lacks_quantity(schema: SchemaRef<'_>, fields: &Map<String, Value>) -> bool {
    let is_quantity = |field: SchemaRef<'_>| matches!(Scalar::of(field), Some(Scalar::Quantity));
    let is_filled = |name: &str| schema.rules().iter().any(|rule| rule.fills(name));
    let mut declared = schema.fields();
    let is_absent = |name: &str| fields.get(name).is_none_or(Value::is_null);
    let lacks_field = declared.any(|(name, field)| is_quantity(field) && is_absent(name) && is_filled(name));
    let has_null = schema.additional().is_some_and(is_quantity) && fields.values().any(Value::is_null);
    lacks_field || has_null
}

/// Scalars that the server holds as more than text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar {
    Time,
    MicroTime,
    Quantity,
}

impl Scalar {
    pub(super) fn of(schema: SchemaRef<'_>) -> Option<Self> {
        match schema.definition_name()?.rsplit('.').next()? {
            "Time" => Some(Self::Time),
            "MicroTime" => Some(Self::MicroTime),
            "Quantity" => Some(Self::Quantity),
            _ => None,
        }
    }

    /// The value as the server writes it, or why it cannot read it.
    pub(super) fn read(self, value: &Value) -> Result<Value, String> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match self {
            Self::Quantity => quantity::canonical(&text).map(Value::from),
            Self::Time => read_time(&text, "2006-01-02T15:04:05Z07:00", "%Y-%m-%dT%H:%M:%SZ", None),
            Self::MicroTime => read_time(
                &text,
                "2006-01-02T15:04:05.000000Z07:00",
                "%Y-%m-%dT%H:%M:%S.%6fZ",
                Some(6),
            ),
        }
    }
}

/// Reads a time; `layout` is its form in Go's words, `digits` how many there must be behind the point.
fn read_time(text: &str, layout: &str, format: &str, digits: Option<usize>) -> Result<Value, String> {
    let parsed: Option<Timestamp> = text.parse().ok();
    let fraction = text
        .split_once('.')
        .map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    match parsed {
        Some(time) if digits.is_none_or(|digits| digits == fraction) => {
            Ok(time.strftime(format).to_string().into())
        }
        Some(_) => {
            let rest = text.get(19..).unwrap_or_default();
            Err(format!(
                "parsing time {text:?} as {layout:?}: cannot parse {rest:?} as \".000000\""
            ))
        }
        None => Err(format!(
            "parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\""
        )),
    }
}
