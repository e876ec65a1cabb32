//! What a plane says about the policy of its owner. The policy itself stays there: the hub is told what follows from it.

use bincode::{Decode, Encode};

use crate::digest::Digest;

/// The policy that is in force on a plane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Policy {
    /// SHA-256 of its text; none where there is none.
    pub digest: Option<Digest>,
    /// What the agent does with what it is told.
    pub mode: Mode,
    /// Where it has to be confirmed that objects may go.
    pub confirmations: Confirmations,
    /// Why the text that is there now does not count, or not all of it: at most [`crate::limits::MESSAGE_BYTES`] bytes.
    pub problem: Option<String>,
}

/// What the agent does with what it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Mode {
    /// It does it.
    #[default]
    Acts,
    /// It changes nothing, and says what it would change.
    Observes,
    /// It does nothing, and shows what is there.
    Pauses,
}

/// Where it has to be confirmed that objects may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Confirmations {
    /// On the hub, or on the plane.
    #[default]
    Hub,
    /// That they may go, on the plane only; that they are to stay, on the hub as well.
    Plane,
}
