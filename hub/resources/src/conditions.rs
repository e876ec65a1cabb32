//! Condition types that the hub writes, and the reasons it gives.

/// On a Plane: its agent has a session. Turns only after a grace time, so a short absence writes nothing.
pub const CONNECTED: &str = "Connected";

/// On a Plane: the plane takes this control plane for the one that it knows. It is there only once it did not.
pub const CONTROL_PLANE_CONFIRMED: &str = "ControlPlaneConfirmed";

/// On a Release or Bundle: every desired object is in the plane and healthy, or suspended. On a component or binding:
/// whether something has to be corrected, and how its Release is doing. On what a platform consists of: everything that
/// it names is there and can be used.
pub const READY: &str = "Ready";

/// On a Release or Bundle that is being deleted: its objects are on their way out of the plane. On a Plane that is being
/// deleted: what is still on it.
pub const FINALIZING: &str = "Finalizing";

/// On a Project or DataPlane, as OpenChoreo says it: it is there.
pub const CREATED: &str = "Created";

/// On a DeploymentPipeline, as OpenChoreo says it: it is there.
pub const AVAILABLE: &str = "Available";

/// On a DataPlane or BuildPlane: it still holds how its cluster was dialled.
pub const CREDENTIALS_PRESENT: &str = "CredentialsPresent";

/// On a component, a binding or part of a platform: a field has no effect, or something is rendered otherwise than one may
/// expect. It is there only while there is such a thing.
pub const WARNINGS: &str = "Warnings";

/// On a Release or Bundle: its plane holds objects that it is to let go, until somebody confirms it.
pub const HELD: &str = "Held";
/// On a Release or Bundle: the plane that it was on was forgotten, and nothing was removed there.
pub const PLANE_FORGOTTEN: &str = "PlaneForgotten";

/// Values of a condition's `status`.
pub mod status {
    /// It is so.
    pub const TRUE: &str = "True";
    /// It is not so.
    pub const FALSE: &str = "False";
}
