//! The one state of the hub: resources, planes, sessions, and how they hang together.
//!
//! Everything that may change what a resource needs ends in [`Fleet::reconcile`], which looks at the resource, compares
//! with what was done and does the rest. Doing it twice changes nothing.

mod bulk;
mod connecting;
mod epoch;
mod leaving;
mod orphans;
mod placing;
mod planes;
mod reading;
mod refusal;
mod reporting;
mod seeing;
mod vouching;
mod writing;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use outhaul_protocol_session::hub::Session;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::{Epoch, PlaneName, Uid};
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::witness::Vouched;

use crate::decision::{Memory, Record, decide};
use crate::delivery::Delivery;
use crate::now::Now;
use crate::output::{Output, SessionId, WriteId};
use crate::plane::Plane;
use crate::resource;
use crate::routing::Routing;

pub use self::connecting::Dialer;
pub use self::seeing::Origin;

/// What a fleet is told about its hub.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The hub's epoch.
    pub epoch: Epoch,
    /// The uid of the control plane's Namespace `kube-system`, which tells it from any other.
    pub kube_system: Uid,
    /// Whether Environments and DataPlanes are also looked for in namespace `default`.
    pub fallback: bool,
}

/// The one state of the hub.
#[derive(Debug)]
pub struct Fleet {
    settings: Settings,
    routing: Routing,
    deliveries: BTreeMap<Key, Delivery>,
    planes: BTreeMap<PlaneName, Plane>,
    /// Planes that are deleted and wait for what is on them.
    leaving: BTreeSet<PlaneName>,
    live: BTreeMap<PlaneName, Live>,
    sessions: BTreeMap<SessionId, PlaneName>,
    /// Sessions that have something to say.
    talking: BTreeSet<SessionId>,
    /// Writes that were not answered yet.
    writing: BTreeMap<WriteId, Owner>,
    /// Resources whose status waits until fewer writes are under way.
    waiting: BTreeSet<Key>,
    /// Resources that are being read, and the resourceVersion that was known when they were asked for.
    reading: BTreeMap<Key, u64>,
    outputs: VecDeque<Output>,
    due: BTreeSet<(Duration, Owner)>,
    synced: bool,
    epochs: epoch::Epochs,
    last_id: u64,
}

/// The session of a plane.
#[derive(Debug)]
struct Live {
    id: SessionId,
    session: Session,
    dialer: Dialer,
    agent_version: String,
    kubernetes_version: String,
    since: jiff::Timestamp,
    /// How many resources that are not in its queue it was told to forget.
    unqueued_settled: u32,
    /// The policy of the plane's owner.
    policy: Policy,
    /// What it was told of the control plane; nothing where its version has no word for it.
    vouched: Option<Vouched>,
    /// Whether it waits for that to be confirmed, as far as it said.
    unconfirmed: Option<bool>,
}

/// Whom a deadline or a write concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Delivery(Key),
    Plane(PlaneName),
}

impl Fleet {
    /// A fleet that has seen nothing yet. It serves nobody before [`Fleet::synced`].
    pub fn new(settings: Settings) -> Self {
        Self {
            routing: Routing::new(settings.fallback),
            settings,
            deliveries: BTreeMap::new(),
            planes: BTreeMap::new(),
            leaving: BTreeSet::new(),
            live: BTreeMap::new(),
            sessions: BTreeMap::new(),
            talking: BTreeSet::new(),
            writing: BTreeMap::new(),
            waiting: BTreeSet::new(),
            reading: BTreeMap::new(),
            outputs: VecDeque::new(),
            due: BTreeSet::new(),
            synced: false,
            epochs: epoch::Epochs::default(),
            last_id: 0,
        }
    }

    /// Every kind of resource has been listed once: from now on planes are served.
    pub fn synced(&mut self, now: Now) {
        self.synced = true;
        // Nobody could have a session before, however long the reading took.
        for plane in self.planes.values_mut() {
            plane.lost = Some(now.uptime);
        }
        self.reconcile_all(now);
        for plane in self.planes.keys().cloned().collect::<Vec<_>>() {
            self.reconcile_plane(&plane, now);
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Fleet::tick`] has something to do.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now) {
        while let Some((at, _)) = self.due.first()
            && *at <= now.uptime
            && let Some((_, owner)) = self.due.pop_first()
        {
            match owner {
                Owner::Delivery(key) => {
                    if let Some(delivery) = self.deliveries.get_mut(&key) {
                        delivery.due = None;
                    }
                    self.reconcile(&key, now);
                }
                Owner::Plane(plane) => {
                    if let Some(state) = self.planes.get_mut(&plane) {
                        state.writes.look.take_if(|at| *at <= now.uptime);
                    }
                    self.reconcile_plane(&plane, now);
                }
            }
        }
    }

    fn reconcile_all(&mut self, now: Now) {
        for key in self.deliveries.keys().cloned().collect::<Vec<_>>() {
            self.reconcile(&key, now);
        }
    }

    fn reconcile(&mut self, key: &Key, now: Now) {
        if !self.synced {
            return;
        }
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        let memory = Memory {
            gone: delivery.gone.is_some(),
            queued: delivery
                .queued
                .as_ref()
                .map(|entry| (&entry.plane, entry.head.version.moved)),
            surroundings: delivery.surroundings,
        };
        let decision = decide(&delivery.resource, memory, &self.routing);
        if delivery.decision.as_ref() != Some(&decision) {
            delivery.writes.dirty = true;
            delivery.pace.hurry();
            if let Some(Record::Forgotten(_)) = decision.record {
                delivery.forget_reports();
            }
            let before = delivery.decision.replace(decision.clone());
            self.note_unreadable(key);
            if before.is_none_or(|before| before.refusal != decision.refusal) {
                self.note_bulk(key);
            }
        }
        self.look_around(key, now);
        self.place(key, decision.place, now);
        self.write(key, now);
        self.ask_for_report(key);
        self.look_at_leaving(now);
    }

    /// Has a resource looked at again, at `at` at the latest.
    fn schedule(&mut self, key: &Key, at: Duration) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        if delivery.due.is_some_and(|due| due <= at) {
            return;
        }
        if let Some(later) = delivery.due.replace(at) {
            self.due.remove(&(later, Owner::Delivery(key.clone())));
        }
        self.due.insert((at, Owner::Delivery(key.clone())));
    }

    fn changed(&mut self, plane: &PlaneName, key: Option<&Key>) {
        let name = key.map(resource::bundle_name);
        self.outputs.push_back(Output::Changed(plane.clone(), name));
    }

    /// Has a resource read from the API server, once at a time.
    fn read(&mut self, key: &Key) {
        let Some(delivery) = self.deliveries.get(key) else {
            return;
        };
        if !self.reading.contains_key(key) {
            let known = delivery.resource.around.resource_version;
            self.reading.insert(key.clone(), known);
            self.outputs.push_back(Output::Read(key.clone()));
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
