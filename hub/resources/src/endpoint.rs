//! `Endpoint`: a port of a `Deployment` that is reached from outside. Of the older path.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    endpoint_policy::Policy,
    parse::{is_default, or_default},
    vocabulary::EndpointType,
};

/// Where requests go, and who may send them. A DeployableArtifact has templates of it.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Endpoint",
    namespaced,
    doc = "A port of a deployment that is reached from outside.",
    status = "EndpointAddressStatus",
    derive = "PartialEq",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Address", type_ = "string", json_path = ".status.address")
)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// What is spoken there.
    pub r#type: EndpointType,
    /// Where requests go.
    pub backend_ref: EndpointBackend,
    /// Who reaches it; where nothing is said, everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_visibilities: Option<NetworkVisibilities>,
}

/// Where the requests of an endpoint go.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointBackend {
    /// Which of the two is meant.
    pub r#type: BackendType,
    /// What paths begin with there.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub base_path: String,
    /// A port of the component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_ref: Option<ComponentPort>,
    /// Another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<BackendAddress>,
}

/// What an endpoint leads to.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum BackendType {
    /// A port of the component.
    ComponentRef,
    /// Another address.
    Target,
}

/// A port of the component's Kubernetes Service.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ComponentPort {
    /// Port.
    pub port: i32,
}

/// An address beside the component.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BackendAddress {
    /// Address.
    pub url: String,
}

/// Who reaches an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkVisibilities {
    /// Through the internal gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<NetworkVisibility>,
    /// Through the external gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<NetworkVisibility>,
}

/// Whether there is a route through one gateway, and what it asks for.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkVisibility {
    /// Whether there is a route.
    pub enable: bool,
    /// What it asks for.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub policies: Vec<Policy>,
}

/// What is said of an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointAddressStatus {
    /// What is said of the endpoint.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// Where it is reached.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub address: String,
}
