//! A hub's requests to the API server: a bounded number at once, each made at one moment and answered at another.

use core::time::Duration;
use std::sync::Arc;

use json_patch::PatchOperation;
use kube::core::params;
use outhaul_hub_core::resource::{Around, Reader};
use outhaul_hub_core::{
    Origin, Outcome, PlaneRecord, Sight, Subject, Write, WriteId, answer, kinds, request,
};
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::Epoch;

use serde_json::Value;

use super::{Fate, HubEvent, Task};
use crate::broken::Broken;
use crate::cluster::{Object, Patch, Place, Refusal};
use crate::schedule::Moment;
use crate::world::{Event, World};

/// Requests at once.
const CONCURRENT: usize = 64;

impl World {
    pub(super) fn start_tasks(&mut self, number: usize) {
        loop {
            let run = self.hubs[number].run;
            let Some(running) = &mut self.hubs[number].running else {
                return;
            };
            if running.under_way >= CONCURRENT {
                return;
            }
            let Some(task) = running.waiting.pop_front() else {
                return;
            };
            running.under_way += 1;
            self.tell(|| format!("hub {number} asks {}", describe(&task)));
            let now = self.agenda.now();
            let fare = self.control_api.fare(now);
            let unanswered = fare.instead.map(|instead| {
                let refusal = instead.refusal(&subject(&task));
                unanswered(run, task.clone(), refusal)
            });
            if let Some(made) = fare.made {
                let fate = Fate {
                    back: fare.known,
                    heard: unanswered.is_none(),
                };
                self.answer_early(number, run, &task);
                let event = HubEvent::Make(run, task, fate);
                self.agenda.after(made, Event::Hub(number, event));
            }
            if let Some(event) = unanswered {
                self.agenda.after(fare.known, Event::Hub(number, event));
            }
            if self.crash_hub_at(number, Moment::Sent) {
                return;
            }
        }
    }

    /// A broken hub takes a write for made when it sends it.
    fn answer_early(&mut self, number: usize, run: u64, task: &Task) {
        let Task::Write(write) = task else { return };
        if self.broken != Some(Broken::HubTrustsItsWrites) {
            return;
        }
        let mut imagined = self.control.clone();
        if let Ok(outcome) = make(&mut imagined, write, false) {
            let event = HubEvent::Written(run, write.id, outcome);
            self.agenda.after(Duration::ZERO, Event::Hub(number, event));
        }
    }

    /// The API server does what it was asked.
    pub(super) fn hub_task(&mut self, number: usize, current: bool, task: Task, fate: Fate) {
        let run = self.hubs[number].run;
        let event = match task {
            Task::Write(write) => {
                let made = self.make_write(&write);
                HubEvent::Written(run, write.id, made)
            }
            Task::Read(key) => {
                let read = read(self.control.get(&place(&key)), &key);
                HubEvent::Read(run, key, read)
            }
            Task::ReadEpoch(asked) => HubEvent::EpochRead(run, asked, Some(self.epoch)),
        };
        if !current || self.crash_hub_at(number, Moment::Made) {
            return;
        }
        if fate.heard {
            self.agenda.after(fate.back, Event::Hub(number, event));
        }
    }

    fn make_write(&mut self, write: &Write) -> Outcome {
        let place = write_place(&write.subject);
        let before = self.control.find(&place).cloned();
        let version = self.control.version();
        let blindly = self.broken == Some(Broken::StatusWrittenBlindly);
        let made = make(&mut self.control, write, blindly);
        if self.control.version() != version {
            let after = self.control.find(&place).cloned();
            self.check_control_write(&place, before.as_deref(), after.as_deref());
            self.control_changed();
        }
        self.coverage.note(match &made {
            Ok(_) => format!("hub wrote {}", change_name(write)),
            Err(refusal) => format!("hub write {} answered {}", change_name(write), refusal.code),
        });
        made.unwrap_or_else(|refusal| answer::outcome(write, Some(&refusal.status())))
    }

    pub(super) fn hub_written(&mut self, number: usize, id: WriteId, outcome: Outcome) {
        let Some(now) = self.hub_time(number) else { return };
        self.tell(|| format!("hub {number} hears of write {}: {}", id.0, outcome_name(&outcome)));
        if let Some(running) = &mut self.hubs[number].running {
            running.under_way = running.under_way.saturating_sub(1);
            running.fleet.written(id, outcome, now);
        }
        self.stir(number);
    }

    pub(super) fn hub_read(&mut self, number: usize, key: &Key, sight: Option<Sight>) {
        let Some(now) = self.hub_time(number) else { return };
        if let Some(running) = &mut self.hubs[number].running {
            running.under_way = running.under_way.saturating_sub(1);
            match sight {
                Some(sight) => sight.tell(&mut running.fleet, now),
                None => running.fleet.unread(key),
            }
        }
        self.stir(number);
    }

