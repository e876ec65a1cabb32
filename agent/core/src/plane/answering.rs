//! What the API server's answers mean.

use core::time::Duration;
use std::time::Instant;

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::Blocker;

use super::requests::{About, Answer, RequestId, SentKind};
use super::{News, Plane};
use crate::blocker::{Course, Failure};
use crate::departing::Step;
use crate::field::at;
use crate::item::Place;
use crate::labels;
use crate::live::{Live, Shown};
use crate::pace::Outcome;
use crate::record::Applied;

impl Plane {
    /// A request was answered, or will not be.
    pub fn answered(&mut self, id: RequestId, answer: Answer, took: Duration, now: Instant) {
        let answer = shown(answer);
        self.pace.answered(outcome(&answer), took, now);
        let Some(sent) = self.requests.answered(id) else {
            return;
        };
        self.storing.worked(now);
        match sent.about {
            About::Namespace { name, .. } => self.namespace_answered(&name, answer),
            About::Sweep(key) => self.swept(&key, answer, now),
            About::Ensure { key, object } => self.ensure_answered(&key, &object, sent.kind, answer, now),
            About::Object { key, object } => {
                let Some(item) = self.items.get_mut(&key) else {
                    return;
                };
                item.idle(&object);
                if let (SentKind::Delete, Answer::Accepted | Answer::Object(_)) = (sent.kind, &answer) {
                    // Whatever became of it since: it may have been wanted again.
                    self.budget.went(&key, now);
                }
                match item.find(&object) {
                    Some(Place::Wanted(index)) => self.wanted_answered(&key, index, sent.kind, answer, now),
                    Some(Place::Departing(index)) => {
                        self.departing_answered(&key, index, sent.kind, answer, now)
                    }
                    None => {}
                }
                self.go_on(&key);
            }
        }
    }

    /// Plans on once a stage is through.
    pub(super) fn go_on(&mut self, key: &Key) {
        if self.items.get(key).is_some_and(|item| item.busy == 0) {
            self.dirty.insert(key.clone());
        }
    }

    fn namespace_answered(&mut self, name: &str, answer: Answer) {
        let result = match answer {
            Answer::Object(_) | Answer::Objects(_) | Answer::Accepted => Ok(()),
            // It will be created once the server is back.
            Answer::Failed(failure) if failure.course() != Course::Object => {
                return self.namespace_awaited(name);
            }
            Answer::Failed(failure) => Err(failure),
        };
        let waited = self.namespaces.created(name, result);
        self.dirty.extend(waited);
    }

    /// Whoever waits for a namespace asks for it again.
    pub(super) fn namespace_awaited(&mut self, name: &str) {
        let waited = self.namespaces.created(name, Ok(()));
        self.namespaces.missing(name);
        self.dirty.extend(waited);
    }

    fn wanted_answered(&mut self, key: &Key, index: usize, kind: SentKind, answer: Answer, now: Instant) {
        if self.items[key].objects[index].run.is_some() {
            return self.run_answered(key, index, kind, answer, now);
        }
        match (kind, answer) {
            (SentKind::Apply(digest), Answer::Object(value)) => {
                let (object, listing) = self.wanted(key, index);
                let Some(live) = Live::of(&value, labels::field_manager(key.kind)) else {
                    return;
                };
                let shown = Shown::of(&object.desired.reference, &value);
                object.uid = Some(live.uid.clone());
                if !object.inherits(&live) {
                    object.applied = Some(Applied {
                        body: digest,
                        mark: live.mark,
                    });
                }
                object.drifted = false;
                object.repair_at = None;
                object.cleared = false;
                object.contested = false;
                object.blocker = None;
                object.retry.clear();
                object.answered_in = listing;
                let unchanged = |known: &Live| known.resource_version == live.resource_version;
                if object.live.as_ref().is_some_and(unchanged) {
                    object.fight.forgive();
                }
                match object.live.as_ref().filter(|known| known.covers(&value)) {
                    None => {
                        object.live = Some(live);
                        self.show(key, index, Some(shown));
                    }
                    Some(newer) => {
                        // Somebody wrote it before this answer came; what, is not known any more. One apply tells.
                        if newer.mark != live.mark {
                            object.drifted = true;
                            self.dirty.insert(key.clone());
                        }
                        self.show(key, index, None);
                    }
                }
                self.learned(key, now);
            }
            (SentKind::Adopt, Answer::Object(value)) => {
                let (object, listing) = self.wanted(key, index);
                object.adopted = true;
                object.retry.clear();
                object.answered_in = listing;
                if let Some(live) = Live::of(&value, labels::field_manager(key.kind))
                    && !object.live.as_ref().is_some_and(|known| known.covers(&value))
                {
                    object.live = Some(live);
                }
                self.dirty.insert(key.clone());
            }
            (SentKind::Look, Answer::Object(value)) => self.found(key, index, &value, now),
            (SentKind::Look, Answer::Failed(failure)) if failure.is_not_found() => {
                let (object, _) = self.wanted(key, index);
                object.cleared = true;
                object.blocker = None;
                object.live = None;
                object.foresee(None);
                if object.is_applied() {
                    object.drift(now);
                }
                self.show(key, index, Some(Shown::ABSENT));
                self.dirty.insert(key.clone());
            }
            (_, Answer::Failed(failure)) => self.wanted_failed(key, index, &failure, now),
            // Answers that no API server gives to such requests: the object is planned again.
            (
                SentKind::Create | SentKind::Release | SentKind::Delete | SentKind::Sweep,
                Answer::Object(_),
            )
            | (_, Answer::Accepted | Answer::Objects(_)) => {
                self.dirty.insert(key.clone());
            }
        }
    }

