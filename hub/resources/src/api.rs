//! `API` and `APIBinding`: an API that is no part of a component.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    exposed_api::ExposedApi,
    owner::ComponentOwner,
    parse::{is_default, or_default},
    status::ConditionStatus,
    vocabulary::ReleaseState,
};

/// What is exposed. Nothing but the owner is acted on.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "API",
    plural = "apis",
    namespaced,
    doc = "An API that is no part of a component.",
    status = "APIStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct APISpec {
    /// Who the API belongs to.
    pub owner: ComponentOwner,
    /// The Environment, by name.
    #[schemars(length(min = 1))]
    pub environment_name: String,
    /// What is exposed.
    #[serde(flatten)]
    pub api: ExposedApi,
}

/// What is said of an API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct APIStatus {
    /// What is said of the API.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// Where it is reached.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub address: String,
}

/// The API, its class and the environment.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "APIBinding",
    namespaced,
    doc = "An API in one environment.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct APIBindingSpec {
    /// The API, by name.
    #[schemars(length(min = 1))]
    pub api_name: String,
    /// The APIClass, by name.
    #[schemars(length(min = 1))]
    pub api_class_name: String,
    /// The Environment, by name.
    #[schemars(length(min = 1))]
    pub environment_name: String,
    /// What should become of the objects in the plane.
    #[serde(default, deserialize_with = "or_default")]
    pub release_state: ReleaseState,
}