    pub(super) fn hub_read_epoch(&mut self, number: usize, asked: Epoch, read: Option<Epoch>) {
        self.coverage.note("hub read the epoch");
        if let Some(running) = &mut self.hubs[number].running {
            running.under_way = running.under_way.saturating_sub(1);
            running.fleet.epoch_read(asked, read);
        }
        if read.is_some() {
            self.hub_starts_over(number);
        }
        self.stir(number);
    }
}

/// Makes a write as the server does: the request that the core builds, against what is there. A broken hub tests
/// nothing.
fn make(control: &mut crate::cluster::Cluster, write: &Write, blindly: bool) -> Result<Outcome, Refusal> {
    let place = write_place(&write.subject);
    let (status, patch) = match &write.subject {
        Subject::Bundle(key) => {
            let request = request::of_bundle(key, &write.change).expect("a status is JSON");
            match request {
                Some(request) => (request.status, request.patch),
                None => return Ok(Outcome::Outdated),
            }
        }
        Subject::Plane(..) => match request::of_plane(&write.subject, &write.change) {
            Some(request) => (request.status, request.patch),
            None => return Ok(Outcome::Outdated),
        },
    };
    let object = match patch {
        params::Patch::Apply(body) => control.apply(&place, "outhaul-hub", &body)?,
        params::Patch::Json(mut patch) => {
            patch
                .0
                .retain(|operation| !blindly || !matches!(operation, PatchOperation::Test(_)));
            control.patch(&place, status, Patch::Json(patch))?
        }
        params::Patch::Merge(patch) => control.patch(&place, status, Patch::Merge(patch))?,
        _ => return Ok(Outcome::Outdated),
    };
    Ok(match &write.subject {
        Subject::Bundle(_) => Outcome::Done(Box::new(Around::read(object.stored()))),
        Subject::Plane(..) => {
            let plane = serde_json::from_value(Value::clone(&object));
            let record = plane.ok().and_then(|plane| PlaneRecord::read(plane).ok());
            record.map_or(Outcome::Outdated, |record| Outcome::PlaneDone(Box::new(record)))
        }
    })
}

fn read(answer: Result<Arc<Object>, Refusal>, key: &Key) -> Option<Sight> {
    match answer {
        Ok(object) => {
            let resource = Reader::new(key.kind).read(object.stored()).ok()?;
            match resource.key == *key {
                true => Some(Sight::Resource(resource, Origin::Read)),
                false => Some(Sight::ResourceGone(key.clone())),
            }
        }
        Err(refusal) => {
            answer::is_gone(Some(&refusal.status()), &key.name).then(|| Sight::ResourceGone(key.clone()))
        }
    }
}

fn unanswered(run: u64, task: Task, refusal: Option<Refusal>) -> HubEvent {
    match task {
        Task::Write(write) => {
            let status = refusal.map(|refusal| refusal.status());
            HubEvent::Written(run, write.id, answer::outcome(&write, status.as_ref()))
        }
        Task::Read(key) => HubEvent::Read(run, key, None),
        Task::ReadEpoch(asked) => HubEvent::EpochRead(run, asked, None),
    }
}

fn subject(task: &Task) -> Place {
    match task {
        Task::Write(write) => write_place(&write.subject),
        Task::Read(key) => place(key),
        Task::ReadEpoch(_) => Place::new("Secret", "outhaul-system", "outhaul-hub"),
    }
}

fn write_place(subject: &Subject) -> Place {
    match subject {
        Subject::Bundle(key) => place(key),
        Subject::Plane(name, _) => Place::new("Plane", "", name.as_str()),
    }
}

/// Where a resource is in the control plane.
fn place(key: &Key) -> Place {
    Place::new(&kinds::bundle(key.kind).kind, &key.namespace, &key.name)
}

fn describe(task: &Task) -> String {
    match task {
        Task::Write(write) => format!("write {} of {}: {:?}", write.id.0, write.subject, write.change),
        Task::Read(key) => format!("read {key}"),
        Task::ReadEpoch(asked) => format!("read the epoch, since a plane knows {}", asked.0),
    }
}

fn change_name(write: &Write) -> &'static str {
    use outhaul_hub_core::Change;
    match write.change {
        Change::AddFinalizer => "AddFinalizer",
        Change::RemoveFinalizer { .. } => "RemoveFinalizer",
        Change::Status { .. } => "Status",
        Change::PlaneConditions { .. } => "PlaneConditions",
        Change::PlaneFinalizers { .. } => "PlaneFinalizers",
        Change::PlaneDecisions { .. } => "PlaneDecisions",
        Change::PlanePolicy { .. } => "PlanePolicy",
        Change::PlaneKey { .. } => "PlaneKey",
    }
}

fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::PlaneDone(_) => "plane done",
        Outcome::Gone => "gone",
        Outcome::Outdated => "outdated",
        Outcome::Invalid { .. } => "invalid",
        Outcome::Failed { .. } => "failed",
    }
}
