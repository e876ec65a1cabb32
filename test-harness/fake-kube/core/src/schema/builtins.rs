//! The kinds of a real API server, from its own OpenAPI document.
//!
//! `schemas/kubernetes-1.37.json` is written by the example `reduce-openapi`. It is parsed once a process, at
//! first use, and shared by every cluster in it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::node::Node;
use super::reference::{Definitions, Schema};
use super::rule::Rule;

const DOCUMENT: &str = include_str!("../../schemas/kubernetes-1.37.json");

/// Written by hand, after the defaulting code of the same version.
const DEFAULTS: &str = include_str!("../../schemas/defaults-1.37.json");

/// Written by the example `reduce-types`: fields that are left out when they are zero.
const ZEROS: &str = include_str!("../../schemas/zeros-1.37.json");

static BUILTINS: LazyLock<Builtins> = LazyLock::new(|| {
    let document = serde_json::from_str(DOCUMENT).expect("a test reads the checked-in schemas");
    let rules = serde_json::from_str(DEFAULTS).expect("a test reads the checked-in defaults");
    let zeros = serde_json::from_str(ZEROS).expect("a test reads the checked-in zeros");
    Builtins::new(document, rules, &zeros)
});

/// Group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Gvk {
    /// Empty for the core group.
    pub group: Box<str>,
    /// As in `apiVersion`.
    pub version: Box<str>,
    /// In CamelCase, singular.
    pub kind: Box<str>,
}

impl Gvk {
    /// Of these three parts.
    pub fn new(group: &str, version: &str, kind: &str) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }
}

/// The schemas of all built-in kinds.
#[derive(Debug)]
pub struct Builtins {
    version: Box<str>,
    kinds: BTreeMap<Gvk, Schema>,
    definitions: Arc<Definitions>,
}

type Rules = BTreeMap<Box<str>, Box<[Rule]>>;
type Zeros = BTreeMap<Box<str>, Box<[Box<str>]>>;

#[derive(Deserialize)]
struct Document {
    version: Box<str>,
    kinds: Vec<Kind>,
    definitions: Definitions,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(flatten)]
    gvk: Gvk,
    schema: Box<str>,
}

impl Builtins {
    /// The checked-in kinds; parsed at the first call, shared after it.
    pub fn load() -> &'static Self {
        &BUILTINS
    }

    fn new(document: Document, rules: Rules, zeros: &Zeros) -> Self {
        let mut definitions = document.definitions;
        definitions.values_mut().for_each(Node::make_typed);
        for (name, rules) in rules {
            let definition = definitions
                .get_mut(&name)
                .expect("rules are about definitions that exist");
            definition.take_rules(rules);
        }
        for (name, fields) in zeros {
            let definition = definitions
                .get_mut(name)
                .expect("zeros are those of definitions that exist");
            definition.leave_out_zeros(fields);
        }
        let definitions = Arc::new(definitions);
        let schema = |name: &str| Schema::new(Node::reference_to(name), Arc::clone(&definitions));
        let kinds = document
            .kinds
            .into_iter()
            .map(|kind| (kind.gvk, schema(&kind.schema)))
            .collect();
        Self {
            version: document.version,
            kinds,
            definitions,
        }
    }

    /// The checked-in document as text, for who serves it on.
    pub(crate) fn document() -> &'static str {
        DOCUMENT
    }

    /// The version of the API server that the schemas come from, as `1.37.2`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The schema of one kind.
    pub fn schema(&self, group: &str, version: &str, kind: &str) -> Option<&Schema> {
        self.kinds.get(&Gvk::new(group, version, kind))
    }

    /// All kinds with their schemas, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = (&Gvk, &Schema)> {
        self.kinds.iter()
    }

    pub(crate) fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_definition() {
        let builtins = Builtins::load();
        let mut open: Vec<&Node> = builtins.definitions.values().collect();
        while let Some(node) = open.pop() {
            let known = node
                .reference
                .as_ref()
                .is_none_or(|name| builtins.definitions.contains_key(name));
            assert!(known, "{:?}", node.reference);
            open.extend(node.properties.values());
            open.extend(node.items.as_deref());
            open.extend(node.additional.as_deref());
        }
        assert_eq!(builtins.version(), "1.37.2");
    }

    #[test]
    fn keys_of_lists_are_fields_of_their_items() {
        for (name, definition) in &*Builtins::load().definitions {
            let root = Schema::new(definition.clone(), Arc::clone(Builtins::load().definitions()));
            for (field, list) in root.root().fields() {
                for key in list.list_keys() {
                    let items = list.items().expect("a list");
                    assert!(items.field(key).is_some(), "{name}.{field}: {key}");
                }
            }
        }
    }
}
