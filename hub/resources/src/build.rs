//! `Build`: one run of a build template.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    build_template::BuildTemplateRef,
    owner::ComponentOwner,
    parse::{is_default, or_default},
};

/// What is built, and by which template.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Build",
    namespaced,
    doc = "One run of a build template.",
    status = "BuildStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct BuildSpec {
    /// Who the Build belongs to.
    pub owner: ComponentOwner,
    /// The source.
    pub repository: BuildRepository,
    /// The template that builds it.
    pub template_ref: BuildTemplateRef,
}

/// The source of a build.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BuildRepository {
    /// Git address.
    pub url: String,
    /// What of it is built.
    pub revision: BuildRevision,
    /// Folder of the component in the repository.
    pub app_path: String,
}

/// What of a repository is built: a commit before a branch, and `main` where both are empty.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BuildRevision {
    /// Branch.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub branch: String,
    /// Commit.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub commit: String,
}

/// How far a build is.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BuildStatus {
    /// What is said of the build.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// What was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_status: Option<BuiltImage>,
}

/// What a build made.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BuiltImage {
    /// Where the image is pulled from; empty until there is one.
    pub image: String,
}
