//! The search for objects of a resource that no inventory names.
//!
//! A plane that lost its store learns from a head what the resource wants, and not what it wanted before: an object
//! that an earlier generation had and that was still to be deleted is in no list. It carries the resource's labels, and
//! the entry of our field manager, which every apply of ours leaves, and every create of what runs once. So before such a resource is called gone, the
//! cluster is looked through for objects with both.
//!
//! Labels alone prove nothing. People copy objects with their labels, and controllers copy the labels of a Service to
//! its EndpointSlices. And a copy that a program makes can have our entry, too: so under a head that is present nothing
//! that is found like this is deleted, see `docs/decisions/lost-stores.md`.

use outhaul_protocol_wire::head::{BundleKind, Key};
use outhaul_protocol_wire::limits;

use crate::live::Live;
use crate::retry::Retry;

/// Objects that one search brings at most: all of one generation and all of another. Where there are as many, it is made
/// again once those that are ours are gone.
pub const MOST: usize = 2 * limits::OBJECTS;

/// How the search for one resource stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sweep {
    /// The resource was recorded before this plane knew of it. Otherwise its inventory is complete: nothing is applied
    /// before it is recorded and written down.
    pub resumed: bool,
    /// It was searched for, since the agent started.
    pub done: bool,
    /// A request for it waits or is under way.
    pub busy: bool,
    /// Kinds changed while it was: it may have been too early for some.
    pub outdated: bool,
    /// Failures in a row.
    pub retry: Retry,
}

impl Sweep {
    /// Kinds appeared or changed: what was not served before was not searched.
    pub fn kinds_changed(&mut self) {
        self.done = false;
        self.outdated = self.busy;
        self.retry.hurry();
    }
}

/// Whether an object was applied because of the resource `key`, as far as an object can show that.
pub fn is_provably_of(live: &Live, key: &Key) -> bool {
    // Whoever mixed the labels of two resources may want it for the other.
    let created = key.kind == BundleKind::Bundle && live.created;
    live.owners.len() == 1 && live.is_of(key) && (live.mark.owned.is_some() || created)
}
