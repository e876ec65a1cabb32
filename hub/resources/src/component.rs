//! `Component`: one piece of software that is deployed by itself.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    build_template::BuildTemplateRef, owner::ProjectOwner, status::ConditionStatus, vocabulary::Open,
};

/// What it is, whom it belongs to, and how it is built.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Component",
    namespaced,
    shortname = "comp",
    shortname = "comps",
    doc = "One piece of software that is deployed by itself.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ComponentSpec {
    /// The Project that it belongs to.
    pub owner: ProjectOwner,
    /// How it runs: Service, WebApplication, ScheduledTask; others lead to nothing.
    pub r#type: Open<ComponentType>,
    /// How it is built from source. Go clients send it with empty strings where there is no source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<ComponentBuild>,
}

/// How a component runs.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentType {
    /// It serves requests.
    Service,
    /// It serves web pages.
    WebApplication,
    /// It runs on a schedule.
    ScheduledTask,
}

/// How a component is built from source.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ComponentBuild {
    /// The source.
    pub repository: ComponentRepository,
    /// The template that builds it.
    pub template_ref: BuildTemplateRef,
}

/// The source of a component.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRepository {
    /// Git address; empty means that there is no source.
    pub url: String,
    /// What is built where nobody says.
    pub revision: ComponentRevision,
    /// Folder of the component in the repository.
    pub app_path: String,
}

/// What is built of a component where nobody says.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRevision {
    /// Branch.
    pub branch: String,
}
