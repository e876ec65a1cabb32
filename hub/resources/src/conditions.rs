//! Condition types that the hub writes, and the reasons it gives.

/// On a Plane: its agent has a session. Turns only after a grace time, so a short absence writes nothing.
pub const CONNECTED: &str = "Connected";

/// On a Release or Bundle: every desired object is in the plane and healthy, or suspended.
pub const READY: &str = "Ready";

/// On a Release or Bundle that is being deleted: its objects are on their way out of the plane.
pub const FINALIZING: &str = "Finalizing";

/// Values of a condition's `status`.
pub mod status {
    /// It is so.
    pub const TRUE: &str = "True";
    /// It is not so.
    pub const FALSE: &str = "False";
}
