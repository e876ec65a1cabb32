//! What a plane says about its resources.

use outhaul_protocol_session::hub::{Event, Merge, Reported};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{HeadState, Key, Version};
use outhaul_protocol_wire::ids::{PlaneName, Term};
use outhaul_protocol_wire::message::Held;
use outhaul_protocol_wire::report::{ObjectReport, Report};

use super::Fleet;
use crate::delivery::{Behind, Delivery, says_something};
use crate::now::Now;
use crate::pace::List;

/// Stands for the list of objects on their way out, where changes of single objects are told apart.
const LEFTOVERS: &str = "";

/// Resources that are not in the plane's queue and a session may have settled. An honest plane has a few, whose settling was
/// lost with its last session; one that invents more is not answered, and costs nothing.
const UNQUEUED_SETTLED: u32 = 1_024;

impl Fleet {
    pub(super) fn heard(&mut self, plane: &PlaneName, event: Event, now: Now) {
        match event {
            Event::Acknowledged(held) => self.acknowledged(plane, held, now),
            Event::Reported(report) => self.reported(plane, report, now),
            Event::Gone(held) => self.gone(plane, held, now),
            Event::HubBehind { held, digest } => self.hub_behind(plane, held, digest, now),
            Event::Orphans(orphans) => {
                if let Some(state) = self.planes.get_mut(plane) {
                    state.orphans = orphans;
                }
                self.decide_orphans(plane);
                self.changed(plane, None);
            }
            Event::Policy(policy) => self.governed(plane, policy, now),
            Event::Unconfirmed(unconfirmed) => self.unconfirmed(plane, unconfirmed, now),
        }
    }

    /// At the begin of a session: what equal roots say, and what only the agent knows.
    pub(super) fn catch_up(&mut self, plane: &PlaneName, converged: bool) {
        let Some(state) = self.planes.get(plane) else {
            return;
        };
        let mut wanted = Vec::new();
        for key in state.keys() {
            let Some(delivery) = self.deliveries.get_mut(key) else {
                continue;
            };
            // Two versions of a resource may look the same, so equal hashes do not say that the newest one was reported.
            if lacks_report(delivery) || says_of_another_version(delivery) {
                wanted.push(key.clone());
            }
            if let Some(entry) = delivery
                .queued
                .as_mut()
                .filter(|entry| entry.recorded && converged)
            {
                entry.stored = Some(entry.head.version);
            }
        }
        self.tell(plane, |live| {
            wanted.into_iter().for_each(|key| live.session.want_report(key));
        });
    }

    /// What a status says no more, since something else had to be said meanwhile, its plane says again.
    pub(super) fn ask_for_report(&mut self, key: &Key) {
        let Some(delivery) = self.deliveries.get(key).filter(|delivery| lacks_report(delivery)) else {
            return;
        };
        if let Some(plane) = delivery.queued.as_ref().map(|entry| entry.plane.clone()) {
            self.tell(&plane, |live| live.session.want_report(key.clone()));
        }
    }

    fn acknowledged(&mut self, plane: &PlaneName, held: Vec<Held>, now: Now) {
        for Held { key, version } in held {
            let Some(entry) = self
                .on_plane(plane, &key)
                .and_then(|delivery| delivery.queued.as_mut())
                .filter(|entry| version <= entry.head.version)
            else {
                continue;
            };
            entry.stored = entry.stored.max(Some(version));
            self.changed(plane, Some(&key));
            self.no_longer_behind(plane, &key, version, now);
        }
    }

    fn reported(&mut self, plane: &PlaneName, report: Report, now: Now) {
        let term = self.live.get(plane).map(|live| live.session.term());
        let key = report.key.clone();
        let Some(delivery) = self.on_plane(plane, &key) else {
            return;
        };
        let newest = delivery.queued.as_ref().map(|entry| entry.head.version);
        if newest.is_none_or(|newest| report.version > newest) {
            return; // it says separately that we are behind
        }
        let changes = changes(delivery.reported.as_ref(), &report);
        match Reported::merge(&mut delivery.reported, report) {
            Merge::Changed => {
                fold(delivery, changes, term, now);
                self.reconcile(&key, now);
                self.changed(plane, Some(&key));
            }
            Merge::Mismatch => self.tell(plane, |live| live.session.want_report(key)),
            Merge::Unchanged | Merge::Stale => {}
        }
    }

    /// The word counts only for a head that says *removed*. What the hub does not know, or means for no plane or another one,
    /// is settled: nobody waits for the word, and the plane may stop saying it.
    fn gone(&mut self, plane: &PlaneName, held: Held, now: Now) {
        let key = held.key.clone();
        let Some(delivery) = self.on_plane(plane, &key) else {
            self.decided_done(plane, &key);
            self.settle_unqueued(plane, held);
            return self.reconcile_plane(plane, now);
        };
        let is_awaited = delivery.queued.as_ref().is_some_and(|entry| {
            entry.head.state == HeadState::Removed && entry.head.version == held.version
        });
        if is_awaited {
            delivery.gone = Some(held);
            self.reconcile(&key, now);
        }
    }

