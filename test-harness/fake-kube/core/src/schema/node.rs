//! One node of a structural schema, as read from JSON.
//!
//! The JSON form is that of `openAPIV3Schema`. What only validation asks for lies in a box of its own, since most
//! nodes have none of it and a process may hold the schemas of a thousand clusters.

mod raw;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Number, Value};

use super::field_rule::FieldRule;
use super::pattern::Pattern;
use super::rule::Rule;

/// JSON type of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are JSON's own types")]
pub enum Type {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Type {
    /// Its name in schemas and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// How the items of a list are told apart (`x-kubernetes-list-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListType {
    /// The list is one value.
    Atomic,
    /// Scalars, each at most once.
    Set,
    /// Objects, told apart by the values of their key fields.
    Map,
}

/// How the entries of an object are owned (`x-kubernetes-map-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapType {
    /// The object is one value.
    Atomic,
    /// Every entry on its own.
    Granular,
}

/// What strategic merge patch knows of a list or an object (`x-kubernetes-patch-*`).
#[derive(Debug, Clone, Default)]
pub(crate) struct PatchRule {
    pub(crate) merge_key: Option<Box<str>>,
    pub(crate) merge: bool,
    pub(crate) replace: bool,
}

/// What values must satisfy beyond their type.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Limits {
    #[serde(rename = "enum")]
    pub(crate) allowed: Option<Vec<Value>>,
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    pub(crate) exclusive_minimum: bool,
    pub(crate) exclusive_maximum: bool,
    pub(crate) multiple_of: Option<Number>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) format: Option<Box<str>>,
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) unique_items: bool,
    pub(crate) min_properties: Option<u64>,
    pub(crate) max_properties: Option<u64>,
}

/// Schemas that a value must satisfy as well.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Junctors {
    pub(crate) all_of: Vec<Node>,
    pub(crate) any_of: Vec<Node>,
    pub(crate) one_of: Vec<Node>,
    pub(crate) not: Option<Box<Node>>,
}

impl Junctors {
    fn is_empty(&self) -> bool {
        self.all_of.is_empty() && self.any_of.is_empty() && self.one_of.is_empty() && self.not.is_none()
    }
}

/// One node of a schema.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "raw::RawNode")]
pub(crate) struct Node {
    /// Name of the definition that this node stands for; what else is set here overrides it.
    pub(crate) reference: Option<Box<str>>,
    pub(crate) kind: Option<Type>,
    pub(crate) properties: BTreeMap<Box<str>, Node>,
    pub(crate) additional: Option<Box<Node>>,
    pub(crate) items: Option<Box<Node>>,
    pub(crate) required: Box<[Box<str>]>,
    pub(crate) default: Option<Box<Value>>,
    pub(crate) nullable: bool,
    pub(crate) int_or_string: bool,
    pub(crate) preserve_unknown: bool,
    pub(crate) embedded_resource: bool,
    pub(crate) list_type: Option<ListType>,
    pub(crate) list_keys: Box<[Box<str>]>,
    pub(crate) map_type: Option<MapType>,
    pub(crate) patch: Option<Box<PatchRule>>,
    pub(crate) limits: Option<Box<Limits>>,
    pub(crate) junctors: Option<Box<Junctors>>,
    /// Rules over several fields (`x-kubernetes-validations`).
    pub(crate) field_rules: Box<[FieldRule]>,
    /// Defaults beyond `default`; of built-in definitions only.
    pub(crate) rules: Box<[Rule]>,
    /// Whether the server holds this as a typed value, and so cannot tell empty from absent.
    pub(crate) typed: bool,
    /// Whether zero is the same as absence here: nothing, "", 0 or false.
    pub(crate) vanishes: bool,
}

impl Node {
    /// A node that takes and keeps anything.
    pub(crate) fn anything() -> Self {
        Self {
            preserve_unknown: true,
            ..Self::default()
        }
    }

    /// A node that stands for the definition `name`.
    pub(crate) fn reference_to(name: &str) -> Self {
        Self {
            reference: Some(name.into()),
            ..Self::default()
        }
    }

    /// Makes this and all below it nodes of typed values.
    pub(crate) fn make_typed(&mut self) {
        self.typed = true;
        let below = self
            .properties
            .values_mut()
            .chain(self.items.as_deref_mut())
            .chain(self.additional.as_deref_mut());
        below.for_each(Self::make_typed);
    }

    /// Whether this or anything below it has rules over fields.
    pub(crate) fn has_field_rules(&self) -> bool {
        let mut below = self
            .properties
            .values()
            .chain(self.items.as_deref())
            .chain(self.additional.as_deref());
        !self.field_rules.is_empty() || below.any(Self::has_field_rules)
    }

    /// Takes rules over; where one gives a field null, the field allows it.
    pub(crate) fn take_rules(&mut self, rules: Box<[Rule]>) {
        for name in rules.iter().filter_map(Rule::nullified) {
            if let Some(property) = self.properties.get_mut(name) {
                property.nullable = true;
            }
        }
        self.rules = rules;
    }

    /// Leaves these fields out where they are zero.
    pub(crate) fn leave_out_zeros(&mut self, fields: &[Box<str>]) {
        for name in fields {
            if let Some(property) = self.properties.get_mut(name) {
                property.vanishes = true;
            }
        }
    }

    /// A node of type `kind` without further rules.
    pub(crate) fn of_type(kind: Type) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }
}
