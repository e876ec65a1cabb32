//! `BuildPlane`: a cluster that runs builds, as an organization sees it.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kubernetes_cluster::{KubernetesCluster, must_be_empty},
    observer::Observer,
    status::ConditionStatus,
};

/// The plane behind it.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "BuildPlane",
    namespaced,
    doc = "A cluster that runs builds.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct BuildPlaneSpec {
    /// The Plane, by name. Empty means the one Plane that admits this BuildPlane.
    #[serde(rename = "planeID", default, skip_serializing_if = "Option::is_none")]
    pub plane_id: Option<String>,
    /// Not used: an agent in the cluster connects to the hub. Accepted where all of it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = must_be_empty("buildplane")))]
    pub kubernetes_cluster: Option<KubernetesCluster>,
    /// Where logs are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observer: Option<Observer>,
}
