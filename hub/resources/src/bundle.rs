//! `Bundle`: objects for one plane, named directly.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    delivery::{BundleObject, DeliveryStatus},
    parse::{is_default, or_default},
};

/// The objects, and the plane that runs them.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[kube(
    group = "outhaul.dev",
    version = "v1alpha1",
    kind = "Bundle",
    namespaced,
    doc = "Kubernetes objects for one plane.",
    status = "DeliveryStatus",
    derive = "PartialEq",
    printcolumn(name = "Plane", type_ = "string", json_path = ".spec.plane"),
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
pub struct BundleSpec {
    /// The Plane, by name.
    #[schemars(length(min = 1))]
    pub plane: String,
    /// The objects to apply, and to keep so.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub objects: Vec<BundleObject>,
    /// Objects that are created where they are absent, before all others, and never changed, owned or removed.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(
        schema_with = "crate::schemas::raw_json_list",
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub ensure: Vec<Value>,
    /// How long the bundle is worked on. One that runs once is not edited after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
}

impl BundleSpec {
    /// The lifecycle, where absent the usual one.
    pub fn lifecycle(&self) -> Lifecycle {
        self.lifecycle.unwrap_or(Lifecycle::Continuous)
    }
}

/// Continuous keeps the objects as they are here; Once runs them to completion, one time. Absent means Continuous.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifecycle {
    /// Until it is deleted.
    Continuous,
    /// Until its objects have run to completion.
    Once,
}
