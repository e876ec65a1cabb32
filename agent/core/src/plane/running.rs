//! Objects that run once, see [`crate::once`].
//!
//! What is found under the name of one settles everything: with the uid that is known it runs, or shows its end; with
//! another one it is gone; and while none is known, what carries our labels is the object whose answer was lost.

use std::time::Instant;

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::report::{BlockerReason, RawStatus};
use serde_json::Value;

use super::requests::SentKind;
use super::{Answer, Plane};
use crate::blocker::{Course, Failure, blocker};
use crate::labels;
use crate::live::{Live, Shown};
use crate::object::Object;
use crate::once;

impl Plane {
    /// A request about an object that runs once was answered.
    pub(super) fn run_answered(
        &mut self,
        key: &Key,
        index: usize,
        kind: SentKind,
        answer: Answer,
        now: Instant,
    ) {
        self.dirty.insert(key.clone());
        let (object, listing) = self.wanted(key, index);
        match (kind, answer) {
            (
                SentKind::Create | SentKind::Look | SentKind::Release | SentKind::Apply(_),
                Answer::Object(value),
            ) => {
                object.answered_in = listing;
                if let Some(live) = Live::of(&value, labels::field_manager(key.kind)) {
                    self.run_seen(key, index, live, &value, now);
                }
            }
            (SentKind::Look | SentKind::Release, Answer::Failed(failure)) if failure.is_not_found() => {
                self.run_absent(key, index);
            }
            (SentKind::Create, Answer::Failed(failure)) if failure.is_conflict() => {
                object.collided = true;
                if !failure.says_it_exists() {
                    object.retry.failed(now);
                }
            }
            // Somebody wrote it meanwhile.
            (SentKind::Release, Answer::Failed(failure)) if failure.is_conflict() => object.retry.failed(now),
            (SentKind::Release, Answer::Failed(failure)) => self.release_failed(key, index, &failure, now),
            (kind, Answer::Failed(failure)) => {
                // An earlier create may have been answered by nobody: a look comes before the next one.
                object.collided |= kind == SentKind::Create && failure.course() == Course::Object;
                self.wanted_failed(key, index, &failure, now);
            }
            // Answers that no API server gives to such requests: the object is planned again.
            (SentKind::Adopt | SentKind::Delete | SentKind::Sweep, Answer::Object(_))
            | (_, Answer::Accepted | Answer::Objects(_)) => {}
        }
    }

    /// An object was found under the name of one that runs once.
    pub(super) fn run_seen(&mut self, key: &Key, index: usize, live: Live, value: &Value, now: Instant) {
        let object = &self.items[key].objects[index];
        if let Some(known) = object.live.as_ref().filter(|known| known.covers(value)) {
            if known.owners.is_empty() {
                self.look_later(key, index, now);
            }
            return;
        }
        let ours = match &object.uid {
            Some(uid) => *uid == live.uid,
            None => self.runs_for(key, &live),
        };
        match (ours, object.uid.is_some()) {
            (true, known) => {
                let is_unseen = live.owners.is_empty();
                self.run_goes_on(key, index, live, value, known);
                if is_unseen {
                    self.look_later(key, index, now);
                }
            }
            (false, true) => {
                let is_held_back = live.is_of(key) && live.observed && live.deleting.is_some();
                self.run_absent(key, index);
                self.wanted(key, index).0.copy = is_held_back.then_some(live.uid);
                self.dirty.insert(key.clone());
            }
            (false, false) => self.name_taken(key, index, &live, now),
        }
        self.look();
    }

    /// Somebody took the labels off that it is watched by: its end shows only where it is looked for.
    fn look_later(&mut self, key: &Key, index: usize, now: Instant) {
        let (object, _) = self.wanted(key, index);
        if !object.has_ended() {
            object.retry.failed(now);
        }
    }

