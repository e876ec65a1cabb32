//! One API of a component: what is exposed, to whom, under which policies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    vocabulary::{ClassName, EndpointType, Open},
};

/// One API of a Service.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ExposedApi {
    /// The APIClass, by name; empty means no policies.
    pub class_name: ClassName,
    /// What is spoken; only REST gets a route.
    pub r#type: Open<EndpointType>,
    /// What a REST API needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<RestApi>,
}

/// Where a REST API leads, and who reaches it.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RestApi {
    /// Where requests go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<RestBackend>,
    /// From where it is reached: Project, Organization, Public.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub expose_levels: Vec<Open<ExposeLevel>>,
}

/// Where the requests of a REST API go.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RestBackend {
    /// Port of the component's Kubernetes Service.
    pub port: i32,
    /// What paths begin with there.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub base_path: String,
}

/// From where an API is reached.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExposeLevel {
    /// From components of the same project: no route.
    Project,
    /// Through the internal gateway.
    Organization,
    /// Through the external gateway.
    Public,
}
