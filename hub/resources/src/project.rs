//! `Project` and `DeploymentPipeline`: components that belong together, and the way that they take to production.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    status::ConditionStatus,
};

/// The pipeline of the project.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Project",
    namespaced,
    shortname = "proj",
    shortname = "projs",
    doc = "Components that belong together.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSpec {
    /// The DeploymentPipeline, by name.
    pub deployment_pipeline_ref: String,
}

/// The steps that are allowed.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "DeploymentPipeline",
    namespaced,
    shortname = "deppipe",
    shortname = "deppipes",
    doc = "From which environment to which components may be promoted.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentPipelineSpec {
    /// The steps. Together they name the environments of the pipeline.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub promotion_paths: Vec<PromotionPath>,
}

/// Where components of one environment may go.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PromotionPath {
    /// The Environment promoted from, by name.
    pub source_environment_ref: String,
    /// The Environments promoted to.
    pub target_environment_refs: Vec<PromotionTarget>,
}

/// One environment that components may be promoted to.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PromotionTarget {
    /// The Environment, by name.
    pub name: String,
    /// Whether somebody must approve.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub requires_approval: bool,
    /// Whether that must be done by hand.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub is_manual_approval_required: bool,
}
