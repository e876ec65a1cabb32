//! What is written to resources, and what becomes of it.

use outhaul_hub_resources::conditions::READY;
use outhaul_hub_resources::{Condition, DeliveryStatus};
use outhaul_protocol_wire::head::Key;

use super::{Fleet, Owner};
use crate::condition;
use crate::decision::{Decision, Finalizer, Refusal};
use crate::delivery::Delivery;
use crate::now::Now;
use crate::output::{Change, Known, Note, Outcome, Output, Subject, Write, WriteId};
use crate::reason;
use crate::status::{self, Facts};

impl Fleet {
    /// A write was answered.
    pub fn written(&mut self, id: WriteId, outcome: Outcome, now: Now) {
        match self.writing.remove(&id) {
            Some(Owner::Delivery(key)) => self.delivery_written(&key, id, outcome, now),
            Some(Owner::Plane(plane)) => self.plane_written(&plane, id, outcome, now),
            None => {}
        }
    }

    /// Makes the writes that a resource needs, or has it looked at again when they are due.
    pub(super) fn write(&mut self, key: &Key, now: Now) {
        let Some(delivery) = self.deliveries.get(key) else {
            return;
        };
        let Some(decision) = delivery.decision.clone() else {
            return;
        };
        let not_before = delivery.writes.not_before();
        if not_before > now.uptime {
            return self.schedule(key, not_before);
        }
        // Finalizer and status are two requests on their way at once; neither waits for the other.
        self.write_finalizer(key, decision.finalizer);
        self.write_status(key, &decision, now);
    }

    fn write_finalizer(&mut self, key: &Key, change: Finalizer) {
        let Some(delivery) = self.deliveries.get(key) else {
            return;
        };
        if delivery.writes.finalizer.is_some() {
            return;
        }
        let (change, removes) = match change {
            Finalizer::Keep => return,
            Finalizer::Add => (Change::AddFinalizer, false),
            Finalizer::Remove => {
                let known = delivery.resource.around.finalizers.clone();
                (Change::RemoveFinalizer { known }, true)
            }
        };
        let id = self.emit(key, change);
        if let Some(delivery) = self.deliveries.get_mut(key) {
            delivery.writes.finalizer = Some((id, removes));
        }
    }

    fn write_status(&mut self, key: &Key, decision: &Decision, now: Now) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        // A resource that waits for others to let it go is none of ours any more.
        let released = delivery.resource.around.deleting && !delivery.resource.has_finalizer();
        let readable = delivery.resource.around.status_readable;
        if delivery.writes.status.is_some() || !delivery.writes.dirty || released || !readable {
            return;
        }
        let due = delivery.pace.due();
        if due > now.uptime {
            return self.schedule(key, due);
        }
        delivery.writes.dirty = false;
        let next = next_status(delivery, decision, now);
        let stored = &delivery.resource.around.status;
        if status::same(stored, &next) {
            delivery.pace.unchanged();
            return;
        }
        delivery.pace.wrote(now.uptime);
        let notes = notes(key, stored, &next);
        let known = Known {
            plane: stored.plane.clone(),
            moved: stored.r#move,
            term: stored.term,
        };
        let status = Box::new(next);
        let id = self.emit(key, Change::Status { status, known });
        if let Some(delivery) = self.deliveries.get_mut(key) {
            delivery.writes.status = Some((id, notes));
        }
    }

    fn emit(&mut self, key: &Key, change: Change) -> WriteId {
        let id = WriteId(self.next_id());
        self.writing.insert(id, Owner::Delivery(key.clone()));
        let subject = Subject::Bundle(key.clone());
        self.outputs
            .push_back(Output::Write(Write { id, subject, change }));
        id
    }

    fn delivery_written(&mut self, key: &Key, id: WriteId, outcome: Outcome, now: Now) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        let writes = &mut delivery.writes;
        let finalizer = writes.finalizer.take_if(|(pending, _)| *pending == id);
        let notes = writes.status.take_if(|(pending, _)| *pending == id);
        match outcome {
            Outcome::Done(around) => {
                writes.succeeded();
                let removed = finalizer.is_some_and(|(_, removes)| removes);
                self.answered(key, *around);
                self.note_success(key, removed, notes.map(|(_, notes)| notes).unwrap_or_default());
            }
            Outcome::PlaneDone(_) => {}
            Outcome::Gone => return self.vanished(key),
            Outcome::Outdated => {
                writes.failed(None, now.uptime);
                self.read(key);
            }
            Outcome::Invalid { message } => {
                writes.failed(None, now.uptime);
                writes.refused = Some(message);
            }
            Outcome::Failed { retry_after } => writes.failed(retry_after, now.uptime),
        }
        self.reconcile(key, now);
    }

    /// A status that cannot be read is not written either, so an Event says it.
    pub(super) fn note_unreadable(&mut self, key: &Key) {
        let decision = self
            .deliveries
            .get(key)
            .and_then(|delivery| delivery.decision.as_ref());
        let refusal = decision.and_then(|decision| decision.refusal.as_ref());
        if let Some(refusal) = refusal.filter(|refusal| refusal.reason == reason::INVALID_STATUS) {
            let note = note(key, true, refusal.reason, refusal.message.clone());
            self.outputs.push_back(Output::Note(note));
        }
    }

    fn note_success(&mut self, key: &Key, removed: bool, notes: Vec<Note>) {
        self.outputs.extend(notes.into_iter().map(Output::Note));
        if removed {
            let note = note(
                key,
                false,
                reason::REMOVED,
                "nothing of it is left in its plane".to_owned(),
            );
            self.outputs.push_back(Output::Note(note));
        }
    }
}

