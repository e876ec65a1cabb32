//! What the session reads of the agent's state.

use std::borrow::Cow;

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Key, Version};
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::{Leftover, ObjectReport};

/// Stands for content that is lost, or was not recorded when an earlier process stored it: nothing is known that has this
/// digest.
const NO_CONTENT: Digest = Digest([0; 32]);

/// What a plane holds for one key, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The newest head that it took.
    pub head: Head,
    /// How the holding stands with the hub.
    pub standing: Standing,
    /// Whether all that it needs is known. Otherwise it has no report and counts in no hub's root, so that everything is
    /// announced and the same head is taken again. What may be lacking: its content; of what is not recorded, whether it was
    /// when an earlier process held it; of what is settled, objects that a search did not find, which alone costs no
    /// announcement.
    pub whole: bool,
}

/// How a holding stands with the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Stored; not applied before the hub has recorded the plane in the resource. Outside both roots while whole.
    Unrecorded,
    /// In force.
    Recorded,
    /// Removed or left, and everything of it is gone from the cluster; said until the hub settles it.
    Gone,
    /// No hub names it: kept as it is, outside both roots.
    Orphaned,
    /// Settled: only its version is remembered, outside both roots, so that it never goes back.
    Settled,
}

/// The newest state of a resource's objects.
#[derive(Debug, Clone, Copy)]
pub struct ReportView<'a> {
    /// The version that the plane works on.
    pub version: Version,
    /// Every object, in spec order.
    pub objects: &'a [ObjectReport],
    /// Objects on their way out.
    pub leftovers: &'a [Leftover],
    /// [`observed`](outhaul_protocol_wire::report::observed) over both.
    pub observed: Digest,
}

/// The agent's state, as far as a session reads it.
pub trait Plane {
    /// What is stored for one key.
    fn holding(&self, key: &Key) -> Option<&Holding>;

    /// The newest head of this key that was handed out to be stored ([`Event::Store`](super::Event::Store)), by this
    /// session or an earlier one, while its write has not ended.
    fn storing(&self, key: &Key) -> Option<&Head>;

    /// All that is stored, in the order of keys.
    fn holdings(&self) -> impl Iterator<Item = &Holding>;

    /// State of a resource's objects; none while it has not been looked at.
    fn report(&self, key: &Key) -> Option<ReportView<'_>>;

    /// The observed hash of every holding that [counts](Holding::counts), in the order of keys. None while the agent
    /// has not looked at all of its cluster.
    fn observed(&self) -> Option<impl Iterator<Item = (&Key, &Digest)>>;

    /// The policy of the plane's owner.
    fn policy(&self) -> Policy;

    /// Whether it knows its hub's control plane by another witness than it heard, which nobody has confirmed.
    fn is_unconfirmed(&self) -> bool;
}

impl Holding {
    /// Whether it is part of the roots.
    pub fn counts(&self) -> bool {
        self.whole && self.standing.counts()
    }

    /// What it adds to the root over heads. Without its content that is a head that no hub announces: were it left out,
    /// a hub that does not know the resource either would find equal roots, and nobody would hear of an orphan.
    pub(super) fn in_root(&self) -> Option<Cow<'_, Head>> {
        match (self.standing, self.whole) {
            (Standing::Recorded | Standing::Gone, true) => Some(Cow::Borrowed(&self.head)),
            (Standing::Recorded | Standing::Gone | Standing::Unrecorded, false) => Some(Cow::Owned(Head {
                digest: NO_CONTENT,
                ..self.head.clone()
            })),
            (Standing::Unrecorded, true) | (Standing::Orphaned | Standing::Settled, _) => None,
        }
    }
}

impl Standing {
    /// Whether a whole holding is part of the roots.
    pub fn counts(self) -> bool {
        match self {
            Self::Recorded | Self::Gone => true,
            Self::Unrecorded | Self::Orphaned | Self::Settled => false,
        }
    }
}