    /// The watch may simply be late, so the API server itself is asked before anything is said.
    fn hub_behind(&mut self, plane: &PlaneName, held: Held, digest: Digest, now: Now) {
        let key = held.key.clone();
        if self.decided_behind(plane, &held, digest) || self.on_plane(plane, &key).is_none() {
            return;
        }
        if self.adopt(&held, digest, now) {
            // What it said of that version before was of one that nobody here knew.
            return self.tell(plane, |live| live.session.want_report(key));
        }
        let Some(delivery) = self.on_plane(plane, &key) else {
            return;
        };
        match &delivery.behind {
            Some(behind) if (&behind.held, behind.digest) == (&held, digest) => {
                if behind.confirmed {
                    return; // said before
                }
            }
            _ => {
                let held_version = held.version;
                tracing::warn!(%plane, resource = %key, held = %held_version, %digest, "Plane holds something newer");
                delivery.behind = Some(Behind {
                    held,
                    digest,
                    confirmed: false,
                });
            }
        }
        self.read(&key);
        self.reconcile(&key, now);
    }

    /// The plane holds what the control plane says after all. What it said of it until then was of a version that nobody
    /// here knew.
    fn no_longer_behind(&mut self, plane: &PlaneName, key: &Key, version: Version, now: Now) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        if delivery
            .behind
            .take_if(|behind| behind.held.version <= version)
            .is_some()
        {
            delivery.writes.dirty = true;
            delivery.pace.hurry();
            self.tell(plane, |live| live.session.want_report(key.clone()));
            self.reconcile(key, now);
        }
    }

    fn settle_unqueued(&mut self, plane: &PlaneName, held: Held) {
        if let Some(state) = self.planes.get_mut(plane)
            && state.no_orphan(&held.key)
        {
            self.changed(plane, None);
        }
        self.tell(plane, |live| {
            if live.unqueued_settled < UNQUEUED_SETTLED {
                live.unqueued_settled += 1;
                live.session.settle(held);
            }
        });
    }

    /// A resource, if it is in the queue of this plane: an agent's word counts for no other.
    fn on_plane(&mut self, plane: &PlaneName, key: &Key) -> Option<&mut Delivery> {
        self.deliveries.get_mut(key).filter(|delivery| {
            delivery
                .queued
                .as_ref()
                .is_some_and(|entry| entry.plane == *plane)
        })
    }
}

/// Whether the plane said something that is known here by its hash alone. A status does not keep the blocker of each object;
/// where all is well and nothing is held there is none.
fn lacks_report(delivery: &Delivery) -> bool {
    let is_well = delivery.is_ready() && delivery.held().is_none();
    delivery.observed.is_some() && delivery.reported.is_none() && !is_well
}

/// Whether what the plane said last, if it said anything, is of another version than it should have.
fn says_of_another_version(delivery: &Delivery) -> bool {
    let Some(entry) = delivery.queued.as_ref().filter(|_| delivery.observed.is_some()) else {
        return false;
    };
    let version = entry.head.version;
    match &delivery.reported {
        Some(reported) => reported.version != version,
        None => {
            let status = &delivery.resource.around.status;
            let is_newest = |number: i64| u64::try_from(number) == Ok(version.generation.0);
            // Each is written with a report; a hub that was killed may have come to write one of them.
            let content = status.content.as_ref().map(|content| content.generation);
            let content = content.filter(|_| entry.head.state == HeadState::Present);
            !status.observed_generation.is_some_and(is_newest)
                || content.is_some_and(|number| !is_newest(number))
        }
    }
}

fn fold(delivery: &mut Delivery, changes: Vec<String>, term: Option<Term>, now: Now) {
    let Some(reported) = &delivery.reported else {
        return;
    };
    delivery.lost.take_if(|lost| *lost == reported.version); // it has it after all
    delivery.observed = Some(reported.observed);
    delivery.term = term;
    delivery.writes.refused = None;
    let list = List {
        objects: reported.objects.len(),
        complete: !delivery.is_partial(),
    };
    for id in &changes {
        delivery.pace.changed(id, list, now.uptime);
    }
    if !list.complete {
        delivery.pace.expects(list, now.uptime);
    }
    if list.complete && !delivery.resource.is_reported(reported.version.generation) {
        delivery.pace.hurry(); // the first word about a generation, whatever its objects
    }
    delivery.writes.dirty = true;
}

/// Ids of objects that a report says something new about. That an object is expected is nothing new.
fn changes(known: Option<&Reported>, report: &Report) -> Vec<String> {
    let known = known.filter(|known| known.version == report.version);
    let objects = report.objects.iter().enumerate();
    let mut ids: Vec<String> = objects
        .filter(
            |(place, object)| match known.and_then(|known| find(known, *place, &object.id)) {
                Some(former) => former != *object && (says_something(former) || says_something(object)),
                None => says_something(object),
            },
        )
        .map(|(_, object)| object.id.clone())
        .collect();
    let leftovers = known.map_or(&[][..], |known| &known.leftovers);
    if leftovers != report.leftovers {
        ids.push(LEFTOVERS.to_owned());
    }
    ids
}

/// Lists keep their order, so the same place is looked at first.
fn find<'a>(known: &'a Reported, place: usize, id: &str) -> Option<&'a ObjectReport> {
    let same = |object: &&ObjectReport| object.id == id;
    let objects = &known.objects;
    objects
        .get(place)
        .filter(same)
        .or_else(|| objects.iter().find(same))
}
