//! `DeployableArtifact`: an image, and how it runs. Of the older path.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    application::ApplicationConfiguration,
    endpoint::EndpointSpec,
    parse::{is_default, or_default},
    status::ConditionStatus,
};

/// The image, and how it runs.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "DeployableArtifact",
    namespaced,
    doc = "An image, and how it runs.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct DeployableArtifactSpec {
    /// The image. Of a build, where both are given.
    pub target_artifact: TargetArtifact,
    /// How it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ArtifactConfiguration>,
}

/// Where an image comes from.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TargetArtifact {
    /// From a Build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_build_ref: Option<ArtifactBuild>,
    /// From a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_image_ref: Option<ArtifactImage>,
}

/// The build that made an image.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactBuild {
    /// The Build, by name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub name: String,
    /// A commit: refused where there is no name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub git_revision: String,
}

/// An image of a registry.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactImage {
    /// Tag.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub tag: String,
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub skip_version_validation: bool,
}

/// How an image runs.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactConfiguration {
    /// Endpoints, one for each template.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub endpoint_templates: Vec<EndpointTemplate>,
    /// What it needs: nothing can be said yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Dependencies>,
    /// Settings of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationConfiguration>,
}

/// What an artifact needs.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {}

/// An Endpoint to be.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointTemplate {
    /// What it is called.
    pub metadata: TemplateMetadata,
    /// What it is.
    pub spec: EndpointSpec,
}

/// What a template says of the metadata.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TemplateMetadata {
    /// Name of the endpoint within the component.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub name: String,
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Display name and description of the endpoint.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub finalizers: Vec<String>,
}
