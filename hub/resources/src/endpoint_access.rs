//! Where the endpoints of a binding are reached: part of its status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    vocabulary::{EndpointType, Open},
};

/// What is said of a binding that serves requests.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointBindingStatus {
    /// What is said of the binding.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// metadata.generation last handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where it is reached, one entry per endpoint of the workload.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub endpoints: Vec<EndpointStatus>,
}

/// Where one endpoint is reached, and from where.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointStatus {
    /// Name of the endpoint in the workload.
    pub name: String,
    /// What is spoken there.
    pub r#type: Open<EndpointType>,
    /// From components of the same project and environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<EndpointAccess>,
    /// From within the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<EndpointAccess>,
    /// From anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<EndpointAccess>,
}

/// One address of an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointAccess {
    /// Name of a host or of a Kubernetes Service.
    pub host: String,
    /// Port.
    pub port: i32,
    /// Scheme; empty where there is none for what is spoken.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub scheme: String,
    /// What paths begin with.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub base_path: String,
    /// All of it in one.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub uri: String,
}
