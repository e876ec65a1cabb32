//! The search for objects that no inventory names, before a removed resource is called gone.

use std::time::Instant;

use outhaul_protocol_wire::head::{HeadState, Key};
use serde_json::Value;

use super::requests::{About, SentKind};
use super::{Action, Answer, Plane};
use crate::blocker::{Course, Failure};
use crate::departing::Departing;
use crate::item::Item;
use crate::labels;
use crate::live::{self, Live};
use crate::record;
use crate::sweep;

impl Plane {
    /// Sees to the search. Returns whether it is still to end.
    pub(super) fn waits_for_sweep(&mut self, key: &Key, now: Instant) -> bool {
        let Some(item) = self.items.get_mut(key).filter(|item| needs_sweep(item)) else {
            return false;
        };
        if let Some(until) = item.sweep.retry.waits_until(now) {
            self.timers.insert((until, key.clone()));
        } else if !core::mem::replace(&mut item.sweep.busy, true) {
            self.requests.wait(About::Sweep(key.clone()));
        }
        true
    }

    pub(super) fn sweep_action(&self, key: &Key) -> Option<(Action, SentKind)> {
        let item = self
            .items
            .get(key)
            .filter(|item| item.acts() && needs_sweep(item));
        item.map(|_| (Action::Sweep(labels::selector_of(key)), SentKind::Sweep))
    }

    /// The search is not needed any more.
    pub(super) fn sweep_idle(&mut self, key: &Key) {
        if let Some(item) = self.items.get_mut(key) {
            item.sweep.busy = false;
            self.dirty.insert(key.clone());
        }
    }

    /// The search has ended.
    pub(super) fn swept(&mut self, key: &Key, answer: Answer, now: Instant) {
        self.sweep_idle(key);
        let Some(item) = self.items.get_mut(key).filter(|item| needs_sweep(item)) else {
            return;
        };
        let failure = match answer {
            Answer::Objects(found) => {
                let outdated = core::mem::take(&mut item.sweep.outdated);
                item.sweep.done = found.len() < sweep::MOST && !outdated;
                if !item.sweep.done {
                    item.sweep.retry.failed(now);
                }
                return self.strays_found(key, &found, now);
            }
            Answer::Failed(failure) => failure,
            Answer::Object(_) | Answer::Accepted => Failure::Unreadable("it is no list".to_owned()),
        };
        match failure.course() {
            Course::Object | Course::MakeNamespace => item.sweep.retry.failed(now),
            // The pace waits for all of them.
            Course::Server | Course::Overload(_) => {}
        }
    }

    /// What was found is let go with the rest of its resource, each under the uid that it was found with.
    fn strays_found(&mut self, key: &Key, found: &[Value], now: Instant) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let mut strays: Vec<Departing> = found.iter().filter_map(|value| stray(item, value)).collect();
        if strays.is_empty() {
            return;
        }
        for stray in &mut strays {
            stray.excluded = self.policy.excludes(key, &stray.reference, None);
            self.claims.claim(&stray.reference, key);
            self.kinds.add(&stray.reference);
        }
        item.departing.extend(strays);
        self.leftovers_changed(key);
        self.save(key, now);
    }
}

/// Whether objects of it may be in the cluster that it does not know of.
fn needs_sweep(item: &Item) -> bool {
    item.holding.head.state == HeadState::Removed && item.sweep.resumed && !item.sweep.done
}

fn stray(item: &Item, value: &Value) -> Option<Departing> {
    let key = item.key();
    let object = live::reference(value)?;
    let live = Live::of(value, labels::field_manager(key.kind))?;
    if !sweep::is_provably_of(&live, key) || item.find(&object).is_some() {
        return None;
    }
    let mut stray = Departing::new(record::Item {
        object,
        uid: Some(live.uid.clone()),
        applied: None,
        stray: true,
        allowed: false,
        protected: false,
        contested: false,
        run: None,
    });
    stray.is_in_sight(&live, key);
    Some(stray)
}
