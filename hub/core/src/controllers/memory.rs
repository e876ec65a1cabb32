//! What is remembered of a key between two looks. None of it is needed: a hub that starts anew writes the same.

use core::time::Duration;

use outhaul_protocol_wire::digest::Digest;

use super::Id;
use super::commit::Tried;
use super::compared::Compared;

/// What is remembered of one key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Memory {
    /// What was refused last, until it is taken.
    pub(super) refused: Option<Refused>,
    /// What was written last.
    pub(super) written: Option<Written>,
    /// What its Release was last compared to.
    pub(super) compared: Option<Compared>,
    /// What was said last in its status.
    pub(super) said: Option<Written>,
    /// What could not be said in its status, until something can.
    pub(super) unsaid: Option<Unsaid>,
    /// The commit that was tried last.
    pub(super) tried: Option<Tried>,
    /// Since when something that it names is missing.
    pub(super) missing: Option<Duration>,
    /// Since when its owner is missing.
    pub(super) ownerless: Option<Duration>,
    /// Since when its status waits for other writes.
    pub(super) held_back: Option<Duration>,
    /// Whether it is missing is not known yet.
    pub(super) awaits_owner: bool,
}

/// A write that the API server did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) attempt: Attempt,
    /// What the API server said.
    pub(super) message: String,
    /// When the same is tried again; another content is tried at once.
    pub(super) until: Duration,
}

/// A status that the API server did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unsaid {
    pub(super) content: Digest,
    /// The generation of the object that it was about: people are told once for each.
    pub(super) generation: Option<u64>,
    /// When the same is tried again; other words are tried at once.
    pub(super) until: Duration,
}

/// What was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    Create(Digest),
    Replace(Digest),
    Delete,
}

/// A write that the API server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) id: Id,
    pub(super) content: Digest,
    /// The resourceVersion of what became of it.
    pub(super) version: u64,
}
