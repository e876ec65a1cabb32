//! A schema to hold, and a view of one of its nodes to walk with.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::field_rule::FieldRule;
use super::node::{Junctors, Limits, ListType, MapType, Node, PatchRule, Type};
use super::rule::Rule;

/// Definitions that nodes refer to by name.
pub(crate) type Definitions = BTreeMap<Box<str>, Node>;

/// What a value is checked against where nothing is declared.
static ANYTHING: LazyLock<Node> = LazyLock::new(Node::anything);

/// The schema of one kind. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schema {
    root: Arc<Node>,
    definitions: Arc<Definitions>,
}

impl Schema {
    pub(crate) fn new(root: Node, definitions: Arc<Definitions>) -> Self {
        Self {
            root: Arc::new(root),
            definitions,
        }
    }

    /// Whether any node has rules over fields, understood or not.
    pub(crate) fn has_field_rules(&self) -> bool {
        self.root.has_field_rules()
    }

    /// The node of the whole object.
    pub fn root(&self) -> SchemaRef<'_> {
        SchemaRef::resolve(&self.root, &self.definitions)
    }
}

/// A node of a [`Schema`], references resolved.
#[derive(Debug, Clone, Copy)]
pub struct SchemaRef<'a> {
    /// The node where the field is declared: its default and list or map type win.
    site: &'a Node,
    /// The definition it refers to, or the same node.
    target: &'a Node,
    definitions: &'a Definitions,
}

impl<'a> SchemaRef<'a> {
    fn resolve(site: &'a Node, definitions: &'a Definitions) -> Self {
        let mut target = site;
        // A chain of references is as long as the table at most; a longer one goes in a circle.
        for _ in 0..definitions.len() {
            match target.reference.as_ref().and_then(|name| definitions.get(name)) {
                Some(next) => target = next,
                None => break,
            }
        }
        Self {
            site,
            target,
            definitions,
        }
    }

    fn at(&self, node: &'a Node) -> Self {
        Self::resolve(node, self.definitions)
    }

    /// Its JSON type, where declared.
    pub fn kind(&self) -> Option<Type> {
        self.target.kind
    }

    /// The declared field `name`.
    pub fn field(&self, name: &str) -> Option<Self> {
        self.target.properties.get(name).map(|node| self.at(node))
    }

    /// All declared fields, sorted by name.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let this = *self;
        this.target
            .properties
            .iter()
            .map(move |(name, node)| (&**name, this.at(node)))
    }

    /// The schema of entries that are not declared fields (`additionalProperties`).
    pub fn additional(&self) -> Option<Self> {
        self.target.additional.as_deref().map(|node| self.at(node))
    }

    /// The schema of the entry `key`: the declared field, else that of further entries.
    pub fn entry(&self, key: &str) -> Option<Self> {
        self.field(key).or_else(|| self.additional())
    }

    /// The schema of the entry `key` for ownership: where anything goes, that of anything.
    pub(crate) fn child(&self, key: &str) -> Option<Self> {
        self.entry(key)
            .or_else(|| self.is_open().then(|| self.at(&ANYTHING)))
    }

    /// Whether entries that nothing declares are fine: free-form objects, and where any type goes.
    pub(crate) fn is_open(&self) -> bool {
        let is_free_form = self.target.properties.is_empty() && self.target.additional.is_none();
        self.target.preserve_unknown
            || (is_free_form && self.target.kind.is_none_or(|kind| kind == Type::Object))
    }

    /// The schema of list items.
    pub fn items(&self) -> Option<Self> {
        self.target.items.as_deref().map(|node| self.at(node))
    }

    /// Fields that must be present.
    pub fn required(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.target.required.iter().map(|name| &**name)
    }

    /// Whether `name` must be present.
    pub fn requires(&self, name: &str) -> bool {
        self.target.required.iter().any(|each| &**each == name)
    }

    /// The value of an absent field.
    pub fn default_value(&self) -> Option<&'a Value> {
        self.site.default.as_deref().or(self.target.default.as_deref())
    }

    /// Whether null is a value here, rather than absence.
    pub fn is_nullable(&self) -> bool {
        self.site.nullable || self.target.nullable
    }

    /// Whether the server holds this as a typed value: a built-in kind, or the metadata of any. Empty optional lists and
    /// maps do not survive there, and null is the same as absence.
    pub fn is_typed(&self) -> bool {
        self.target.typed
    }

    /// Whether zero is the same as absence here.
    pub(crate) fn vanishes(&self) -> bool {
        self.site.vanishes
    }

    /// The value that a list key has when an item leaves it out.
    pub(crate) fn key_default(&self, name: &str) -> Option<Value> {
        let field = self.field(name)?;
        let zero = || (self.is_typed() && self.requires(name)).then(|| zero_value(field.kind()));
        field.default_value().cloned().or_else(zero)
    }

    /// Whether fields that are not declared are kept.
    pub fn preserves_unknown(&self) -> bool {
        self.target.preserve_unknown
    }

    /// Whether an integer and a string are both fine.
    pub fn is_int_or_string(&self) -> bool {
        self.target.int_or_string
    }

    /// Whether this is a complete object with `apiVersion`, `kind` and `metadata`.
    pub fn is_embedded_resource(&self) -> bool {
        self.target.embedded_resource
    }

    /// How items are told apart; atomic where nothing is said.
    pub fn list_type(&self) -> ListType {
        self.site
            .list_type
            .or(self.target.list_type)
            .unwrap_or(ListType::Atomic)
    }

    /// The key fields of a list of type map.
    pub fn list_keys(&self) -> &'a [Box<str>] {
        if self.site.list_keys.is_empty() {
            &self.target.list_keys
        } else {
            &self.site.list_keys
        }
    }

    /// How entries are owned; each on its own where nothing is said.
    pub fn map_type(&self) -> MapType {
        self.site
            .map_type
            .or(self.target.map_type)
            .unwrap_or(MapType::Granular)
    }

    pub(crate) fn patch_rule(&self) -> Option<&'a PatchRule> {
        self.site.patch.as_deref().or(self.target.patch.as_deref())
    }

    pub(crate) fn limits(&self) -> Option<&'a Limits> {
        self.site.limits.as_deref().or(self.target.limits.as_deref())
    }

    /// The values that an enumeration allows.
    pub fn allowed_values(&self) -> Option<&'a [Value]> {
        self.limits()?.allowed.as_deref()
    }

    pub(crate) fn junctors(&self) -> Option<&'a Junctors> {
        self.target.junctors.as_deref()
    }

    /// The format of values, such as `int32`.
    pub(crate) fn format(&self) -> Option<&'a str> {
        self.limits()?.format.as_deref()
    }

    /// The name of the definition that the field refers to.
    pub fn definition_name(&self) -> Option<&'a str> {
        self.site.reference.as_deref()
    }

    pub(crate) fn field_rules(&self) -> &'a [FieldRule] {
        &self.target.field_rules
    }

    pub(crate) fn rules(&self) -> &'a [Rule] {
        &self.target.rules
    }

    pub(crate) fn alternative(&self, node: &'a Node) -> Self {
        self.at(node)
    }
}

/// What Go holds where nothing was given.
pub(crate) fn zero_value(kind: Option<Type>) -> Value {
    match kind {
        Some(Type::String) => Value::from(""),
        Some(Type::Integer | Type::Number) => Value::from(0),
        Some(Type::Boolean) => Value::from(false),
        Some(Type::Object | Type::Array) | None => Value::Null,
    }
}
