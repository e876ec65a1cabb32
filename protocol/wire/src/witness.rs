//! What tells a control plane from another one with the same hub id: a rebuilt one, or a clone made of its manifests.

use core::fmt;

use bincode::{Decode, Encode};

use crate::digest::{Digest, FieldHasher};
use crate::ids::Uid;

/// A control plane as one plane knows it. It stays the same for as long as the control plane keeps its etcd, also over a
/// restore from a backup. Made again from manifests, it is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Witness(pub Digest);

/// What a hub says of its control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Vouched {
    /// Which control plane it is.
    pub witness: Witness,
    /// Whether somebody wrote down there that this plane is to take it for the one that it knew.
    pub confirmed: bool,
    /// Whether the plane is to say in any case how it stands with it. Otherwise it says so only where it waits.
    pub asks: bool,
}

impl Witness {
    /// Of the uids of the Namespace `kube-system` and of the `Plane`. The second is part of it so that a Plane which
    /// somebody deleted and made again is another one too: it records the first key that comes.
    pub fn of(kube_system: &Uid, plane: &Uid) -> Self {
        let mut hasher = FieldHasher::default();
        hasher.field(kube_system.as_str()).field(plane.as_str());
        Self(hasher.finish())
    }

    /// The witness that a text names, as [`Witness`] is displayed.
    pub fn from_hex(text: &str) -> Option<Self> {
        Digest::from_hex(text).map(Self)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_cluster_and_another_plane_each_make_another_witness() {
        let of = |kube_system: &str, plane: &str| {
            Witness::of(&Uid::new(kube_system).unwrap(), &Uid::new(plane).unwrap())
        };
        let witness = of("a", "b");
        assert_eq!(witness, of("a", "b"));
        assert_eq!(Witness::from_hex(&witness.to_string()), Some(witness));
        for (kube_system, plane) in [("c", "b"), ("a", "c"), ("b", "a")] {
            assert_ne!(of(kube_system, plane), witness, "{kube_system} {plane}");
        }
    }
}