fn next_status(delivery: &Delivery, decision: &Decision, now: Now) -> DeliveryStatus {
    let refused = delivery.writes.refused.as_ref().map(|message| Refusal {
        reason: reason::STATUS_REFUSED,
        message: format!("the API server does not take the status that the plane reported: {message}"),
    });
    let refusal = decision.refusal.clone().or_else(|| behind(delivery)).or(refused);
    let facts = Facts {
        stored: &delivery.resource.around.status,
        generation: delivery.resource.around.generation.0,
        spec_bytes: delivery.resource.spec.length,
        record: decision.record.as_ref(),
        refusal: refusal.as_ref(),
        removing: delivery.resource.around.deleting,
        reported: delivery
            .reported
            .as_ref()
            .filter(|_| delivery.writes.refused.is_none()),
        term: delivery.term,
    };
    status::fold(facts, now.wall)
}

/// Shown only once the API server itself confirmed that it is behind.
pub(super) fn behind(delivery: &Delivery) -> Option<Refusal> {
    let behind = delivery.behind.as_ref().filter(|behind| behind.confirmed)?;
    let entry = delivery.queued.as_ref()?;
    let (head, held) = (&entry.head, &behind.held);
    if head.version > held.version || (head.version == held.version && head.digest == behind.digest) {
        return None; // the watch was late, or an edit has overtaken it
    }
    Some(Refusal {
        reason: reason::HUB_BEHIND,
        message: format!(
            "plane {} holds version {}, the control plane says {}; nothing is changed there. If the control plane was \
             restored from a backup, set `epoch` in the hub's Secret to a higher number and restart the hub",
            entry.plane, held.version, head.version
        ),
    })
}

/// Events about what a person cares for in a change of status.
fn notes(key: &Key, stored: &DeliveryStatus, next: &DeliveryStatus) -> Vec<Note> {
    let ready = condition::get(&next.conditions, READY);
    let said = |condition: &Condition| (condition.reason.clone(), condition.message.clone());
    let news = ready.filter(|ready| condition::get(&stored.conditions, READY).map(said) != Some(said(ready)));
    let moved = stored.plane.is_some() && stored.plane != next.plane;
    let delivered =
        next.observed_generation.is_some() && stored.observed_generation != next.observed_generation;
    let plane = next.plane.as_deref().unwrap_or_default();
    let mut notes = Vec::new();
    if moved {
        notes.push(note(
            key,
            false,
            reason::MOVED,
            format!("goes to plane {plane}; its former plane keeps its objects"),
        ));
    }
    if let (true, Some(generation)) = (delivered, next.observed_generation) {
        let message = format!("generation {generation} is in plane {plane}");
        notes.push(note(key, false, reason::DELIVERED, message));
    }
    notes.extend(news.and_then(|ready| about_ready(key, &ready.reason, &ready.message)));
    notes
}

fn about_ready(key: &Key, reason: &str, message: &str) -> Option<Note> {
    match reason {
        // On its way: the status says so, and an Event would follow each step of a rollout.
        reason::DELIVERING | reason::PROGRESSING => None,
        reason::ALL_HEALTHY => Some(note(key, false, reason::READY, message.to_owned())),
        reason::DEGRADED
        | reason::INVALID_SPEC
        | reason::NO_PLANE
        | reason::NOT_ADMITTED
        | reason::HUB_BEHIND
        | reason::STATUS_REFUSED => Some(note(key, true, reason, message.to_owned())),
        blocker => Some(note(key, true, reason::BLOCKED, format!("{blocker}: {message}"))),
    }
}

fn note(key: &Key, warning: bool, reason: &str, message: String) -> Note {
    Note {
        subject: Subject::Bundle(key.clone()),
        warning,
        reason: reason.to_owned(),
        message,
    }
}
