//! Schemas out of CustomResourceDefinitions.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::builtins::Builtins;
use super::node::{Node, Type};
use super::reference::Schema;
use crate::request::whole_numbers;

/// The definition that every object's `metadata` has, whatever its own schema says.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Why an `openAPIV3Schema` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Not the JSON of a structural schema.
    #[error("openAPIV3Schema cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// The whole object must be an object.
    #[error("openAPIV3Schema must have type \"object\" at its root")]
    RootIsNoObject,
}

impl Schema {
    /// The schema of a custom resource from the `openAPIV3Schema` of one version of its CustomResourceDefinition.
    ///
    /// # Errors
    /// When the JSON is no structural schema of an object.
    pub fn from_crd(open_api_v3_schema: &Value) -> Result<Self, SchemaError> {
        let mut root = Node::deserialize(open_api_v3_schema).map_err(SchemaError::Malformed)?;
        if root.kind != Some(Type::Object) {
            return Err(SchemaError::RootIsNoObject);
        }
        root.embedded_resource = true;
        complete_embedded_resources(&mut root);
        read_defaults(&mut root);
        Ok(Self::new(root, Arc::clone(Builtins::load().definitions())))
    }

    /// The schema of a custom resource without one: everything is kept.
    pub fn anything() -> Self {
        let mut root = Node {
            kind: Some(Type::Object),
            embedded_resource: true,
            ..Node::anything()
        };
        complete_embedded_resources(&mut root);
        Self::new(root, Arc::clone(Builtins::load().definitions()))
    }
}

/// Defaults are read as objects are: `1.0` is a whole number.
fn read_defaults(node: &mut Node) {
    if let Some(default) = node.default.as_deref_mut() {
        whole_numbers(default);
    }
    let below = node.properties.values_mut();
    let below = below
        .chain(node.items.as_deref_mut())
        .chain(node.additional.as_deref_mut());
    below.for_each(read_defaults);
}

/// Objects inside of objects have the fields that every object has; so has the root.
fn complete_embedded_resources(node: &mut Node) {
    for property in node.properties.values_mut() {
        complete_embedded_resources(property);
    }
    if let Some(additional) = node.additional.as_deref_mut() {
        complete_embedded_resources(additional);
    }
    if let Some(items) = node.items.as_deref_mut() {
        complete_embedded_resources(items);
    }
    if node.embedded_resource {
        node.properties
            .insert("metadata".into(), Node::reference_to(OBJECT_META));
        for name in ["apiVersion", "kind"] {
            node.properties
                .entry(name.into())
                .or_insert_with(|| Node::of_type(Type::String));
        }
    }
}
