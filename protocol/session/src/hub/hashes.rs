//! The observed hashes that a plane compares with its own, in chunks.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::limits;

use crate::pack::{self, Budget};

/// Hashes still to be sent.
#[derive(Debug)]
pub(super) struct Hashes(std::vec::IntoIter<(Key, Digest)>);

impl Hashes {
    pub(super) fn new<'a>(observed: impl Iterator<Item = (&'a Key, &'a Digest)>) -> Self {
        let hashes: Vec<_> = observed.map(|(key, digest)| (key.clone(), *digest)).collect();
        Self(hashes.into_iter())
    }

    /// The next chunk, and whether it is the last.
    pub(super) fn chunk(&mut self) -> (Vec<(Key, Digest)>, bool) {
        let mut budget = Budget::new();
        let fitting = |(key, _): &&(Key, Digest)| budget.take(pack::hash(key));
        let count = self
            .0
            .as_slice()
            .iter()
            .take(limits::CHUNK)
            .take_while(fitting)
            .count();
        let chunk = self.0.by_ref().take(count).collect();
        (chunk, self.0.len() == 0)
    }
}
