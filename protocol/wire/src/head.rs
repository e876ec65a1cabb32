//! Heads: which version of which resource a plane should hold, without its content.

use core::fmt;

use bincode::{Decode, Encode};

use crate::digest::Digest;
use crate::ids::{Epoch, Generation, Move, Uid};

/// The kind of resource in the control plane that carries desired state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum BundleKind {
    /// `Release` in `openchoreo.dev/v1alpha1`.
    Release,
    /// `Bundle` in `outhaul.dev/v1alpha1`.
    Bundle,
}

/// One resource of the control plane. Its uid is part of the key: a resource created again under the same name
/// is another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Key {
    /// Which kind of resource.
    pub kind: BundleKind,
    /// Its namespace in the control plane.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: Uid,
}

/// How new a head is. Ordered: the epoch decides, then the generation, then the move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Version {
    /// Epoch of the hub that announced it.
    pub epoch: Epoch,
    /// Generation of the resource.
    pub generation: Generation,
    /// How often the resource changed its plane.
    pub moved: Move,
}

/// What a plane should do about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum HeadState {
    /// Keep the content in place.
    Present,
    /// Let its objects go: the resource is being deleted and waits for that.
    Removed,
    /// Forget it and leave its objects where they are.
    Left,
}

/// What an operator said about objects that a plane holds instead of letting them go. It is said of one generation, and
/// the head of that generation carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Confirmed {
    /// Let them go.
    Remove,
    /// Leave them where they are, and forget them.
    Leave,
}

/// What a plane should hold for one key. A plane takes a head only if its version is newer than what it holds, or if it
/// is the same but for what was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Head {
    /// The resource.
    pub key: Key,
    /// Its version.
    pub version: Version,
    /// Digest of the canonical JSON of its `spec`.
    pub digest: Digest,
    /// What to do about it.
    pub state: HeadState,
    /// What to do about objects of it that are held.
    pub confirmed: Option<Confirmed>,
}

impl BundleKind {
    /// The kind as Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "Release",
            Self::Bundle => "Bundle",
        }
    }

    /// The word for it in paths of the command line and in a plane's policy.
    pub fn word(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Bundle => "bundle",
        }
    }
}

impl Confirmed {
    /// The word for it in annotations, REST and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Leave => "leave",
        }
    }

    /// What the word says, if it is one of the two.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Remove, Self::Leave]
            .into_iter()
            .find(|confirmed| confirmed.as_str() == word)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.epoch, self.generation, self.moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(epoch: u64, generation: u64, moved: u64) -> Version {
        Version {
            epoch: Epoch(epoch),
            generation: Generation(generation),
            moved: Move(moved),
        }
    }

    #[test]
    fn the_epoch_outranks_the_generation_and_the_generation_the_move() {
        let ordered = [
            version(1, 1, 1),
            version(1, 1, 2),
            version(1, 2, 0),
            version(2, 1, 0),
        ];
        assert!(ordered.is_sorted());
        assert!(ordered.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