    fn run_goes_on(&mut self, key: &Key, index: usize, live: Live, value: &Value, known: bool) {
        let room = self.room_for_an_end(key);
        let (object, _) = self.wanted(key, index);
        object.uid = Some(live.uid.clone());
        object.live = Some(live);
        object.collided = false;
        object.blocker = None;
        object.retry.clear();
        let had_ended = object.has_ended();
        let reference = object.desired.reference.clone();
        if let Some(run) = &mut object.run {
            run.observe(&reference, value);
            if let Some(end) = run.end.as_mut().filter(|_| !had_ended) {
                end.status.within(room);
            }
        }
        let shown = object.shown(value);
        let is_new = !known || object.has_ended() != had_ended;
        self.show(key, index, Some(shown));
        self.dirty.insert(key.clone());
        if is_new {
            self.storing.save_at_once(key);
        }
    }

    /// It is not there. If it ever was, that is its end.
    fn run_absent(&mut self, key: &Key, index: usize) {
        let (object, _) = self.wanted(key, index);
        object.live = None;
        object.copy = None;
        object.collided = false;
        // Why it could not be created may be so still.
        let others = [BlockerReason::NameTaken, BlockerReason::ControlPlaneChanged];
        if object.uid.is_some() || object.ran || others.iter().any(|reason| object.is_blocked(*reason)) {
            object.blocker = None;
        }
        if object.uid.is_none() && !object.ran {
            object.foresee(None);
            return self.show(key, index, Some(Shown::ABSENT));
        }
        let had_ended = object.has_ended();
        if let Some(run) = &mut object.run {
            run.vanish();
        }
        let shown = object
            .run
            .as_ref()
            .and_then(|run| Some(run.end.as_ref()?.shown()));
        self.show(key, index, shown);
        if !had_ended {
            self.storing.save_at_once(key);
        }
    }

    /// It never was, and its name has something else.
    fn name_taken(&mut self, key: &Key, index: usize, live: &Live, now: Instant) {
        let owner = live.owners.first().map_or_else(
            || "something that no Release or Bundle has made".to_owned(),
            |owner| {
                let (kind, namespace, name) = (owner.kind.as_str(), &owner.namespace, &owner.name);
                format!("an object of {kind} {namespace}/{name} (uid {})", owner.uid)
            },
        );
        let advice = match live.owners.first().is_some_and(|owner| owner.is_namesake(key)) {
            true => {
                "where that one is an orphan, let this one adopt it, see orphans; without it, this one would run again"
            }
            false => "remove it there first, or choose another name",
        };
        let left = !live.owners.is_empty() && live.owners.iter().all(|owner| self.left(key, owner));
        let unconfirmed = || {
            self.pin
                .keeps(&self.policy, &format!("{owner} has this name: taking it over"))
        };
        let taken = left.then(unconfirmed).flatten();
        let taken = taken.unwrap_or_else(|| {
            blocker(
                BlockerReason::NameTaken,
                format!("{owner} has this name: {advice}"),
            )
        });
        let (object, _) = self.wanted(key, index);
        object.collided = true;
        object.blocker = Some(taken);
        object.retry.failed(now);
        self.show(key, index, None);
        self.dirty.insert(key.clone());
    }

    /// Our finalizer could not be taken off: the object cannot go, which is more than how it ended. A watch may have told
    /// meanwhile that it is off.
    fn release_failed(&mut self, key: &Key, index: usize, failure: &Failure, now: Instant) {
        let (object, _) = self.wanted(key, index);
        let is_kept = object.copy.is_some() || object.live.as_ref().is_some_and(|live| live.observed);
        object.blocker = is_kept.then(|| failure.blocker());
        object.retry.failed(now);
        self.show(key, index, None);
    }

    /// What may still be written down of statuses.
    fn room_for_an_end(&self, key: &Key) -> usize {
        let ends = self.items[key].objects.iter().filter_map(|object: &Object| {
            let end = object.run.as_ref()?.end.as_ref()?;
            match &end.status {
                RawStatus::Json(json) => Some(json.len()),
                RawStatus::Absent | RawStatus::Summary { .. } => None,
            }
        });
        once::STATUS.saturating_sub(ends.sum())
    }
}
