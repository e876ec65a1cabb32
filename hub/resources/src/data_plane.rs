//! `DataPlane`: a cluster that runs applications, as an organization sees it.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kubernetes_cluster::{KubernetesCluster, must_be_empty},
    observer::Observer,
    status::ConditionStatus,
};

/// The plane behind it, and how applications there are reached.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "DataPlane",
    namespaced,
    shortname = "dp",
    shortname = "dps",
    doc = "A cluster that runs applications.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct DataPlaneSpec {
    /// The Plane, by name. Empty means the one Plane that admits this DataPlane.
    #[serde(rename = "planeID", default, skip_serializing_if = "Option::is_none")]
    pub plane_id: Option<String>,
    /// Image registry: accepted, and without effect.
    pub registry: ImageRegistry,
    /// Virtual hosts of the gateways: accepted, and without effect.
    pub gateway: VirtualHosts,
    /// Not used: an agent in the cluster connects to the hub. Accepted where all of it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = must_be_empty("dataplane")))]
    pub kubernetes_cluster: Option<KubernetesCluster>,
    /// Where logs are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observer: Option<Observer>,
}

/// An image registry.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ImageRegistry {
    /// What image names begin with.
    pub prefix: String,
    /// Name of a pull secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<String>,
}

/// Domains of the two gateways of a data plane.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VirtualHosts {
    /// Domain of the external gateway.
    pub public_virtual_host: String,
    /// Domain of the internal gateway.
    pub organization_virtual_host: String,
}
