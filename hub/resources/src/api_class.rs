//! `APIClass`: the policies that a platform gives to APIs.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{api_policy::ApiPolicy, status::NoStatus};

/// Policies, by what the API speaks.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "APIClass",
    namespaced,
    doc = "A platform's policies for APIs.",
    status = "NoStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct APIClassSpec {
    /// For REST APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_policy: Option<RestPolicy>,
    /// For gRPC APIs: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_policy: Option<GrpcPolicy>,
}

/// Policies for gRPC APIs, of which there are none yet.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
pub struct GrpcPolicy {}

/// Policies for REST APIs, by who reaches them.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RestPolicy {
    /// For all; what is set for one level is laid over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<ApiPolicy>,
    /// For what is reached through the external gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<ApiPolicy>,
    /// For what is reached through the internal gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<ApiPolicy>,
}
