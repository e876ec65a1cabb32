//! All that an agent knows of its plane, and what it decides.
//!
//! Whoever drives it says what happened: heads to take ([`Plane::take`]), what became of writes ([`Plane::written`])
//! and requests ([`Plane::answered`]), what watches show ([`Plane::seen`] and its sisters). After a batch of those it
//! calls [`Plane::advance`], and then does what [`Plane::poll_write`], [`Plane::poll_request`] and [`Plane::news`]
//! give out, until they give no more. [`Plane::deadline`] says when to call `advance` again by itself.
//!
//! Promises:
//! - nothing is applied before it is written down, and nothing that is as wanted costs a request;
//! - an object leaves the plane only because a newer head wants it no more or says removed; not because something is
//!   absent, unreadable or unknown;
//! - what goes unasked is within a budget over all resources; beyond that, and where it is protected, an object goes
//!   only confirmed; and nothing goes, and nothing is taken over, for a control plane that changed, until that is confirmed;
//! - an object of another owner is neither changed nor deleted, nor is one that the policy of the plane's owner excludes;
//! - one object's failure stops that object only;
//! - what is gone was not found, or is not ours.

mod answering;
mod ensuring;
mod governing;
mod guarding;
mod inheriting;
mod letting_go;
mod pinning;
mod planning;
mod requests;
mod running;
mod storing;
mod succeeding;
mod sweeping;
mod taking;
mod telling;
#[cfg(test)]
mod tests;
mod viewing;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use outhaul_protocol_session::agent::{Session, Standing};
use outhaul_protocol_wire::head::{Key, Version};
use outhaul_protocol_wire::message::Held;

pub use self::requests::{Action, Answer, Request, RequestId};
pub use self::storing::{Change, Write};

use self::requests::Requests;
use self::storing::Storing;
use self::telling::Changes;
use crate::budget::Budget;
use crate::claims::Claims;
use crate::clock::Clock;
use crate::item::{Brought, Item};
use crate::kinds::{Kinds, Watched};
use crate::namespaces::Namespaces;
use crate::pace::Pace;
use crate::pin::Pin;
use crate::policy::Policy;
use crate::record::Record;

/// The plane.
#[derive(Debug)]
pub struct Plane {
    clock: Clock,
    items: BTreeMap<Key, Item>,
    policy: Policy,
    pin: Pin,
    budget: Budget,
    claims: Claims,
    kinds: Kinds,
    namespaces: Namespaces,
    requests: Requests,
    pace: Pace,
    storing: Storing,
    timers: BTreeSet<(Instant, Key)>,
    /// Resources to plan again.
    dirty: BTreeSet<Key>,
    /// Resources whose hash is not up to date.
    stale: BTreeSet<Key>,
    changes: Changes,
    news: Vec<News>,
    looked: bool,
}

/// What the hub may have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// This version is stored.
    Stored(Key, Version),
    /// The object with this id changed.
    Object(Key, String),
    /// What is on its way out changed.
    Leftovers(Key),
    /// Everything about a resource may have changed.
    Whole(Key),
    /// Everything of a removed or left resource is gone.
    Gone(Held),
    /// The set of orphans changed.
    Orphans,
    /// The policy of the plane's owner changed.
    Policy,
    /// Whether the control plane waits to be confirmed changed, or it does in this session too.
    Unconfirmed,
    /// All of the cluster has been looked at for the first time.
    Looked,
}

impl News {
    /// Tells it to the session with the hub.
    pub fn tell(self, session: &mut Session) {
        match self {
            Self::Stored(key, version) => session.stored(&key, version),
            Self::Object(key, id) => session.changed(&key, &id),
            Self::Leftovers(key) => session.leftovers_changed(&key),
            Self::Whole(key) => session.changed_whole(key),
            Self::Gone(held) => session.gone(held),
            Self::Orphans => session.orphans_changed(),
            Self::Policy => session.policy_changed(),
            Self::Unconfirmed => session.unconfirmed_changed(),
            Self::Looked => session.observed_known(),
        }
    }
}

/// A resource as the store has it.
#[derive(Debug)]
pub struct Stored {
    /// Its record.
    pub record: Record,
    /// Its spec.
    pub brought: Brought,
}

impl Plane {
    /// A plane that holds what was stored. What the hub had not recorded, as far as the store knows, is announced again or was
    /// deleted since; until then its objects stay known. That it was recorded is written down after it is applied.
    pub fn restored(stored: impl IntoIterator<Item = Stored>, policy: Policy, clock: Clock) -> Self {
        let mut plane = Self::empty(policy, clock);
        for Stored { record, brought } in stored {
            let key = record.head.key.clone();
            plane.budget.restore(&key, &record.spent, clock);
            plane.items.insert(key, Item::restored(record, brought));
        }
        plane.claim_what_is_there();
        let keys: Vec<Key> = plane.items.keys().cloned().collect();
        keys.iter().for_each(|key| plane.enlist(key));
        plane.look();
        plane
    }

