//! Where in an object: `spec.ports[0].port`, as API server messages write it.

use std::fmt;

/// A path into an object, for messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(String);

impl FieldPath {
    /// The whole object.
    pub fn root() -> Self {
        Self::default()
    }

    /// The field `name` below this one.
    pub fn field(&self, name: &str) -> Self {
        if self.0.is_empty() {
            return Self(name.to_owned());
        }
        Self(format!("{}.{name}", self.0))
    }

    /// The entry `key` of this map: `metadata.labels[app]` in messages about values.
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }

    /// The item at `index` of this list.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// This path inside of the field `name`.
    pub fn below(&self, name: &str) -> Self {
        match self.0.as_bytes().first() {
            None => Self(name.to_owned()),
            Some(b'[') => Self(format!("{name}{}", self.0)),
            Some(_) => Self(format!("{name}.{}", self.0)),
        }
    }

    /// Whether this is the field `name` of the whole object, or below it.
    pub fn is_in(&self, name: &str) -> bool {
        self.0
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    /// Whether this is the whole object.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as text, empty for the whole object.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
