//! Objects that a resource needs and does not own: created where they are absent, before anything of its own.

use std::time::Instant;

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Mode;
use outhaul_protocol_wire::report::{BlockerReason, ObjectReport};

use super::planning::first_stage;
use super::requests::{About, SentKind};
use super::{Action, Answer, Plane};
use crate::blocker::{Course, Failure, blocker};
use crate::labels;
use crate::stage::{Stage, stage};

impl Plane {
    /// Plans those that are missing. Nothing else of the resource is done until all of them are there.
    pub(super) fn plan_missing(&mut self, key: &Key, now: Instant) {
        let Some(item) = self.items.get(key) else {
            return;
        };
        let missing = item.ensure.missing.iter();
        let needs = missing.map(|it| (it.desired.stage, &it.desired.reference, it.need(now)));
        let plan = first_stage(needs, |stage| stage);
        if let Some(again) = plan.again {
            self.timers.insert((again, key.clone()));
        }
        if self.waits_for_namespaces(key, &plan.due) {
            return;
        }
        for object in plan.due {
            self.queue_missing(key, object);
        }
    }

    fn queue_missing(&mut self, key: &Key, object: ObjectRef) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        if let Some(missing) = item.ensure.find(&object) {
            missing.busy = true;
            item.busy += 1;
            let key = key.clone();
            self.requests.wait(About::Ensure { key, object });
        }
    }

    pub(super) fn ensure_action(&self, key: &Key, object: &ObjectRef) -> Option<(Action, SentKind)> {
        let item = self.items.get(key).filter(|item| item.acts())?;
        let mut missing = item.ensure.missing.iter();
        let missing = missing.find(|it| it.desired.reference.same_object(object))?;
        let may = self.policy.mode() == Mode::Acts && missing.excluded.is_none();
        let body = missing.desired.body.as_ref().ok().filter(|_| may)?;
        let object = missing.desired.reference.clone();
        if missing.refused {
            return Some((Action::Look(object), SentKind::Look));
        }
        let action = Action::Create {
            object,
            manager: labels::field_manager(key.kind),
            body: body.json.clone(),
        };
        Some((action, SentKind::Create))
    }

    /// The request is no longer under way.
    pub(super) fn ensure_idle(&mut self, key: &Key, object: &ObjectRef) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        if let Some(missing) = item.ensure.find(object)
            && core::mem::take(&mut missing.busy)
        {
            item.busy -= 1;
        }
        self.dirty.insert(key.clone());
    }

    pub(super) fn ensure_answered(
        &mut self,
        key: &Key,
        object: &ObjectRef,
        kind: SentKind,
        answer: Answer,
        now: Instant,
    ) {
        self.ensure_idle(key, object);
        match answer {
            Answer::Object(there) if there.pointer("/metadata/deletionTimestamp").is_some() => {
                self.ensure_waits(key, object, now);
            }
            Answer::Object(_) | Answer::Objects(_) | Answer::Accepted => self.ensured(key, object, now),
            Answer::Failed(failure) if failure.says_it_exists() => self.ensured(key, object, now),
            Answer::Failed(_) if kind == SentKind::Look => self.ensure_absent(key, object),
            Answer::Failed(failure) => self.ensure_failed(key, object, &failure, now),
        }
        self.list_missing(key);
    }

    /// A look tells nothing of it: it is to be created.
    fn ensure_absent(&mut self, key: &Key, object: &ObjectRef) {
        let item = self.items.get_mut(key);
        if let Some(missing) = item.and_then(|item| item.ensure.find(object)) {
            missing.refused = false;
        }
    }

    /// It is there, and goes.
    fn ensure_waits(&mut self, key: &Key, object: &ObjectRef, now: Instant) {
        let item = self.items.get_mut(key);
        if let Some(missing) = item.and_then(|item| item.ensure.find(object)) {
            let message = "it is being deleted; it is created once it is gone";
            missing.blocker = Some(blocker(BlockerReason::Terminating, message));
            missing.retry.failed(now);
        }
    }

    fn ensured(&mut self, key: &Key, object: &ObjectRef, now: Instant) {
        if let Some(item) = self.items.get_mut(key) {
            item.ensure.there(object);
            if stage(object) == Stage::Namespaces {
                self.namespaces.exists(&object.name);
            }
            self.save(key, now);
        }
    }

    fn ensure_failed(&mut self, key: &Key, object: &ObjectRef, failure: &Failure, now: Instant) {
        let shown = self
            .missing_namespace(&object.namespace, failure)
            .unwrap_or_else(|| failure.blocker());
        let item = self.items.get_mut(key);
        let Some(missing) = item.and_then(|item| item.ensure.find(object)) else {
            return;
        };
        missing.refused = failure.course() == Course::Object;
        missing.blocker = Some(match failure.says_it_is_going() {
            true => blocker(BlockerReason::Terminating, shown.message),
            false => shown,
        });
        match failure.course() {
            Course::Object if failure.is_lasting() => missing.retry.failed_lastingly(now),
            Course::Object | Course::MakeNamespace => missing.retry.failed(now),
            // The pace waits for all of them.
            Course::Server | Course::Overload(_) => {}
        }
    }

    /// Brings up to date what is said of those that cannot be created.
    pub(super) fn list_missing(&mut self, key: &Key) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let missing = item.ensure.missing.iter();
        let listed: Vec<ObjectReport> = missing.filter_map(|it| it.report(&self.policy)).collect();
        let objects = item.objects.len();
        if item.reports[objects..] == listed {
            return;
        }
        item.reports.truncate(objects);
        item.reports.extend(listed);
        self.stale.insert(key.clone());
        self.tell_whole(key);
    }
}
