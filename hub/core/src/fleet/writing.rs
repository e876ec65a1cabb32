//! What is written to resources, and what becomes of it.

use core::time::Duration;

use outhaul_hub_resources::conditions::status::TRUE;
use outhaul_hub_resources::conditions::{HELD, PLANE_FORGOTTEN, READY};
use outhaul_hub_resources::{Condition, DeliveryStatus};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Confirmed, HeadState, Key};
use outhaul_protocol_wire::ids::Generation;

use super::{Fleet, Owner, refusal};
use crate::condition;
use crate::decision::{Decision, Finalizer, Record, Refusal, RefusalReason};
use crate::delivery::Delivery;
use crate::now::Now;
use crate::output::{Change, Known, Note, Outcome, Output, Subject, Write, WriteId};
use crate::reason;
use crate::resource::Around;
use crate::status::{self, Facts};
use crate::verdict;

/// So many writes that are not answered take an API server longer than objects that are still to come.
const BUSY: usize = 32;

/// How long a status that says little waits for other writes: when it comes to be written, it may say more.
const PATIENCE: Duration = Duration::from_secs(5);

impl Fleet {
    /// A write was answered.
    pub fn written(&mut self, id: WriteId, outcome: Outcome, now: Now) {
        match self.writing.remove(&id) {
            Some(Owner::Delivery(key)) => self.delivery_written(&key, id, outcome, now),
            Some(Owner::Plane(plane)) => self.plane_written(&plane, id, outcome, now),
            None => {}
        }
        self.let_through(now);
    }

    /// Writes what has waited for others, as far as there is room. Nobody looks at it meanwhile: a rollout of thousands has
    /// hundreds that wait, and each look costs as much as one that ends in a write.
    fn let_through(&mut self, now: Now) {
        while self.writing.len() < BUSY
            && let Some(key) = self.waiting.pop_first()
        {
            self.reconcile(&key, now);
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
                let around = &delivery.resource.around;
                let finalizers = around.finalizers.clone();
                let change = Change::RemoveFinalizer {
                    finalizers,
                    deleted: around.deleted,
                    known: known(around),
                };
                (change, true)
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
        if self.writing.len() >= BUSY && now.uptime < due + PATIENCE && says_little(delivery, decision) {
            self.waiting.insert(key.clone());
            return self.schedule(key, due + PATIENCE);
        }
        self.waiting.remove(key);
        delivery.writes.dirty = false;
        let plane = delivery.queued.as_ref().map(|entry| &entry.plane);
        let hears = plane.is_some_and(|plane| self.live.contains_key(plane));
        let next = next_status(delivery, decision, hears, now);
        let stored = &delivery.resource.around.status;
        if status::same(stored, &next) {
            delivery.pace.unchanged();
            return;
        }
        delivery.pace.wrote(now.uptime);
        let notes = notes(key, stored, &next, delivery.resource.around.deleting);
        let known = known(&delivery.resource.around);
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
                let takes_events = delivery.takes_events();
                self.answered(key, *around);
                let notes = notes
                    .filter(|_| takes_events)
                    .map(|(_, notes)| notes)
                    .unwrap_or_default();
                self.outputs.extend(notes.into_iter().map(Output::Note));
                if removed {
                    self.note_gone(key);
                }
            }
            Outcome::PlaneDone(_) => {}
            Outcome::Gone => return self.vanished(key, now),
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
        if let Some(refusal) = refusal.filter(|refusal| refusal.reason == RefusalReason::InvalidStatus) {
            let note = note(key, true, refusal.reason.as_str(), refusal.message.clone());
            self.outputs.push_back(Output::Note(note));
        }
    }

    /// Says once that its plane let it go: when our finalizer is off, or when the resource is seen to be gone before that
    /// was answered.
    pub(super) fn note_gone(&mut self, key: &Key) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        let said = core::mem::replace(&mut delivery.gone_said, delivery.gone.is_some());
        if delivery.gone.is_none() || said || !delivery.takes_events() {
            return;
        }
        let entry = delivery.queued.as_ref();
        let message = match entry.and_then(|entry| entry.head.confirmed) {
            Some(Confirmed::Leave) => "its plane let it go; what was held there stays, as was confirmed",
            Some(Confirmed::Remove) | None => "nothing of it is left in its plane",
        };
        let note = note(key, false, reason::REMOVED, message.to_owned());
        self.outputs.push_back(Output::Note(note));
    }
}

/// Whether nobody acts on what a status would say now: some objects are still to come, or a rollout that is known to go on
/// goes on. What its objects are doing meanwhile is shown from memory.
fn says_little(delivery: &Delivery, decision: &Decision) -> bool {
    delivery.is_partial() || goes_on(delivery, decision).unwrap_or_default()
}

