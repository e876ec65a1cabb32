//! `FieldsV1`, the JSON form of a set: `{"f:spec": {"f:ports": {"k:{\"port\":80}": {".": {}, "f:name": {}}}}}`.

use serde_json::{Map, Value};

use super::{Element, FieldSet, Scalar};

/// What marks a step as a member when there is more below it.
const SELF: &str = ".";

/// JSON that is no set of fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no step of a field path")]
pub struct MalformedFields(String);

impl FieldSet {
    /// The JSON form.
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        for member in self
            .members
            .iter()
            .filter(|member| !self.children.contains_key(*member))
        {
            json.insert(step_to_text(member), Value::Object(Map::new()));
        }
        for (element, below) in &self.children {
            let mut inner = below.to_json();
            if self.members.contains(element)
                && let Some(inner) = inner.as_object_mut()
            {
                inner.insert(SELF.to_owned(), Value::Object(Map::new()));
            }
            json.insert(step_to_text(element), inner);
        }
        Value::Object(json)
    }

    /// The set of a JSON form.
    ///
    /// # Errors
    /// When a key is no step of a path.
    pub fn from_json(json: &Value) -> Result<Self, MalformedFields> {
        let mut set = Self::default();
        let steps = json
            .as_object()
            .ok_or_else(|| MalformedFields(json.to_string()))?;
        for (text, inner) in steps.iter().filter(|(text, _)| *text != SELF) {
            let element = step_from_text(text)?;
            let below = Self::from_json(inner)?;
            if below.is_empty() || inner.get(SELF).is_some() {
                set.members.insert(element.clone());
            }
            if !below.is_empty() {
                set.children.insert(element, below);
            }
        }
        Ok(set)
    }
}

fn step_to_text(element: &Element) -> String {
    match element {
        Element::Field(name) => format!("f:{name}"),
        Element::Key(keys) => {
            let keys: Map<String, Value> = keys
                .iter()
                .map(|(name, Scalar(value))| (name.clone(), value.clone()))
                .collect();
            format!("k:{}", Value::Object(keys))
        }
        Element::Value(value) => format!("v:{value}"),
        Element::Index(index) => format!("i:{index}"),
    }
}

fn step_from_text(text: &str) -> Result<Element, MalformedFields> {
    let malformed = || MalformedFields(text.to_owned());
    let (kind, rest) = text.split_once(':').ok_or_else(malformed)?;
    match kind {
        "f" => Ok(Element::field(rest)),
        "v" => serde_json::from_str(rest)
            .map(|value| Element::Value(Scalar(value)))
            .map_err(|_| malformed()),
        "i" => rest.parse().map(Element::Index).map_err(|_| malformed()),
        "k" => {
            let keys: Map<String, Value> = serde_json::from_str(rest).map_err(|_| malformed())?;
            let mut keys: Vec<(String, Scalar)> = keys
                .into_iter()
                .map(|(name, value)| (name, Scalar(value)))
                .collect();
            keys.sort();
            Ok(Element::Key(keys))
        }
        _ => Err(malformed()),
    }
}
