//! What has to be written down, in which order, and what waits for it.
//!
//! A head is written at once, before anything of it is applied. What was learned since (uids, what was applied) is
//! gathered for a moment and written in one go, off the way of the first status.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use outhaul_protocol_session::agent::Standing;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::head::{Head, HeadState, Key};
use outhaul_protocol_wire::message::Held;
use outhaul_protocol_wire::object::ObjectRef;

use super::{News, Plane};
use crate::blocker::Failure;
use crate::item::{Brought, Item};
use crate::record::Record;
use crate::retry::Retry;

/// Writes under way: enough to keep an API server with slow disks busy, few enough to leave it to others.
const WRITES: usize = 16;

/// How long what was learned is gathered, and how long nothing else is to happen until it is written down.
const GATHER: Duration = Duration::from_secs(1);

/// How much longer it waits at most while heads are written and objects applied: those go first, and what would be lost
/// with the agent is found out again by a look.
const PATIENCE: Duration = Duration::from_secs(29);

/// How long, and how many of, settled resources are remembered, so that their versions never go back.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const MOST_REMEMBERED: usize = 10_000;

/// Something to write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The resource.
    pub key: Key,
    /// What about it.
    pub change: Change,
}

/// What to write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Its record with new content.
    Replace(Record, Content),
    /// Its record; its content stays.
    Update(Record),
    /// Its record; content is no longer needed.
    Empty(Record),
    /// Nothing is remembered any more.
    Forget,
}

/// A head on its way into the store.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) head: Head,
    pub(super) recorded: bool,
    pub(super) content: Option<Content>,
    pub(super) brought: Brought,
    /// What the write under way says about `recorded`.
    pub(super) recorded_in_store: bool,
    /// It was recorded before this plane knew of it.
    pub(super) resumed: bool,
}

/// A write under way.
#[derive(Debug)]
enum Writing {
    Head(Incoming),
    Save,
    Forget,
}

/// What waits to be written, and what is being written.
#[derive(Debug, Default)]
pub(super) struct Storing {
    incoming: BTreeMap<Key, Incoming>,
    unsaved: Unsaved,
    /// When the last write of a head or request for an object ended.
    last_busy: Option<Instant>,
    /// Resources with something that has to be written down before it counts.
    urgent: BTreeSet<Key>,
    forgotten: BTreeSet<Key>,
    writing: BTreeMap<Key, Writing>,
    retries: BTreeMap<Key, Retry>,
}

/// Resources of which something was learned, and when it is to be written down.
#[derive(Debug, Default)]
struct Unsaved {
    due: BTreeMap<Key, Instant>,
    order: BTreeSet<(Instant, Key)>,
}

impl Plane {
    /// The next write to begin now.
    pub fn poll_write(&mut self, now: Instant) -> Option<Write> {
        if self.storing.writing.len() >= WRITES {
            return None;
        }
        if let Some(mut incoming) = self.storing.next_incoming(now) {
            incoming.recorded_in_store = incoming.recorded;
            let key = incoming.head.key.clone();
            let change = self.change(&incoming);
            self.writes_record(&key);
            self.storing.writing.insert(key.clone(), Writing::Head(incoming));
            return Some(Write { key, change });
        }
        if let Some(key) = self.storing.next_forgotten(now) {
            self.storing.writing.insert(key.clone(), Writing::Forget);
            let change = Change::Forget;
            return Some(Write { key, change });
        }
        let is_busy = self.is_busy();
        let urgent = self.storing.next_urgent(now);
        let key = urgent.or_else(|| self.storing.next_unsaved(now, is_busy))?;
        self.save_now(key)
    }

    pub(super) fn writing_deadline(&self) -> Option<(Instant, &'static str)> {
        self.storing.deadline(self.is_busy())
    }

    /// Whether heads are written or objects applied.
    fn is_busy(&self) -> bool {
        !self.requests.is_empty() || self.storing.has_heads()
    }

    /// The next write when there is no time left to gather: what was learned and is not written down yet.
    pub fn poll_last_write(&mut self) -> Option<Write> {
        let idle = |key: &&Key| !self.storing.writing.contains_key(*key);
        let mut unsaved = self.storing.unsaved.due.keys().chain(&self.storing.urgent);
        let key = unsaved.find(idle)?.clone();
        self.storing.unsaved.remove(&key);
        self.storing.urgent.remove(&key);
        self.save_now(key)
    }

