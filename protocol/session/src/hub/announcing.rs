//! Which heads are announced next, and how many may be under way.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::head::{HeadState, Key, Version};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{Announce, Announced, Held};

use super::queue::Queue;
use crate::pack::{self, Budget};

/// Keys to announce in their order, and announced heads that wait for their acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Announcing {
    order: BTreeMap<u64, Key>,
    places: BTreeMap<Key, u64>,
    next_place: u64,
    in_flight: BTreeSet<Held>,
    /// While a complete announcement is under way: the first place that does not belong to it.
    everything_before: Option<u64>,
}

impl Announcing {
    /// Announces `keys` and what is added later.
    pub(super) fn changes(keys: impl Iterator<Item = Key>) -> Self {
        let mut announcing = Self::default();
        keys.for_each(|key| announcing.add(key));
        announcing
    }

    /// As [`Announcing::changes`], and says when all `keys` were named.
    pub(super) fn everything(keys: impl Iterator<Item = Key>) -> Self {
        let mut announcing = Self::changes(keys);
        announcing.everything_before = Some(announcing.next_place);
        announcing
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.order.len()
    }

    /// Adds a key at the end; one that waits already keeps its place, so that steady edits do not hold it back.
    pub(super) fn add(&mut self, key: Key) {
        if self.places.contains_key(&key) {
            return;
        }
        self.places.insert(key.clone(), self.next_place);
        self.order.insert(self.next_place, key);
        self.next_place += 1;
    }

    /// Takes a key out, announced or not.
    pub(super) fn forget(&mut self, key: &Key) {
        if let Some(place) = self.places.remove(key) {
            self.order.remove(&place);
        }
    }

    /// Frees the window of everything that `held` makes irrelevant. Returns what was under way.
    pub(super) fn acknowledge(&mut self, held: impl IntoIterator<Item = Held>) -> Vec<Held> {
        let mut news = Vec::new();
        for held in held {
            let oldest = Held {
                key: held.key.clone(),
                version: Version::default(),
            };
            let freed: Vec<Held> = self.in_flight.range(oldest..=held.clone()).cloned().collect();
            for old in &freed {
                self.in_flight.remove(old);
            }
            if !freed.is_empty() {
                news.push(held);
            }
        }
        news
    }

    /// The next message, if there is something to announce and room for it.
    pub(super) fn next(&mut self, queue: &impl Queue) -> Option<Announce> {
        let mut heads = Vec::new();
        let mut budget = Budget::new();
        while self.in_flight.len() < limits::UNACKNOWLEDGED
            && let Some((&place, key)) = self.order.first_key_value()
        {
            let announced = queue.head(key).map(|queued| Announced {
                content: match queued.head.state {
                    HeadState::Present => queue.inline(&queued.head.digest),
                    HeadState::Removed | HeadState::Left => None,
                },
                head: queued.head.clone(),
                recorded: queued.recorded,
            });
            if announced.as_ref().is_some_and(|head| !budget.take(cost(head))) {
                break;
            }
            if let Some(key) = self.order.remove(&place) {
                self.places.remove(&key);
            }
            if let Some(announced) = announced {
                self.in_flight.insert(Held {
                    key: announced.head.key.clone(),
                    version: announced.head.version,
                });
                heads.push(announced);
            }
        }
        let complete = self.completes();
        (complete || !heads.is_empty()).then_some(Announce { heads, complete })
    }

    /// Whether the complete announcement ends here. True once.
    fn completes(&mut self) -> bool {
        let done = |end| {
            self.order
                .first_key_value()
                .is_none_or(|(place, _)| *place >= end)
        };
        let ends = self.everything_before.is_some_and(done);
        if ends {
            self.everything_before = None;
        }
        ends
    }
}

fn cost(announced: &Announced) -> usize {
    let content = announced.content.as_ref();
    pack::announced(&announced.head, content.map_or(0, |content| content.zstd.len()))
}
