//! Announced heads that the hub waits for, and the words that free its window.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::head::{Head, Key, Version};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::Held;

/// The agent's copy of the hub's window, and acknowledgements not sent yet.
#[derive(Debug, Default)]
pub(super) struct Acknowledging {
    open: BTreeSet<Held>,
    ready: BTreeMap<Key, Version>,
}

impl Acknowledging {
    pub(super) fn announced(&mut self, head: &Head) {
        self.open.insert(Held {
            key: head.key.clone(),
            version: head.version,
        });
    }

    /// Heads that the hub counts as unacknowledged, at most.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// The plane holds this version: it is acknowledged, and older ones of the key with it.
    pub(super) fn held(&mut self, held: Held) {
        // What the hub did not announce in this session needs no answer.
        if self.answered(&held.key, held.version) {
            self.ready.insert(held.key, held.version);
        }
    }

    /// The hub gets another answer for all of the key's heads up to `version`.
    pub(super) fn answered(&mut self, key: &Key, version: Version) -> bool {
        let bound = |version| Held {
            key: key.clone(),
            version,
        };
        let range = bound(Version::default())..=bound(version);
        let answered: Vec<Held> = self.open.range(range).cloned().collect();
        answered.iter().for_each(|held| {
            self.open.remove(held);
        });
        !answered.is_empty()
    }

    /// The next acknowledgement: as many as there are, within one message.
    pub(super) fn chunk(&mut self) -> Option<Vec<Held>> {
        let mut chunk = Vec::new();
        while chunk.len() < limits::CHUNK
            && let Some((key, version)) = self.ready.pop_first()
        {
            chunk.push(Held { key, version });
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}
