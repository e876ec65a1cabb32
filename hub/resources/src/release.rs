//! `Release`: the finished objects of one component in one environment.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    delivery::{BundleObject, DeliveryStatus},
    owner::ComponentOwner,
    parse::{is_default, or_default},
};

/// The objects, and the environment whose plane runs them.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Release",
    namespaced,
    doc = "Finished Kubernetes objects of one component in one environment.",
    status = "DeliveryStatus",
    derive = "PartialEq",
    printcolumn(name = "Environment", type_ = "string", json_path = ".spec.environmentName"),
    printcolumn(name = "Plane", type_ = "string", json_path = ".status.plane"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseSpec {
    /// Who the Release belongs to.
    pub owner: ComponentOwner,
    /// The Environment, by name; it names the DataPlane.
    #[schemars(length(min = 1))]
    pub environment_name: String,
    /// The objects to apply.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub resources: Vec<BundleObject>,
    /// Accepted and without effect: planes report by watch, not at intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub interval: Option<String>,
    /// Accepted and without effect: planes report by watch, not at intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub progressing_interval: Option<String>,
}