    /// A write has ended.
    pub fn written(&mut self, key: &Key, result: Result<(), Failure>, now: Instant) {
        let Some(writing) = self.storing.writing.remove(key) else {
            return;
        };
        if matches!(writing, Writing::Head(_)) {
            self.storing.worked(now);
        }
        match (writing, result) {
            (Writing::Head(incoming), Ok(())) => {
                self.storing.retries.remove(key);
                self.wrote_record(key);
                self.install(incoming, now);
            }
            (Writing::Save, Ok(())) => {
                self.storing.retries.remove(key);
                self.wrote_record(key);
            }
            (Writing::Forget, Ok(())) => {
                self.storing.retries.remove(key);
            }
            (Writing::Head(incoming), Err(_)) => {
                self.storing.retry(key, now);
                self.could_not_write_record(key);
                self.storing.wait_again(incoming);
            }
            (Writing::Save, Err(_)) => {
                self.storing.retry(key, now);
                self.could_not_write_record(key);
                if self.items.contains_key(key) {
                    self.storing.unsaved.insert(key, now);
                }
            }
            (Writing::Forget, Err(_)) => {
                self.storing.retry(key, now);
                self.storing.forgotten.insert(key.clone());
            }
        }
    }

    /// What was learned about `key` is to be written down soon, and it is to be planned again.
    pub(super) fn save(&mut self, key: &Key, now: Instant) {
        self.storing.save(key, now);
        self.dirty.insert(key.clone());
        self.stale.insert(key.clone());
    }

    /// Forgets settled resources that are too old or too many.
    pub(super) fn forget_old(&mut self, unix_time: u64) {
        let mut settled: Vec<(u64, &Key)> = self
            .items
            .values()
            .filter_map(|item| Some((item.settled_at?, item.key())))
            .collect();
        settled.sort_unstable();
        let too_many = settled.len().saturating_sub(MOST_REMEMBERED);
        let old = |index, at| index < too_many || at + REMEMBERED.as_secs() < unix_time;
        let forgotten: Vec<Key> = settled
            .into_iter()
            .enumerate()
            .filter(|(index, (at, _))| old(*index, *at))
            .map(|(_, (_, key))| key.clone())
            .collect();
        forgotten.iter().for_each(|key| self.forget(key));
    }

    fn writes_record(&mut self, key: &Key) {
        if let Some(item) = self.items.get_mut(key) {
            item.writes_record();
        }
    }

    /// What was allowed to go, and what ended, may go from now on.
    fn wrote_record(&mut self, key: &Key) {
        if self.items.get_mut(key).is_some_and(Item::wrote_record) {
            self.dirty.insert(key.clone());
        }
        self.plan_formers(key);
    }

    fn could_not_write_record(&mut self, key: &Key) {
        if self.items.get_mut(key).is_some_and(Item::could_not_write_record) {
            self.storing.save_at_once(key);
        }
    }

    /// Remembers nothing of a resource any more, here and in the store.
    pub(super) fn forget(&mut self, key: &Key) {
        self.storing.unsaved.remove(key);
        self.storing.urgent.remove(key);
        self.storing.forgotten.insert(key.clone());
        let before: Vec<ObjectRef> = self
            .items
            .remove(key)
            .map(|item| item.references().cloned().collect())
            .unwrap_or_default();
        self.delist(key, &before);
    }

    fn save_now(&mut self, key: Key) -> Option<Write> {
        let mut record = self.items.get(&key)?.record();
        record.spent = self.budget.of(&key, self.clock);
        self.writes_record(&key);
        self.storing.writing.insert(key.clone(), Writing::Save);
        let change = match record.standing {
            Standing::Settled => Change::Empty(record),
            Standing::Unrecorded | Standing::Recorded | Standing::Gone | Standing::Orphaned => {
                Change::Update(record)
            }
        };
        Some(Write { key, change })
    }

