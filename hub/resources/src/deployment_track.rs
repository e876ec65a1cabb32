//! `DeploymentTrack`: a line of versions of a component. Of the older path, and nothing is done about its `spec`.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    status::ConditionStatus,
};

/// How versions of the line come to be.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "DeploymentTrack",
    namespaced,
    shortname = "deptrack",
    shortname = "deptracks",
    doc = "A line of versions of a component.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentTrackSpec {
    /// Whether a new version is deployed by itself.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub auto_deploy: bool,
    /// How a version is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_template_spec: Option<TrackBuild>,
}

/// How a version is built.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TrackBuild {
    /// Branch.
    pub branch: String,
    /// Folder of the component in the repository.
    pub path: String,
    /// By what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_configuration: Option<BuildConfiguration>,
}

/// What builds a version.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BuildConfiguration {
    /// A Dockerfile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker: Option<DockerBuild>,
    /// A buildpack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buildpack: Option<Buildpack>,
}

/// A build by a Dockerfile.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DockerBuild {
    /// Folder that is sent along.
    pub context: String,
    /// Path of the Dockerfile.
    pub dockerfile_path: String,
}

/// A build by a buildpack.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Buildpack {
    /// Name of the buildpack.
    pub name: String,
    /// Its version.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub version: String,
}
