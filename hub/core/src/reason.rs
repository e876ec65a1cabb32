//! Reasons of conditions and Events: words that scripts match, so they are listed in one place.

/// The spec cannot be delivered as a whole.
pub const INVALID_SPEC: &str = "InvalidSpec";
/// No plane can be found for the resource.
pub const NO_PLANE: &str = "NoPlane";
/// The plane does not admit what the resource wants there.
pub const NOT_ADMITTED: &str = "NotAdmitted";
/// The plane holds something newer than the control plane says.
pub const HUB_BEHIND: &str = "HubBehind";
/// The status cannot be read, so nothing is decided by it.
pub const INVALID_STATUS: &str = "InvalidStatus";
/// The API server does not take the status that its plane reported.
pub const STATUS_REFUSED: &str = "StatusRefused";
/// The resource was deleted along with its namespace or the definition of its kind. Also an Event of its plane.
pub const DELETED_IN_BULK: &str = "DeletedInBulk";
/// On its way to the plane.
pub const DELIVERING: &str = "Delivering";
/// Every object is in the plane; some are not done.
pub const PROGRESSING: &str = "Progressing";
/// Some object is failing.
pub const DEGRADED: &str = "Degraded";
/// Every object is as desired.
pub const ALL_HEALTHY: &str = "AllHealthy";
/// As OpenChoreo says it while the plane is being emptied.
pub const CLEANUP_IN_PROGRESS: &str = "CleanupInProgress";
/// As OpenChoreo says it where something holds that up.
pub const CLEANUP_FAILED: &str = "CleanupFailed";
/// The resource went to another plane, and its former one keeps its objects.
pub const OLD_COPY_KEPT: &str = "OldCopyKept";
/// Nothing of the resource is held any more.
pub const RELEASED: &str = "Released";
/// The plane was forgotten, and keeps what it holds.
pub const PLANE_FORGOTTEN: &str = "PlaneForgotten";
/// A Plane that is deleted waits for what is on it.
pub const IN_USE: &str = "InUse";
/// An agent has a session.
pub const SESSION_OPEN: &str = "SessionOpen";
/// No agent has had a session for the grace time.
pub const SESSION_LOST: &str = "SessionLost";

/// The plane knew another control plane, and holds what it would let go. Also an Event.
pub const CONTROL_PLANE_CHANGED: &str = "ControlPlaneChanged";
/// The plane takes this control plane for the one that it knew.
pub const CONFIRMED: &str = "Confirmed";

/// Event: two agents use one identity.
pub const IDENTITY_COPIED: &str = "IdentityCopied";
/// Event: the policy of a plane's owner cannot be read.
pub const POLICY_MALFORMED: &str = "PolicyMalformed";
/// Event: a generation is applied in its plane.
pub const DELIVERED: &str = "Delivered";
/// Event: every object is as desired.
pub const READY: &str = "Ready";
/// Event: an object is blocked.
pub const BLOCKED: &str = "Blocked";
/// Event: objects wait for a confirmation.
pub const HELD: &str = "Held";
/// Event: nothing of a deleted resource is left in its plane.
pub const REMOVED: &str = "Removed";
/// Event: the resource goes to another plane.
pub const MOVED: &str = "Moved";