    /// What to write for a head: its record names every object that may be in the cluster because of the resource,
    /// before and after it.
    fn change(&self, incoming: &Incoming) -> Change {
        let Incoming {
            head,
            recorded,
            content,
            brought,
            recorded_in_store: _,
            resumed,
        } = incoming;
        let known = self.items.get(&head.key);
        let mut item = Item::new(head.clone());
        item.departing = known
            .map(|item| {
                item.inventory()
                    .into_iter()
                    .map(crate::departing::Departing::new)
                    .collect()
            })
            .unwrap_or_default();
        item.ran = known.is_some_and(Item::has_run);
        item.ensure.ensured = known.map(|item| item.ensure.ensured.clone()).unwrap_or_default();
        if let Brought::Spec(Ok(_)) = brought {
            item.take(head.clone(), brought.clone());
        }
        item.sweep.resumed = *resumed || known.is_some_and(|item| item.sweep.resumed);
        item.in_force = *recorded || known.is_some_and(|item| item.in_force);
        item.holding.standing = match recorded {
            true => Standing::Recorded,
            false => Standing::Unrecorded,
        };
        item.held = known
            .and_then(|item| item.held)
            .filter(|_| !item.departing.is_empty());
        let mut record = item.record();
        record.spent = self.budget.of(&head.key, self.clock);
        match (head.state, content) {
            (HeadState::Present, Some(content)) => Change::Replace(record, content.clone()),
            (HeadState::Present, None) => Change::Update(record),
            (HeadState::Removed | HeadState::Left, _) => Change::Empty(record),
        }
    }
}

impl Incoming {
    /// It comes in place of an older head that was not written. A removal that brings nothing itself looks for what that
    /// one wanted: an agent that lost its store may have applied it once.
    fn replaces(&mut self, older: Self) {
        self.resumed |= older.resumed;
        if self.head.state == HeadState::Removed && matches!(self.brought, Brought::Kept) {
            self.brought = older.brought;
        }
    }
}

impl Storing {
    /// The newest head per key wins, also over one that waits.
    pub(super) fn incoming(&mut self, mut incoming: Incoming) {
        let key = &incoming.head.key;
        self.forgotten.remove(key);
        self.retries.remove(key);
        if let Some(waiting) = self.incoming.remove(key) {
            incoming.replaces(waiting);
        }
        self.incoming.insert(incoming.head.key.clone(), incoming);
    }

    /// A head that could not be written waits again, unless a newer one does.
    fn wait_again(&mut self, incoming: Incoming) {
        match self.incoming.get_mut(&incoming.head.key) {
            Some(newer) => newer.replaces(incoming),
            None => drop(self.incoming.insert(incoming.head.key.clone(), incoming)),
        }
    }

    /// Marks a head that waits or is being written as recorded. Returns whether there is one of this version.
    pub(super) fn recorded(&mut self, held: &Held) -> bool {
        let waiting = self.incoming.get_mut(&held.key);
        let writing = self.writing.get_mut(&held.key).and_then(|writing| match writing {
            Writing::Head(incoming) => Some(incoming),
            Writing::Save | Writing::Forget => None,
        });
        let mut found = false;
        for incoming in waiting.into_iter().chain(writing) {
            if incoming.head.version == held.version {
                incoming.recorded = true;
                found = true;
            }
        }
        found
    }

    /// The newest head of this key that is on its way into the store.
    pub(super) fn head(&self, key: &Key) -> Option<&Head> {
        let writing = self.writing.get(key).and_then(|writing| match writing {
            Writing::Head(incoming) => Some(incoming),
            Writing::Save | Writing::Forget => None,
        });
        self.incoming.get(key).or(writing).map(|incoming| &incoming.head)
    }

    /// When the next write may begin that does not begin at once.
    fn deadline(&self, is_busy: bool) -> Option<(Instant, &'static str)> {
        if self.writing.len() >= WRITES {
            return None;
        }
        let idle = |key: &Key| !self.writing.contains_key(key);
        let retried = self.retries.iter().filter(|(key, _)| idle(key));
        let retried = retried.filter_map(|(key, retry)| {
            let due = retry.due()?;
            let at_once =
                self.incoming.contains_key(key) || self.forgotten.contains(key) || self.urgent.contains(key);
            match at_once {
                true => Some(due),
                false => self
                    .unsaved
                    .due
                    .get(key)
                    .map(|at| due.max(self.put_off(*at, is_busy))),
            }
        });
        let mut saves = self.unsaved.order.iter();
        let save = saves.find(|(_, key)| idle(key) && !self.retries.contains_key(key));
        let save = save.map(|(at, _)| self.put_off(*at, is_busy));
        Some((retried.chain(save).min()?, "a write"))
    }