fn goes_on(delivery: &Delivery, decision: &Decision) -> Option<bool> {
    let reported = delivery.reported.as_ref()?;
    let around = &delivery.resource.around;
    let known = condition::get(&around.status.conditions, READY)?;
    let is_told = known.reason == reason::PROGRESSING
        && delivery.resource.is_reported(reported.version.generation)
        && delivery.held().is_none();
    let is_new = around.deleting
        || decision.record.is_some()
        || refusal::of(delivery).is_some()
        || delivery.writes.refused.is_some()
        || verdict::held(reported).is_some();
    Some(is_told && !is_new && verdict::judge(reported).reason == reason::PROGRESSING)
}

/// Who wrote the status last, as far as is known.
fn known(around: &Around) -> Option<Known> {
    let status = &around.status;
    around.has_status.then(|| Known {
        plane: status.plane.clone(),
        moved: status.r#move,
        term: status.term,
    })
}

fn next_status(delivery: &Delivery, decision: &Decision, hears: bool, now: Now) -> DeliveryStatus {
    let refused = delivery.writes.refused.as_ref().map(|message| Refusal {
        reason: RefusalReason::StatusRefused,
        message: format!("the API server does not take the status that the plane reported: {message}"),
    });
    let refusal = refusal::of(delivery).or(refused);
    let reported = delivery.reported.as_ref();
    let facts = Facts {
        key: &delivery.resource.key,
        stored: &delivery.resource.around.status,
        generation: delivery.resource.around.generation.0,
        spec_bytes: delivery.resource.spec.length,
        once: delivery.resource.runs_once(),
        content: content(delivery, decision),
        record: decision.record.as_ref(),
        refusal: refusal.as_ref(),
        removing: delivery.resource.around.deleting,
        reported: reported
            .filter(|_| delivery.writes.refused.is_none())
            .filter(|reported| is_of_this_control_plane(delivery, reported.version.generation)),
        term: delivery.term,
        hears,
    };
    status::fold(facts, now.wall)
}

/// The content to keep in the status. It is written along with what else is said: with the plane that is recorded, and
/// with a report about it.
fn content(delivery: &Delivery, decision: &Decision) -> Option<(Generation, Digest)> {
    match decision.record {
        Some(Record::Goes(..)) => {
            return Some((delivery.resource.around.generation, delivery.resource.spec.digest));
        }
        Some(Record::Forgotten(_)) => return None,
        None => {}
    }
    let entry = delivery.queued.as_ref()?;
    let reported = delivery.reported.as_ref()?.version == entry.head.version;
    let present = entry.head.state == HeadState::Present;
    let generation = entry.head.version.generation;
    let ours = is_of_this_control_plane(delivery, generation);
    (reported && present && ours).then_some((generation, entry.head.digest))
}

/// A control plane that went back to a backup gives generations again. What is above the one that it has now is of the
/// time after that backup: written down, it would be announced under the raised epoch, over whatever comes next.
fn is_of_this_control_plane(delivery: &Delivery, generation: Generation) -> bool {
    generation <= delivery.resource.around.generation
}

/// Events about what a person cares for in a change of status.
fn notes(key: &Key, stored: &DeliveryStatus, next: &DeliveryStatus, deleting: bool) -> Vec<Note> {
    let ready = condition::get(&next.conditions, READY);
    let said = |condition: &Condition| (condition.reason.clone(), condition.message.clone());
    let news = ready.filter(|ready| condition::get(&stored.conditions, READY).map(said) != Some(said(ready)));
    let held = condition::get(&next.conditions, HELD).filter(|held| {
        let known = condition::get(&stored.conditions, HELD);
        held.status == TRUE
            && known.is_none_or(|known| (&known.status, said(known)) != (&held.status, said(held)))
    });
    let moved = stored.plane.is_some() && next.plane.is_some() && stored.plane != next.plane;
    let reported = stored.observed_generation != next.observed_generation;
    let delivered = reported && next.observed_generation.is_some() && !deleting;
    let plane = next.plane.as_deref().unwrap_or_default();
    let mut notes = Vec::new();
    let forgotten = condition::get(&next.conditions, PLANE_FORGOTTEN);
    if let (Some(forgotten), Some(_), None) = (forgotten, &stored.plane, &next.plane) {
        notes.push(note(
            key,
            true,
            reason::PLANE_FORGOTTEN,
            forgotten.message.clone(),
        ));
    }
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
    notes.extend(held.map(|held| note(key, true, reason::HELD, held.message.clone())));
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
