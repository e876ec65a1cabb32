//! Nodes from JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Junctors, Limits, ListType, MapType, Node, PatchRule, Type};
use crate::schema::field_rule::FieldRule;

/// The JSON form. Keys that have no meaning here (descriptions, examples) are ignored.
#[derive(Deserialize)]
pub(super) struct RawNode {
    #[serde(rename = "$ref")]
    reference: Option<Box<str>>,
    #[serde(rename = "type")]
    kind: Option<Type>,
    #[serde(default)]
    properties: BTreeMap<Box<str>, Node>,
    #[serde(rename = "additionalProperties")]
    additional: Option<NodeOrBool>,
    items: Option<Box<Node>>,
    #[serde(default)]
    required: Box<[Box<str>]>,
    default: Option<Box<Value>>,
    #[serde(default)]
    nullable: bool,
    #[serde(default, rename = "x-kubernetes-int-or-string")]
    int_or_string: bool,
    #[serde(default, rename = "x-kubernetes-preserve-unknown-fields")]
    preserve_unknown: Option<bool>,
    #[serde(default, rename = "x-kubernetes-embedded-resource")]
    embedded_resource: bool,
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<ListType>,
    #[serde(default, rename = "x-kubernetes-list-map-keys")]
    list_keys: Box<[Box<str>]>,
    #[serde(rename = "x-kubernetes-map-type")]
    map_type: Option<MapType>,
    #[serde(rename = "x-kubernetes-patch-merge-key")]
    patch_merge_key: Option<Box<str>>,
    #[serde(rename = "x-kubernetes-patch-strategy")]
    patch_strategy: Option<Box<str>>,
    #[serde(default, rename = "x-kubernetes-validations")]
    field_rules: Box<[FieldRule]>,
    #[serde(flatten)]
    limits: Limits,
    #[serde(flatten)]
    junctors: Junctors,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NodeOrBool {
    Bool(bool),
    Node(Box<Node>),
}

impl From<RawNode> for Node {
    fn from(raw: RawNode) -> Self {
        let patch = patch_rule(raw.patch_merge_key, raw.patch_strategy.as_deref());
        Self {
            reference: raw.reference.as_deref().map(definition_name),
            kind: raw.kind,
            properties: raw.properties,
            additional: raw.additional.and_then(|additional| match additional {
                NodeOrBool::Bool(true) => Some(Box::new(Node::anything())),
                NodeOrBool::Bool(false) => None,
                NodeOrBool::Node(node) => Some(node),
            }),
            items: raw.items,
            required: raw.required,
            default: raw.default,
            nullable: raw.nullable,
            int_or_string: raw.int_or_string,
            preserve_unknown: raw.preserve_unknown.unwrap_or(false),
            embedded_resource: raw.embedded_resource,
            list_type: raw.list_type,
            list_keys: raw.list_keys,
            map_type: raw.map_type,
            patch,
            limits: (raw.limits != Limits::default()).then(|| Box::new(raw.limits)),
            junctors: (!raw.junctors.is_empty()).then(|| Box::new(raw.junctors)),
            field_rules: raw.field_rules,
            rules: Box::default(),
            typed: false,
            vanishes: false,
        }
    }
}

/// `#/components/schemas/NAME` and `NAME` mean the same.
fn definition_name(reference: &str) -> Box<str> {
    reference.rsplit('/').next().unwrap_or_default().into()
}

/// The strategies are a comma-separated list. `retainKeys` is a matter of whoever makes the patch.
fn patch_rule(merge_key: Option<Box<str>>, strategy: Option<&str>) -> Option<Box<PatchRule>> {
    let strategies = || strategy.into_iter().flat_map(|list| list.split(','));
    let rule = PatchRule {
        merge_key,
        merge: strategies().any(|each| each == "merge"),
        replace: strategies().any(|each| each == "replace"),
    };
    (rule.merge || rule.replace || rule.merge_key.is_some()).then(|| Box::new(rule))
}