    /// Whether all that is known of `key` is written down.
    pub(super) fn has_saved(&self, key: &Key) -> bool {
        let waits = self.incoming.contains_key(key) || self.unsaved.due.contains_key(key);
        !waits && !self.urgent.contains(key) && !self.writing.contains_key(key)
    }

    /// The write of a head, or a request, has ended.
    pub(super) fn worked(&mut self, now: Instant) {
        self.last_busy = Some(now);
    }

    /// When to write down what is to be written at `at`, if there is time.
    fn put_off(&self, at: Instant, is_busy: bool) -> Instant {
        let latest = at + PATIENCE;
        match self.last_busy {
            _ if is_busy => latest,
            Some(last) => at.max(last + GATHER).min(latest),
            None => at,
        }
    }

    /// Whether a head waits to be written, or is being written.
    fn has_heads(&self) -> bool {
        let mut writing = self.writing.values();
        !self.incoming.is_empty() || writing.any(|writing| matches!(writing, Writing::Head(_)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.incoming.is_empty()
            && self.unsaved.due.is_empty()
            && self.urgent.is_empty()
            && self.writing.is_empty()
            && self.forgotten.is_empty()
    }

    pub(super) fn save(&mut self, key: &Key, now: Instant) {
        if !self.unsaved.due.contains_key(key) {
            self.unsaved.insert(key, now + GATHER);
        }
    }

    /// Something about `key` waits until it is written down.
    pub(super) fn save_at_once(&mut self, key: &Key) {
        self.urgent.insert(key.clone());
    }

    fn next_urgent(&mut self, now: Instant) -> Option<Key> {
        let ready = |key: &&Key| !self.writing.contains_key(*key) && !self.waits(key, now);
        let key = self.urgent.iter().find(ready)?.clone();
        self.urgent.remove(&key);
        self.unsaved.remove(&key);
        Some(key)
    }

    fn next_incoming(&mut self, now: Instant) -> Option<Incoming> {
        let ready = |key: &&Key| !self.writing.contains_key(*key) && !self.waits(key, now);
        let key = self.incoming.keys().find(ready)?.clone();
        // The head's own record says what was to be saved.
        self.unsaved.remove(&key);
        self.urgent.remove(&key);
        self.incoming.remove(&key)
    }

    fn next_forgotten(&mut self, now: Instant) -> Option<Key> {
        let ready = |key: &&Key| !self.writing.contains_key(*key) && !self.waits(key, now);
        let key = self.forgotten.iter().find(ready)?.clone();
        self.forgotten.remove(&key);
        Some(key)
    }

    fn next_unsaved(&mut self, now: Instant, is_busy: bool) -> Option<Key> {
        let ready = |key: &Key| !self.writing.contains_key(key) && !self.waits(key, now);
        let due = self.unsaved.order.iter();
        let due = due.take_while(|(at, _)| self.put_off(*at, is_busy) <= now);
        let key = due.map(|(_, key)| key).find(|key| ready(key))?.clone();
        self.unsaved.remove(&key);
        Some(key)
    }

    fn retry(&mut self, key: &Key, now: Instant) {
        self.retries.entry(key.clone()).or_default().failed(now);
    }

    fn waits(&self, key: &Key, now: Instant) -> bool {
        self.retries
            .get(key)
            .is_some_and(|retry| retry.waits_until(now).is_some())
    }
}

impl Unsaved {
    fn insert(&mut self, key: &Key, at: Instant) {
        self.remove(key);
        self.due.insert(key.clone(), at);
        self.order.insert((at, key.clone()));
    }

    fn remove(&mut self, key: &Key) {
        if let Some(at) = self.due.remove(key) {
            self.order.remove(&(at, key.clone()));
        }
    }
}

impl News {
    /// The resource that it is about.
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Stored(key, _) | Self::Object(key, _) | Self::Leftovers(key) | Self::Whole(key) => {
                Some(key)
            }
            Self::Gone(held) => Some(&held.key),
            Self::Orphans | Self::Policy | Self::Unconfirmed | Self::Looked => None,
        }
    }
}