    /// A look found an object that we never applied, or one that cannot be watched.
    fn found(&mut self, key: &Key, index: usize, value: &serde_json::Value, now: Instant) {
        let Some(live) = Live::of(value, labels::field_manager(key.kind)) else {
            return;
        };
        let (object, listing) = self.wanted(key, index);
        object.answered_in = listing;
        // What a watch has shown meanwhile is ours, whoever had it before.
        let overtaken = object.live.as_ref().is_some_and(|known| known.covers(value));
        if !overtaken && self.yields(key, index, &live, now) {
            self.forget_live(key, index);
            let (object, _) = self.wanted(key, index);
            object.retry.failed(now);
            return self.hand_over(key, index, &live);
        }
        let (object, _) = self.wanted(key, index);
        object.cleared = true;
        object.blocker = None;
        object.retry.clear();
        let shown = (!overtaken).then(|| Shown::of(&object.desired.reference, value));
        if !overtaken {
            object.live = Some(live);
            object.compare(value, now);
        }
        object.foresee(Some(value));
        self.show(key, index, shown);
        self.dirty.insert(key.clone());
    }

    pub(super) fn wanted_failed(&mut self, key: &Key, index: usize, failure: &Failure, now: Instant) {
        let namespace = self.items[key].objects[index].desired.reference.namespace.clone();
        let blocker = self.missing_namespace(&namespace, failure);
        let (object, _) = self.wanted(key, index);
        // A watch may have told meanwhile what was asked.
        let needless = object.is_applied() && object.live.is_some();
        object.blocker = (!needless).then(|| blocker.unwrap_or_else(|| failure.blocker()));
        match failure.course() {
            Course::Object if failure.is_lasting() => object.retry.failed_lastingly(now),
            Course::Object | Course::MakeNamespace => object.retry.failed(now),
            // The pace waits for all of them.
            Course::Server | Course::Overload(_) => {}
        }
        self.show(key, index, None);
        self.dirty.insert(key.clone());
    }

    /// Why a namespace could not be created that a request misses.
    pub(super) fn missing_namespace(&mut self, namespace: &str, failure: &Failure) -> Option<Blocker> {
        match failure.course() {
            Course::MakeNamespace => Some(self.namespaces.missing(namespace)?.blocker()),
            Course::Object | Course::Server | Course::Overload(_) => None,
        }
    }

    fn departing_answered(&mut self, key: &Key, index: usize, kind: SentKind, answer: Answer, now: Instant) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let departing = &mut item.departing[index];
        let before = departing.leftover();
        let stays = matches!(answer, Answer::Object(_));
        match (kind, answer) {
            (
                SentKind::Apply(_) | SentKind::Create | SentKind::Release | SentKind::Adopt | SentKind::Look,
                Answer::Object(value),
            ) => {
                if let Some(live) = Live::of(&value, labels::field_manager(key.kind)) {
                    departing.found(&live, key, now);
                }
            }
            (SentKind::Delete, Answer::Accepted | Answer::Object(_)) => departing.deleted(),
            (SentKind::Look | SentKind::Delete | SentKind::Release, Answer::Failed(failure)) => {
                match failure.course() {
                    Course::Server | Course::Overload(_) => departing.blocker = Some(failure.blocker()),
                    Course::Object | Course::MakeNamespace => departing.failed(&failure, now),
                }
            }
            // What was under way when it was let go: a look tells what came of it.
            (SentKind::Apply(_) | SentKind::Adopt | SentKind::Create | SentKind::Sweep, _)
            | (SentKind::Look | SentKind::Release, Answer::Accepted)
            | (_, Answer::Objects(_)) => departing.hurry(),
        }
        let changed = departing.leftover() != before;
        // Of what ran, how it ended is still to be said once its spec can be read again.
        let is_kept = item.unreadable.is_some() && departing.has_begun();
        if departing.step == Step::Gone && !is_kept {
            let departing = item.departing.remove(index);
            self.gone(key, &departing.reference, stays, now);
        } else if changed {
            self.leftovers_changed(key);
        }
        self.dirty.insert(key.clone());
    }

    /// An object is this resource's no more: it is not there, or stays as what is not to go with it.
    fn gone(&mut self, key: &Key, object: &ObjectRef, stays: bool, now: Instant) {
        if stays {
            self.let_be(key, object);
        } else {
            self.kinds.release(object);
            self.pass_on(object, key);
        }
        self.leftovers_changed(key);
        self.save(key, now);
    }

    pub(super) fn leftovers_changed(&mut self, key: &Key) {
        self.stale.insert(key.clone());
        self.news.push(News::Leftovers(key.clone()));
    }

    /// What was learned is written down later, and all at once.
    fn learned(&mut self, key: &Key, now: Instant) {
        let planned = self.dirty.contains(key);
        self.save(key, now);
        if !planned {
            self.dirty.remove(key);
        }
    }
}

/// An object without a uid is none: a proxy may have answered, or somebody who means no good.
fn shown(answer: Answer) -> Answer {
    match &answer {
        Answer::Object(value) if at(value, "metadata/uid").is_none() => {
            Answer::Failed(Failure::Unreadable("it shows no object".to_owned()))
        }
        Answer::Object(_) | Answer::Objects(_) | Answer::Accepted | Answer::Failed(_) => answer,
    }
}

fn outcome(answer: &Answer) -> Outcome {
    match answer {
        Answer::Object(_) | Answer::Objects(_) | Answer::Accepted => Outcome::Answered,
        Answer::Failed(failure) => match failure.course() {
            Course::Server => Outcome::Unreachable,
            Course::Overload(retry_after) => Outcome::Overload(retry_after),
            Course::Object | Course::MakeNamespace => Outcome::Answered,
        },
    }
}
