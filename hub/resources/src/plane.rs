//! `Plane`: one cluster with one agent.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parse::{is_default, or_default};

/// Who the plane is, who may use it, and for what.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[kube(
    group = "outhaul.dev",
    version = "v1alpha1",
    kind = "Plane",
    doc = "One cluster that an agent connects to the hub. Its name is its identity.",
    status = "PlaneStatus",
    derive = "PartialEq",
    printcolumn(
        name = "Connected",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Connected")].status"#
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct PlaneSpec {
    /// An agent of this plane is refused, and a session it has is ended.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub revoked: bool,
    /// The plane will never return: its agent is refused, Releases and Bundles wait for it no longer, and nothing is
    /// removed there. Set by `outhaul plane forget`; taken back, the plane is served again.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub forgotten: bool,
    /// Public keys that may connect as this plane, each the SHA-256 of a SubjectPublicKeyInfo in lower-case hex.
    /// Without any, the key that enrolled counts.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(inner(regex(pattern = r"^[0-9a-f]{64}$")), extend("x-kubernetes-list-type" = "set"))]
    pub keys: Vec<String>,
    /// What becomes of Releases and Bundles that the plane holds and nothing stands for any more. Written by
    /// `outhaul orphans`; an entry goes once the plane has done it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["kind", "namespace", "name", "uid"]
    ))]
    pub decisions: Vec<OrphanDecision>,
    /// The control plane that the plane is to take for the one that it knew, by its witness in lower-case hex. Written by
    /// `outhaul plane confirm`, after the control plane was rebuilt or this Plane was made again.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(regex(pattern = r"^([0-9a-f]{64})?$"))]
    pub control_plane: String,
    /// The DataPlanes and BuildPlanes that may use this plane, and what each may manage there.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["kind", "namespace", "name"]
    ))]
    pub admits: Vec<Admission>,
}

/// One DataPlane or BuildPlane that may use the plane. What is not named here it may not manage.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Admission {
    /// DataPlane or BuildPlane.
    pub kind: AdmittedKind,
    /// Namespace of the resource in the control plane.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// Name of the resource.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Namespaces of the plane that it may manage; `*` stands for any run of characters.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(inner(regex(pattern = r"^[-a-z0-9*]{1,63}$")), extend("x-kubernetes-list-type" = "set"))]
    pub target_namespaces: Vec<String>,
    /// Cluster-scoped kinds that it may manage: the kind alone where it belongs to the core group, else
    /// `group/Kind`.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(
        inner(regex(pattern = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Z][A-Za-z0-9]*$")),
        extend("x-kubernetes-list-type" = "set")
    )]
    pub cluster_scoped_kinds: Vec<String>,
}

/// What becomes of one orphan.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OrphanDecision {
    /// Release or Bundle.
    pub kind: OrphanKind,
    /// The namespace that it had in the control plane.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The name that it had there.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The uid that it had there.
    #[schemars(length(min = 1))]
    pub uid: String,
    /// What to do.
    pub decision: OrphanVerdict,
}

/// The kinds that can be orphaned.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrphanKind {
    /// A Release.
    Release,
    /// A Bundle.
    Bundle,
}

/// What to do with an orphan.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrphanVerdict {
    /// The one that has its kind, namespace and name now takes its objects over as they are.
    Adopt,
    /// Its objects are deleted.
    Remove,
}

/// The kinds that can use a plane.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdmittedKind {
    /// A cluster that runs applications.
    DataPlane,
    /// A cluster that runs builds.
    BuildPlane,
}

impl AdmittedKind {
    /// The kind as objects name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DataPlane => "DataPlane",
            Self::BuildPlane => "BuildPlane",
        }
    }
}

/// What the hub recorded of the plane. The state of its connection is in the hub's REST, not here.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PlaneStatus {
    /// What is said of the plane.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// The public key that enrolled: the SHA-256 of its SubjectPublicKeyInfo in lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub key: Option<String>,
    /// What the policy of the plane's owner lets the hub do there, as the plane said it last. Absent where everything is
    /// as without a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PlanePolicy>,
}

/// What the policy of a plane's owner lets the hub do. The policy itself stays on the plane.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PlanePolicy {
    /// What the plane does with what it is told.
    pub mode: PolicyMode,
    /// Where it has to be confirmed that objects may go.
    pub confirmations: PolicyConfirmations,
    /// SHA-256 of the text that is in force, in lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why the text that is there now does not count, or not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a plane does with what it is told.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyMode {
    /// It does it.
    Acts,
    /// It changes nothing, and says what it would change.
    Observes,
    /// It does nothing, and shows what is there.
    Pauses,
}

/// Where it has to be confirmed that objects may go.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyConfirmations {
    /// On the hub, or on the plane.
    Hub,
    /// On the plane only.
    Plane,
}
