//! What Release and Bundle have in common: a list of objects, and what became of them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::parse::{is_default, or_default};

/// One object to apply.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BundleObject {
    /// Identity of the object in this list. It becomes a label value of the object: at most 63 characters.
    #[schemars(length(min = 1))]
    pub id: String,
    /// One whole Kubernetes object.
    #[schemars(schema_with = "crate::schemas::raw_json")]
    pub object: Value,
}

/// What became of the objects, as the plane last reported it.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryStatus {
    /// What is said of the whole.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// metadata.generation that the plane's report is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The Plane that the objects were sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<String>,
    /// How often the objects were sent to another Plane than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub r#move: Option<i64>,
    /// The content that the plane is known to have been given, so that a hub that starts again knows it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<DeliveredContent>,
    /// The agent's session that reported: a report of an older one changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<SessionTerm>,
    /// SHA-256 over the plane's last report, in lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub observed: Option<String>,
    /// The objects that were last known to be in the plane, those no longer desired included.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub inventory: Vec<InventoryEntry>,
    /// One entry per desired object, in the order of the spec.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub resources: Vec<ResourceStatus>,
}

/// A spec that was delivered, by its digest.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DeliveredContent {
    /// Its metadata.generation.
    #[schemars(range(min = 0))]
    pub generation: i64,
    /// SHA-256 of the spec in its canonical form, in lower-case hex.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub digest: String,
}

/// Which session of a plane: ordered by the agent's start, then by its connection since.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct SessionTerm {
    /// Counts starts of the agent.
    #[schemars(range(min = 0))]
    pub boot: i64,
    /// Counts connections since that start.
    #[schemars(range(min = 0))]
    pub dial: i64,
}

/// One object in the plane.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// API group; empty for core.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub group: String,
    /// API version without the group.
    #[schemars(length(min = 1))]
    pub version: String,
    /// Kind.
    #[schemars(length(min = 1))]
    pub kind: String,
    /// Namespace; empty for cluster-scoped objects.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// uid that the plane's API server gave it; empty while the plane has not told it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub uid: String,
}

/// State of one desired object.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceStatus {
    /// Identity of the object in the spec.
    #[schemars(length(min = 1))]
    pub id: String,
    /// API group; empty for core.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub group: String,
    /// API version without the group.
    #[schemars(length(min = 1))]
    pub version: String,
    /// Kind.
    #[schemars(length(min = 1))]
    pub kind: String,
    /// Namespace; empty for cluster-scoped objects.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Unknown, Progressing, Healthy, Suspended or Degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_status: Option<String>,
    /// When status or health of this entry last changed; absent while the object was not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_observed_time: Option<Time>,
    /// The whole status of the live object; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::raw_json")]
    pub status: Option<Value>,
    /// status is a summary, because the whole was too large.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub summarized: bool,
}