    fn empty(policy: Policy, clock: Clock) -> Self {
        let budget = Budget::within(policy.budget());
        Self {
            clock,
            items: BTreeMap::new(),
            policy,
            pin: Pin::default(),
            budget,
            claims: Claims::default(),
            kinds: Kinds::default(),
            namespaces: Namespaces::default(),
            requests: Requests::default(),
            pace: Pace::default(),
            storing: Storing::default(),
            timers: BTreeSet::new(),
            dirty: BTreeSet::new(),
            stale: BTreeSet::new(),
            changes: Changes::default(),
            news: Vec::new(),
            looked: false,
        }
    }

    /// Both clocks were read again: by the newer reading, moments are written down.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// Decides what follows from all that happened until `now`.
    pub fn advance(&mut self, now: Instant) {
        while let Some((at, _)) = self.timers.first()
            && *at <= now
        {
            let (_, key) = self.timers.pop_first().expect("it was just seen");
            self.dirty.insert(key);
        }
        while let Some(key) = self.dirty.pop_first() {
            self.plan(&key, now);
        }
        for key in core::mem::take(&mut self.stale) {
            if let Some(item) = self.items.get_mut(&key) {
                item.refresh(&self.policy, &self.pin);
            }
        }
        self.tell_changes(now);
    }

    /// When to call [`Plane::advance`] if nothing happens before, and for what.
    pub fn deadline(&self) -> Option<(Instant, &'static str)> {
        let timer = self
            .timers
            .first()
            .map(|(at, _)| (*at, "an object's next attempt"));
        // A request that was not needed any more may leave something to plan, and nothing else happens.
        let unplanned = self.dirty.first().map(|_| (self.clock.now, "a plan"));
        let pause = self.pace.deadline().filter(|_| self.requests.are_waiting());
        [
            unplanned,
            timer,
            pause,
            self.writing_deadline(),
            self.pin_deadline(),
            self.changes.deadline(),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }

    /// What happened since the last call.
    pub fn news(&mut self) -> Vec<News> {
        core::mem::take(&mut self.news)
    }

    /// Grows whenever [`Plane::watched`] changes.
    pub fn watch_revision(&self) -> u64 {
        self.kinds.revision()
    }

    /// Which kinds to watch.
    pub fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.kinds.watched()
    }

    /// Whether nothing waits, is under way or has to be written: all that can be done is done.
    pub fn is_at_rest(&self) -> bool {
        self.dirty.is_empty()
            && self.requests.is_empty()
            && self.storing.is_empty()
            && self.changes.is_empty()
    }

    /// Whoever had an object when the agent stopped has it still, before anyone who waits for it.
    fn claim_what_is_there(&mut self) {
        for (key, item) in &self.items {
            for there in item.inventory().iter().filter(|there| there.uid.is_some()) {
                self.claims.claim(&there.object, key);
            }
        }
    }

    /// Makes an item's objects known: which kinds count, and who has them.
    fn enlist(&mut self, key: &Key) {
        self.exclude(key);
        let Some(item) = self.items.get(key) else {
            return;
        };
        for object in item.references().filter(|object| !object.name.is_empty()) {
            self.kinds.add(object);
        }
        if item.in_force {
            self.claim(key);
        }
        self.dirty.insert(key.clone());
        self.stale.insert(key.clone());
    }

    /// Has an item have its objects, unless others have them. Only of what is in force anything can be there: what was
    /// never recorded may be gone before anybody says so, and must not stand in the way of what comes in its place.
    fn claim(&mut self, key: &Key) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        for object in &mut item.objects {
            let reference = &object.desired.reference;
            if !reference.name.is_empty() {
                object.taken_by = self.claims.claim(reference, key);
            }
        }
        for departing in &item.departing {
            self.claims.claim(&departing.reference, key);
        }
        for index in 0..item.objects.len() {
            let object = &item.objects[index];
            let sight = self.kinds.sight(&object.desired.reference);
            let blocker = object.shown_blocker(&sight, &self.policy);
            item.show(index, None, blocker);
        }
    }

    /// Says that the whole cluster has been looked at, once that is so.
    fn look(&mut self) {
        if self.looked || self.items.values().any(|item| item.unseen && !self.is_seen(item)) {
            return;
        }
        self.looked = true;
        self.items.values_mut().for_each(|item| item.unseen = false);
        self.news.push(News::Looked);
    }

    fn is_seen(&self, item: &Item) -> bool {
        let counts = match item.holding.standing {
            Standing::Recorded | Standing::Orphaned => true,
            Standing::Unrecorded | Standing::Gone | Standing::Settled => false,
        };
        !counts
            || item.objects.iter().all(|object| {
                object.live.is_some()
                    || object.desired.body.is_err()
                    || self.kinds.sight(&object.desired.reference).is_conclusive()
            })
    }
}
