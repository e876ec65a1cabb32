//! Defaults that OpenAPI cannot say: those of built-in kinds, and those that depend on other fields.
//!
//! They are data, in `schemas/defaults-1.37.json`: for each definition a list of rules, carried out in order. A rule
//! gives an absent field a value, or that of another field, when all its conditions hold.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::pattern::Pattern;

/// One default of an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Rule {
    /// The path to the field, from this object.
    field: Vec<Box<str>>,
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
    /// The path to the field whose value it gets.
    #[serde(default)]
    copy: Vec<Box<str>>,
    #[serde(default)]
    lowercase: bool,
    #[serde(default)]
    suffix: Box<str>,
    #[serde(default)]
    as_list: bool,
    #[serde(default)]
    when: Vec<Condition>,
    /// What is there gives way.
    #[serde(default)]
    anew: bool,
    /// What is there goes.
    #[serde(default)]
    drop: bool,
    /// Filled in when the object is stored for the first time, by nobody's wish: no writer owns it.
    #[serde(default)]
    at_creation: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Condition {
    Is {
        field: Vec<Box<str>>,
        is: Value,
    },
    #[serde(rename_all = "camelCase")]
    IsNot {
        field: Vec<Box<str>>,
        is_not: Value,
    },
    Matches {
        field: Vec<Box<str>>,
        matches: Pattern,
    },
    Present {
        field: Vec<Box<str>>,
        present: bool,
    },
    /// The object has this field and no other.
    Only {
        only: Box<str>,
    },
}

/// A null that is given differs from nothing given.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Rule {
    /// Whether it is for new objects only.
    pub(crate) fn is_for_creation(&self) -> bool {
        self.at_creation
    }

    /// Whether it fills in the field `name` of this very object, whatever else there is.
    pub(crate) fn fills(&self, name: &str) -> bool {
        let is_of_field = matches!(&*self.field, [field] if **field == *name);
        is_of_field && self.when.is_empty() && self.value.is_some()
    }

    /// The field of this very object that it gives the value null, if it does.
    pub(crate) fn nullified(&self) -> Option<&str> {
        let [field] = &*self.field else { return None };
        self.value.as_ref().is_some_and(Value::is_null).then_some(field)
    }

    /// Fills its field of `object` in, if it is absent and the rule applies.
    pub(crate) fn carry_out(&self, object: &mut Map<String, Value>) {
        if let ([field], true) = (&*self.field, self.drop) {
            if self.when.iter().all(|condition| condition.holds(object)) {
                object.remove(&**field);
            }
            return;
        }
        let applies = (self.anew || at(object, &self.field).is_none())
            && self.when.iter().all(|condition| condition.holds(object));
        if applies && let Some(value) = self.value_for(object) {
            put(object, &self.field, value);
        }
    }

    fn value_for(&self, object: &Map<String, Value>) -> Option<Value> {
        if let Some(value) = &self.value {
            return Some(value.clone());
        }
        let source = at(object, &self.copy)?;
        let value = match source.as_str() {
            Some(text) if self.lowercase => Value::String(text.to_lowercase()),
            Some(text) => Value::String(format!("{text}{}", self.suffix)),
            None => source.clone(),
        };
        Some(if self.as_list {
            Value::Array(vec![value])
        } else {
            value
        })
    }
}

impl Condition {
    fn holds(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::Is { field, is } => at(object, field) == Some(is),
            Self::IsNot { field, is_not } => at(object, field) != Some(is_not),
            Self::Matches { field, matches } => at(object, field)
                .and_then(Value::as_str)
                .is_some_and(|text| matches.matches(text)),
            Self::Present { field, present } => at(object, field).is_some() == *present,
            Self::Only { only } => object.keys().all(|name| name.as_str() == &**only),
        }
    }
}

fn at<'v>(object: &'v Map<String, Value>, path: &[Box<str>]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(object.get(&**first)?, |value, name| value.get(&**name))
}

/// Parents that are absent are made; one that is no object stops it.
fn put(object: &mut Map<String, Value>, path: &[Box<str>], value: Value) {
    match path {
        [] => {}
        [name] => {
            object.insert(name.to_string(), value);
        }
        [name, rest @ ..] => {
            let parent = object.entry(&**name).or_insert_with(|| Value::Object(Map::new()));
            if let Some(parent) = parent.as_object_mut() {
                put(parent, rest, value);
            }
        }
    }
}
