//! Which template of a build plane builds a component.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parse::{is_default, or_default};

/// A build template, and what is passed to it.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BuildTemplateRef {
    /// The engine that runs it; empty means argo.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub engine: String,
    /// The ClusterWorkflowTemplate in the build plane, by name.
    pub name: String,
    /// What is passed to it beside what every build passes.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub parameters: Vec<TemplateParameter>,
}

/// One parameter of a build template.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TemplateParameter {
    /// Name of the parameter.
    pub name: String,
    /// Its value.
    pub value: String,
}
