//! `Deployment`: an artifact in one environment. Of the older path.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    application::ApplicationConfiguration,
    deployable_artifact::Dependencies,
    parse::{is_default, or_default},
    status::ConditionStatus,
};

/// The artifact.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Deployment",
    namespaced,
    doc = "An artifact in one environment.",
    status = "ConditionStatus",
    derive = "PartialEq",
    printcolumn(
        name = "Artifact",
        type_ = "string",
        json_path = ".spec.deploymentArtifactRef"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentSpec {
    /// The DeployableArtifact, by name.
    pub deployment_artifact_ref: String,
    /// Accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<i32>,
    /// What would be otherwise in this environment: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_overrides: Option<ConfigurationOverrides>,
}

/// What would be otherwise in one environment.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationOverrides {
    /// Endpoints: nothing can be said yet.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub endpoint_templates: Vec<EndpointOverride>,
    /// What it needs: nothing can be said yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Dependencies>,
    /// Settings of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationConfiguration>,
}

/// What would be otherwise of an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointOverride {}
