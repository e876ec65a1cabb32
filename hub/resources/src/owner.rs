//! Whom a resource belongs to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Component that a resource belongs to, and its Project.
///
/// Workloads that OpenChoreo's command line makes spell both keys in lower case, so that is read too.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ComponentOwner {
    /// The Project, by name.
    #[serde(alias = "projectname")]
    #[schemars(length(min = 1))]
    pub project_name: String,
    /// The Component, by name.
    #[serde(alias = "componentname")]
    #[schemars(length(min = 1))]
    pub component_name: String,
}

/// The Project that a Component belongs to.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ProjectOwner {
    /// The Project, by name.
    #[schemars(length(min = 1))]
    pub project_name: String,
}
