//! A regular expression that is compiled when it is first needed, and once.

use std::sync::OnceLock;

use regex::Regex;
use serde::{Deserialize, Deserializer};

/// A `pattern` of a schema.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    source: Box<str>,
    /// None inside when it does not compile.
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern that is not looked at yet.
    pub(crate) fn new(source: &str) -> Self {
        Self {
            source: source.into(),
            compiled: OnceLock::new(),
        }
    }

    /// Whether it is found in `text`. One that does not compile is found everywhere: who wrote it was told.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&self.source).ok());
        compiled.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            source: Deserialize::deserialize(deserializer)?,
            compiled: OnceLock::new(),
        })
    }
}
