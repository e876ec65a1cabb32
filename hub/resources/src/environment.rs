//! `Environment`: a stage such as development, served by one DataPlane.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    status::ConditionStatus,
};

/// The stage.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Environment",
    namespaced,
    shortname = "env",
    shortname = "envs",
    doc = "A stage such as development, and the data plane that serves it.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSpec {
    /// The DataPlane that serves this environment, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_plane_ref: Option<String>,
    /// Whether users depend on it: for people to read.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub is_production: bool,
    /// Gateway settings: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<EnvironmentGateway>,
}

/// Gateway settings of an environment.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentGateway {
    /// First label of the host names of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_prefix: Option<String>,
    /// How tokens are verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<GatewaySecurity>,
}

/// How a gateway verifies tokens.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySecurity {
    /// Where the keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_jwks: Option<RemoteJwks>,
}

/// A key set on the network.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RemoteJwks {
    /// Address of the key set; empty means unset.
    pub uri: String,
}
