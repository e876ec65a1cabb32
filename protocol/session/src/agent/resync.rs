//! What a complete list from the hub leaves out. Both start from what the plane has, so that a hub cannot make them
//! grow.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Key;

use super::plane::{Plane, Standing};

/// Holdings that the announcement under way has not named.
#[derive(Debug)]
pub(super) struct Unnamed(BTreeSet<Key>);

impl Unnamed {
    pub(super) fn new(plane: &impl Plane) -> Self {
        let may_be_orphaned = |standing| match standing {
            Standing::Recorded | Standing::Unrecorded => true,
            // What is gone leaves nothing to keep; the rest is outside already.
            Standing::Gone | Standing::Orphaned | Standing::Settled => false,
        };
        Self(
            plane
                .holdings()
                .filter(|holding| may_be_orphaned(holding.standing))
                .map(|holding| holding.head.key.clone())
                .collect(),
        )
    }

    pub(super) fn named(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// The orphans, if there are any.
    pub(super) fn finish(self) -> Option<Vec<Key>> {
        (!self.0.is_empty()).then(|| self.0.into_iter().collect())
    }
}

/// Reports that the hub has not shown to know.
#[derive(Debug)]
pub(super) struct Unmatched(BTreeMap<Key, Digest>);

impl Unmatched {
    pub(super) fn new(plane: &impl Plane) -> Self {
        let observed = plane.observed().into_iter().flatten();
        Self(observed.map(|(key, digest)| (key.clone(), *digest)).collect())
    }

    /// Takes out what the hub names. Returns what it knows otherwise.
    pub(super) fn compare(&mut self, hashes: &[(Key, Digest)]) -> Vec<Key> {
        let mut differing = Vec::new();
        for (key, theirs) in hashes {
            if self.0.remove(key).is_some_and(|ours| ours != *theirs) {
                differing.push(key.clone());
            }
        }
        differing
    }

    /// What the hub did not name.
    pub(super) fn finish(self) -> impl Iterator<Item = Key> {
        self.0.into_keys()
    }
}
