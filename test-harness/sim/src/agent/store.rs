//! The agent's store: per resource its record as bytes, and its content. What was written survives every crash.

use core::time::Duration;
use std::collections::BTreeMap;

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::clock::Clock;
use outhaul_agent_core::content;
use outhaul_agent_core::desired::Desired;
use outhaul_agent_core::item::Brought;
use outhaul_agent_core::plane::{Change, Stored, Write};
use outhaul_agent_core::record::Record;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::witness::Witness;
use serde_json::{Value, json};

use super::AgentEvent;
use crate::broken::Broken;
use crate::cluster::Place;
use crate::hub::Fate;
use crate::schedule::{Moment, PLANES};
use crate::world::{Event, World};

/// When a broken agent that stopped is back.
const SOON: Duration = Duration::from_secs(1);

/// What an agent stored.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) secrets: BTreeMap<Key, Secret>,
    /// The control plane that it knows.
    pub(super) pin: Option<Witness>,
    /// Writes so far.
    pub(crate) writes: u64,
}

/// What is stored of one resource.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) record: Vec<u8>,
    pub(crate) content: Option<Content>,
    pub(crate) damaged: bool,
}

impl Secret {
    /// A record that was cut short.
    pub(crate) fn damage_record(&mut self) {
        self.record.truncate(self.record.len() / 2);
    }

    /// Content that is no longer what its digest says.
    pub(crate) fn damage_content(&mut self) {
        if let Some(content) = &mut self.content {
            content.zstd.reverse();
        }
    }
}

impl World {
    pub(super) fn send_store_write(&mut self, number: usize, mut write: Write) {
        let stops = self.write_wrongly(number, &mut write);
        let now = self.agenda.now();
        let run = self.planes[number].run;
        let fare = self.planes[number].api.fare(now);
        self.tell(|| {
            format!(
                "agent {} stores {} {}",
                PLANES[number],
                write.key,
                name(&write.change)
            )
        });
        let unanswered = fare.instead.map(|instead| {
            let place = Place::new("Secret", "outhaul", &write.key.name);
            let failure = failure(instead.refusal(&place));
            AgentEvent::Stored(run, write.key.clone(), Err(failure))
        });
        if let Some(made) = fare.made {
            let fate = Fate {
                back: fare.known,
                heard: unanswered.is_none(),
            };
            if self.broken == Some(Broken::StoreTrusted) {
                let early = AgentEvent::Stored(run, write.key.clone(), Ok(()));
                self.agenda.after(Duration::ZERO, Event::Agent(number, early));
            }
            let event = AgentEvent::Store(run, write, fate);
            self.agenda.after(made, Event::Agent(number, event));
        }
        if let Some(event) = unanswered {
            self.agenda.after(fare.known, Event::Agent(number, event));
        }
        if stops {
            self.kill_agent(number, SOON);
        }
        self.crash_agent_at(number, Moment::Sent);
    }

    pub(super) fn make_store_write(&mut self, number: usize, current: bool, write: Write, fate: Fate) {
        self.check_store_write(number, &write);
        self.coverage.note(format!("stored {}", name(&write.change)));
        let store = &mut self.planes[number].store;
        store.writes += 1;
        let key = write.key.clone();
        let kept = store.secrets.get(&key).filter(|secret| !secret.damaged);
        let secret = |record: &Record, content: Option<Content>| Secret {
            record: record.to_json(),
            content,
            damaged: false,
        };
        match &write.change {
            Change::Replace(record, content) => {
                let secret = secret(record, Some(content.clone()));
                store.secrets.insert(key.clone(), secret);
            }
            Change::Empty(record) => drop(store.secrets.insert(key.clone(), secret(record, None))),
            Change::Update(record) => {
                let content = kept.and_then(|secret| secret.content.clone());
                store.secrets.insert(key.clone(), secret(record, content));
            }
            Change::Forget => drop(store.secrets.remove(&key)),
        }
        if !current || self.crash_agent_at(number, Moment::Made) {
            return;
        }
        if fate.heard {
            let run = self.planes[number].run;
            let event = AgentEvent::Stored(run, key, Ok(()));
            self.agenda.after(fate.back, Event::Agent(number, event));
        }
    }

    /// Reads the store at the start. What is damaged is set aside, and never read as wanting nothing.
    pub(super) fn load_store(&mut self, number: usize, clock: Clock) -> Vec<Stored> {
        let broken = self.broken;
        let mut loaded = Vec::new();
        let mut damaged = 0_u64;
        let mut lost = Vec::new();
        for (key, secret) in &mut self.planes[number].store.secrets {
            match read(secret, broken) {
                Some(mut stored) => {
                    if broken == Some(Broken::ClockSetBackRefills) {
                        stored.record.spent.retain(|spent| spent.begun <= clock.unix);
                    }
                    if broken == Some(Broken::OnceReapplied) {
                        forget_runs(&mut stored.record);
                    }
                    loaded.push(stored);
                }
                None => {
                    damaged += 1;
                    secret.damaged = true;
                    lost.push(key.clone());
                }
            }
        }
        for key in lost {
            self.model.store_lost(number, &key);
        }
        if damaged > 0 {
            self.coverage.note("store: damaged record set aside");
        }
        loaded
    }
}

/// A broken agent does not know after a start what began and how it ended.
fn forget_runs(record: &mut Record) {
    record.ran = false;
    for item in record.inventory.iter_mut() {
        if let Some(run) = &mut item.run {
            run.end = None;
            item.uid = None;
        }
    }
}

fn read(secret: &Secret, broken: Option<Broken>) -> Option<Stored> {
    let record = Record::from_json(&secret.record)
        .ok()
        .filter(|_| !secret.damaged)?;
    let brought = match (record.wants_content(), spec(secret, &record)) {
        (false, _) => Brought::Kept,
        (true, Some(spec)) => Brought::Spec(Desired::read(&record.head.key, &spec)),
        (true, None) if broken == Some(Broken::DamageIsEmpty) => {
            Brought::Spec(Desired::read(&record.head.key, &json!({})))
        }
        (true, None) => Brought::Lost("it is damaged".to_owned()),
    };
    Some(Stored { record, brought })
}

fn spec(secret: &Secret, record: &Record) -> Option<Value> {
    content::unpack(secret.content.as_ref()?, &record.head.digest).ok()
}

/// What the agent hears instead of an answer.
pub(super) fn failure(refusal: Option<crate::cluster::Refusal>) -> Failure {
    match refusal {
        Some(refusal) => refusal.failure(),
        None => Failure::Unreachable("no answer".to_owned()),
    }
}

fn name(change: &Change) -> &'static str {
    match change {
        Change::Replace(..) => "Replace",
        Change::Update(_) => "Update",
        Change::Empty(_) => "Empty",
        Change::Forget => "Forget",
    }
}
