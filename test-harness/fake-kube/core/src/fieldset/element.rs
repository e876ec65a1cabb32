//! One step of a path: a field, or a list item by its keys or its value.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

use crate::schema::{ListType, SchemaRef};

/// One step from an object or list to a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A field, or the entry of a map.
    Field(String),
    /// The list item with these keys, sorted by name.
    Key(Vec<(String, Scalar)>),
    /// The list item that is this value.
    Value(Scalar),
    /// The list item at this place. Read from managedFields of old objects only.
    Index(u64),
}

impl Element {
    /// The field `name`.
    pub fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    pub(crate) fn as_field(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            Self::Key(_) | Self::Value(_) | Self::Index(_) => None,
        }
    }

    /// The schema of what this step leads to, coming from `schema`.
    pub(crate) fn schema_below<'a>(&self, schema: SchemaRef<'a>) -> Option<SchemaRef<'a>> {
        match self {
            Self::Field(name) => schema.child(name),
            Self::Key(_) | Self::Value(_) | Self::Index(_) => schema.items(),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let keys: Vec<String> = keys
                    .iter()
                    .map(|(name, value)| format!("{name}={}", key_text(&value.0)))
                    .collect();
                write!(f, "[{}]", keys.join(","))
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A key that is no scalar has its parts side by side.
fn key_text(value: &Value) -> String {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name}={}", key_text(value)))
            .collect(),
        Value::Array(items) => format!("[{}]", items.iter().map(key_text).collect::<Vec<_>>().join(",")),
        scalar => Scalar(scalar.clone()).to_string(),
    }
}

/// A JSON value with an order: numbers, texts, booleans, everything else by its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar(pub Value);

impl Scalar {
    fn rank(&self) -> u8 {
        match self.0 {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            Value::Array(_) => 3,
            Value::Object(_) => 4,
            Value::Null => 5,
        }
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                // Equal floats of unequal JSON must not be equal here, or `Eq` would disagree.
                _ => a
                    .as_f64()
                    .partial_cmp(&b.as_f64())
                    .unwrap_or(Ordering::Equal)
                    .then_with(|| by_text(self, other)),
            },
            _ => self.rank().cmp(&other.rank()).then_with(|| by_text(self, other)),
        }
    }
}

fn by_text(a: &Scalar, b: &Scalar) -> Ordering {
    if a == b {
        Ordering::Equal
    } else {
        a.0.to_string().cmp(&b.0.to_string())
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a list item has no place in its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ItemError {
    #[error("associative list with keys may not have a null element")]
    NullItem,
    #[error("associative list with keys may not have non-map elements")]
    NoObject,
    #[error(
        "associative list with keys has an element that omits all key fields {keys} (and doesn't have default values for any key fields)"
    )]
    NoKeys { keys: String },
    #[error("associative list without keys has an element that's a map type")]
    ObjectInSet,
    #[error("not supported: associative list with lists as elements")]
    ListInSet,
    #[error("associative list without keys has an element that's an explicit null")]
    NullInSet,
}

/// The step from a list of type set or map, which has this schema, to `item`.
pub(crate) fn item_element(list: SchemaRef<'_>, item: &Value) -> Result<Element, ItemError> {
    if list.list_type() == ListType::Map {
        return match item {
            Value::Object(fields) => keyed_element(list, fields),
            Value::Null => Err(ItemError::NullItem),
            _ => Err(ItemError::NoObject),
        };
    }
    match item {
        Value::Object(_) => Err(ItemError::ObjectInSet),
        Value::Array(_) => Err(ItemError::ListInSet),
        Value::Null => Err(ItemError::NullInSet),
        scalar => Ok(Element::Value(Scalar(scalar.clone()))),
    }
}

/// A key that the item leaves out has its default, or is no part of the step.
fn keyed_element(list: SchemaRef<'_>, item: &Map<String, Value>) -> Result<Element, ItemError> {
    let default = |name: &str| list.items()?.key_default(name);
    let value_of = |name: &str| item.get(name).cloned().or_else(|| default(name));
    let mut keys: Vec<(String, Scalar)> = list
        .list_keys()
        .iter()
        .filter_map(|name| Some((String::from(&**name), Scalar(value_of(name)?))))
        .collect();
    if keys.is_empty() {
        let quoted: Vec<String> = list.list_keys().iter().map(|key| format!("{key:?}")).collect();
        return Err(ItemError::NoKeys {
            keys: format!("[{}]", quoted.join(" ")),
        });
    }
    keys.sort();
    Ok(Element::Key(keys))
}
