//! What people and scripts see of the fleet: plain data, made from the [`Fleet`](crate::Fleet)'s memory.
//!
//! Nothing here carries manifest content: names, states and reasons only.

use core::fmt;

use outhaul_hub_resources::{OrphanVerdict, PlanePolicy, PolicyConfirmations, PolicyMode};
use outhaul_protocol_wire::head::BundleKind;
use outhaul_protocol_wire::report::BlockerReason;
use serde::Serialize;
use utoipa::ToSchema;

use crate::decision::RefusalReason;

/// One plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaneView {
    /// Its name.
    pub name: String,
    /// Whether an agent has enrolled, or the Plane names keys of its own.
    pub enrolled: bool,
    /// Whether its agent is refused.
    pub revoked: bool,
    /// Whether it will never return: nothing is meant for it, and nothing waits for it.
    pub forgotten: bool,
    /// Its session; absent while it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionView>,
    /// Since when it has none, RFC 3339, as its condition says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What is meant for it.
    pub queue: QueueView,
    /// What it holds and the hub does not know.
    pub orphans: OrphansView,
    /// What the policy of its owner lets the hub do there, as it said last; absent where everything is as without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyView>,
    /// The witness of this control plane, where the plane knew another one and holds what it would let go until somebody
    /// confirms this one; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
}

/// What the policy of a plane's owner lets the hub do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    /// What the plane does with what it is told: `Acts`, `Observes` (changes nothing and says what it would change) or
    /// `Pauses` (does nothing).
    #[schema(value_type = String)]
    pub mode: PolicyMode,
    /// Where it has to be confirmed that objects may go: `Hub` (there, or on the plane) or `Plane` (only there).
    #[schema(value_type = String)]
    pub confirmations: PolicyConfirmations,
    /// SHA-256 of the text that is in force, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why the text that is there now does not count, or not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl From<PlanePolicy> for PolicyView {
    fn from(policy: PlanePolicy) -> Self {
        let PlanePolicy {
            mode,
            confirmations,
            digest,
            problem,
        } = policy;
        Self {
            mode,
            confirmations,
            digest,
            problem,
        }
    }
}

/// The session of a plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionView {
    /// When it began, RFC 3339.
    pub since: String,
    /// Where the agent dials from.
    pub remote: String,
    /// Starts of the agent, then its connections since.
    pub term: TermView,
    /// Version of the agent.
    pub agent_version: String,
    /// `gitVersion` of the plane's API server; empty while that is away.
    pub kubernetes_version: String,
    /// When the agent's certificate expires, RFC 3339.
    pub certificate_expires: String,
}

/// Which session of a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermView {
    /// Counts starts of the agent.
    pub boot: u64,
    /// Counts connections since that start.
    pub dial: u64,
}

/// What is meant for a plane, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    /// Releases and Bundles that the plane should hold.
    pub bundles: usize,
    /// Those of which the plane has not stored the newest version yet.
    pub unacknowledged: usize,
    /// Age of the oldest of them, in milliseconds; zero where there is none.
    pub lag_ms: u64,
}

/// What a plane holds and the hub does not know. It is kept there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrphansView {
    /// How many.
    pub total: u64,
    /// The first of them.
    pub bundles: Vec<BundleName>,
}

/// What a plane holds and the hub does not know, one by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrphanView {
    /// The resource that it was.
    #[serde(flatten)]
    pub bundle: BundleName,
    /// The uid that it had.
    pub uid: String,
    /// The uid of what has its name now and is meant for this plane; that may adopt it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// The plane that the resource itself is meant for, where it moved and this is its former copy: nothing is decided about
    /// that here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
    /// Whether the resource itself is in the control plane, on some plane or none: nothing is decided about what it left.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub stands: bool,
    /// What was decided about it: `Adopt` or `Remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub decision: Option<OrphanVerdict>,
}

/// A Release or Bundle, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BundleName {
    /// `Release` or `Bundle`.
    #[schema(value_type = String)]
    pub kind: KindName,
    /// Its namespace in the control plane.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl BundleName {
    /// `release/shop/cart`, as the command line takes it.
    pub fn path(&self) -> String {
        let kind = BundleKind::from(self.kind).word();
        format!("{kind}/{}/{}", self.namespace, self.name)
    }
}

