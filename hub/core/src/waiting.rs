//! What something waits for that is not done and that nothing refuses: somebody's turn.

/// Why something is not done that nothing refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The Plane was forgotten.
    PlaneForgotten,
    /// The Plane is revoked.
    PlaneRevoked,
    /// No agent has enrolled.
    PlaneNotEnrolled,
    /// The agent has no session.
    PlaneDisconnected,
    /// The plane's owner pauses all work there.
    PolicyPauses,
    /// The plane's owner lets nothing be changed there.
    PolicyObserves,
    /// The policy of the plane's owner cannot be read.
    PolicyUnread,
    /// The plane knew another control plane, and this one is not confirmed.
    ControlPlaneUnconfirmed,
    /// The plane has not stored it yet.
    NotStored,
    /// The plane is applying it.
    NotReported,
    /// The plane is letting it go.
    Removing,
    /// It goes once others are there.
    WaitsForOthers,
    /// The plane's controllers are at work.
    Progressing,
    /// Its own status says that it fails.
    Degraded,
    /// It is not there, or cannot be judged.
    Unknown,
}

impl Waiting {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::PlaneForgotten,
        Self::PlaneRevoked,
        Self::PlaneNotEnrolled,
        Self::PlaneDisconnected,
        Self::PolicyPauses,
        Self::PolicyObserves,
        Self::PolicyUnread,
        Self::ControlPlaneUnconfirmed,
        Self::NotStored,
        Self::NotReported,
        Self::Removing,
        Self::WaitsForOthers,
        Self::Progressing,
        Self::Degraded,
        Self::Unknown,
    ];

    /// One word that scripts can match.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlaneForgotten => "PlaneForgotten",
            Self::PlaneRevoked => "PlaneRevoked",
            Self::PlaneNotEnrolled => "PlaneNotEnrolled",
            Self::PlaneDisconnected => "PlaneDisconnected",
            Self::PolicyPauses => "PlanePauses",
            Self::PolicyObserves => "PlaneObserves",
            Self::PolicyUnread => "PolicyMalformed",
            Self::ControlPlaneUnconfirmed => "ControlPlaneUnconfirmed",
            Self::NotStored => "NotStored",
            Self::NotReported => "NotReported",
            Self::Removing => "Removing",
            Self::WaitsForOthers => "WaitsForOthers",
            Self::Progressing => "Progressing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}
