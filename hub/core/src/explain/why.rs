//! Every reason for which something is stuck.

use outhaul_protocol_wire::report::BlockerReason;

use super::Stuck;
use crate::decision::RefusalReason;
use crate::waiting::Waiting;

/// A reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A plane says it of an object.
    Object(BlockerReason),
    /// The hub says it of a Release or Bundle as a whole.
    Refused(RefusalReason),
    /// Nothing refuses it.
    Waiting(Waiting),
    /// A plane keeps it, and nothing stands for it.
    Orphaned(Orphaned),
}

/// How it stands with an orphan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphaned {
    /// Something has its name now, and may take its objects over.
    Succeeded,
    /// Nothing has its name.
    Alone,
    /// It is the former copy of what moved to another plane.
    Elsewhere,
    /// It was decided what becomes of it.
    Decided,
}

impl Orphaned {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Succeeded, Self::Alone, Self::Elsewhere, Self::Decided];

    /// One word that scripts can match.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "OrphanSucceeded",
            Self::Alone => "Orphaned",
            Self::Elsewhere => "OrphanMoved",
            Self::Decided => "OrphanDecided",
        }
    }

    /// The same for people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Succeeded => "the plane keeps it; something else has its name in the control plane now",
            Self::Alone => "the plane keeps it, and nothing in the control plane stands for it",
            Self::Elsewhere => "it is meant for another plane now, or for none, and this is its former copy",
            Self::Decided => "what becomes of it is decided, and the plane is about to do it",
        }
    }
}

impl Why {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let objects = BlockerReason::ALL.into_iter().map(Self::Object);
        let refused = RefusalReason::ALL.into_iter().map(Self::Refused);
        let waiting = Waiting::ALL.into_iter().map(Self::Waiting);
        let orphaned = Orphaned::ALL.into_iter().map(Self::Orphaned);
        objects.chain(refused).chain(waiting).chain(orphaned)
    }

    /// The reason that a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::all().find(|why| why.as_str() == word)
    }

    /// One word that scripts can match.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Object(reason) => reason.as_str(),
            Self::Refused(reason) => reason.as_str(),
            Self::Waiting(waiting) => waiting.as_str(),
            Self::Orphaned(orphaned) => orphaned.as_str(),
        }
    }

    /// How something is stuck for this reason.
    pub fn stuck(self) -> Stuck {
        match self {
            Self::Object(reason) if reason.is_held() => Stuck::Held,
            Self::Refused(RefusalReason::DeletedInBulk) => Stuck::Held,
            Self::Object(_) | Self::Refused(_) => Stuck::Blocked,
            Self::Waiting(_) => Stuck::Waiting,
            Self::Orphaned(_) => Stuck::Orphaned,
        }
    }
}