/// `Release shop/cart`.
impl fmt::Display for BundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// `Release` or `Bundle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub enum KindName {
    /// `openchoreo.dev` Release.
    Release,
    /// `outhaul.dev` Bundle.
    Bundle,
}

impl From<KindName> for BundleKind {
    fn from(kind: KindName) -> Self {
        match kind {
            KindName::Release => Self::Release,
            KindName::Bundle => Self::Bundle,
        }
    }
}

/// A Release or Bundle on its way to a plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BundleView {
    /// The resource.
    #[serde(flatten)]
    pub bundle: BundleName,
    /// Its uid.
    pub uid: String,
    /// Its plane.
    pub plane: String,
    /// The version that the plane should hold.
    pub version: VersionView,
    /// SHA-256 of the spec in its canonical form, in hex.
    pub digest: String,
    /// How far it is.
    pub state: BundleState,
    /// Why it is not further, where something holds it as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocker: Option<BlockerView>,
    /// Hash over the plane's last report, in hex; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// Its objects in the order of the spec, as the plane reported them.
    pub objects: Vec<ObjectView>,
    /// Objects that are no longer desired and still in the plane.
    pub leftovers: Vec<LeftoverView>,
    /// Since when it is not as desired, or something of it is held: RFC 3339, as its conditions say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// Where a Release or Bundle is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Meant for a plane.
    On(Box<BundleView>),
    /// On none: why, and since when.
    Nowhere(Option<BlockerView>, Option<String>),
}

impl BundleView {
    /// Whether its plane holds objects of it until somebody decides what is to become of them.
    pub fn is_held(&self) -> bool {
        self.is_held_for(&BlockerReason::HELD) || self.is_deleted_in_bulk()
    }

    /// Whether its plane does not hear that it is deleted until somebody confirms it.
    pub fn is_deleted_in_bulk(&self) -> bool {
        let bulk = RefusalReason::DeletedInBulk.as_str();
        self.blocker
            .as_ref()
            .is_some_and(|blocker| blocker.reason == bulk)
    }

    /// Whether it does so for one of these reasons.
    pub fn is_held_for(&self, reasons: &[BlockerReason]) -> bool {
        let held = |blocker: &BlockerView| reasons.iter().any(|reason| reason.as_str() == blocker.reason);
        let leftovers = self
            .leftovers
            .iter()
            .filter_map(|leftover| leftover.blocker.as_ref());
        let mut blockers = self.blocker.iter().chain(leftovers);
        blockers.any(held)
    }
}

/// Version of a resource as planes compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// The hub's epoch.
    pub epoch: u64,
    /// `metadata.generation`.
    pub generation: u64,
    /// How often the resource changed its plane.
    pub moved: u64,
}

/// How far a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum BundleState {
    /// It cannot be delivered, see the blocker.
    Refused,
    /// Meant for the plane, which has not stored it yet.
    Queued,
    /// Stored in the plane, not reported yet.
    Stored,
    /// Reported: some object is on its way, or blocked.
    Progressing,
    /// Reported: every object is as desired.
    Ready,
    /// Being deleted: its objects are on their way out of the plane.
    Removing,
}

/// One object of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectView {
    /// Its id in the spec.
    pub id: String,
    /// Which object.
    #[serde(flatten)]
    pub object: ObjectName,
    /// Its uid in the plane, once it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Unknown, Progressing, Healthy, Suspended or Degraded.
    pub health: String,
    /// Why it is not as desired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocker: Option<BlockerView>,
}

/// An object that is no longer desired and still in the plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftoverView {
    /// Which object.
    #[serde(flatten)]
    pub object: ObjectName,
    /// Its uid in the plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// What keeps it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocker: Option<BlockerView>,
}

/// Which object in a plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// API group; empty for core.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// `Deployment.apps shop/cart`.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match self.namespace.as_str() {
            "" => write!(f, " {}", self.name),
            namespace => write!(f, " {namespace}/{}", self.name),
        }
    }
}

/// Why something is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlockerView {
    /// One word that scripts can match.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}
