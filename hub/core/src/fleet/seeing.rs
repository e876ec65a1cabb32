//! What the watches bring.

use outhaul_hub_resources::{AdmittedKind, SessionTerm};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::PlaneName;

use super::{Fleet, Owner};
use crate::delivery::Delivery;
use crate::now::Now;
use crate::resource::{Around, Resource};
use crate::routing::Name;
use crate::status::session_term;

/// How a resource came to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By a watch, which may be behind what our own writes were answered.
    Watch,
    /// By a list: it counts whatever was known before. After a restore from backup resource versions start lower.
    List,
    /// By a read that was asked for. It counts as a list does, unless something newer came while it was on its way.
    Read,
}

impl Fleet {
    /// A resource was seen.
    pub fn seen(&mut self, resource: Resource, origin: Origin, now: Now) {
        let key = resource.key.clone();
        let asked = (origin == Origin::Read)
            .then(|| self.reading.remove(&key))
            .flatten();
        match self.deliveries.get_mut(&key) {
            // What was asked for vanished while the answer was on its way.
            None if origin == Origin::Read => return,
            None => {
                self.deliveries.insert(key.clone(), Delivery::new(resource));
            }
            Some(delivery) if may_be_late(origin, asked, delivery) && is_older(&resource, delivery) => {
                if origin == Origin::Read {
                    self.read_again(&key);
                }
                return;
            }
            Some(delivery) => {
                // Terms that were there before our session say nothing: a plane may have lost its count.
                if let Some((plane, term)) = new_term(&resource, delivery) {
                    self.drop_superseded(&plane, term, now);
                    self.forget_overtaken(&key, &plane, term);
                }
                self.update(resource, origin);
            }
        }
        self.learn_observed(&key);
        self.reconcile(&key, now);
    }

    /// A resource does not exist any more. Its plane keeps what it holds, unless it said that nothing is left.
    pub fn vanished(&mut self, key: &Key, now: Now) {
        self.reading.remove(key);
        self.waiting.remove(key);
        self.note_gone(key);
        let Some(delivery) = self.deliveries.get(key) else {
            return;
        };
        let gone = delivery.gone.clone();
        self.dequeue(key, gone);
        if let Some(due) = self.deliveries.remove(key).and_then(|delivery| delivery.due) {
            self.due.remove(&(due, Owner::Delivery(key.clone())));
        }
        self.look_at_leaving(now);
    }

    /// A read came to no answer. Whoever wanted it will want it again.
    pub fn unread(&mut self, key: &Key) {
        self.reading.remove(key);
    }

    /// An Environment names this DataPlane; `None` where it does not exist.
    pub fn environment(&mut self, name: Name, data_plane: Option<Option<String>>, now: Now) {
        if self.routing.set_environment(name, data_plane) {
            self.rerouted(now);
        }
    }

    /// A DataPlane or BuildPlane names this Plane; `None` where it does not exist.
    pub fn user(&mut self, kind: AdmittedKind, name: Name, plane: Option<Option<String>>, now: Now) {
        if self.routing.set_user(kind, name, plane) {
            self.rerouted(now);
        }
    }

    /// Environments and planes change rarely, and reading a decision again costs a microsecond per resource.
    pub(super) fn rerouted(&mut self, now: Now) {
        if self.synced {
            self.reconcile_all(now);
        }
    }

    /// Whoever waits for a word of the API server itself got none from an answer that was overtaken.
    fn read_again(&mut self, key: &Key) {
        let behind = self
            .deliveries
            .get(key)
            .and_then(|delivery| delivery.behind.as_ref());
        if behind.is_some_and(|behind| !behind.confirmed) {
            self.read(key);
        }
    }

    fn update(&mut self, resource: Resource, origin: Origin) {
        let Some(delivery) = self.deliveries.get_mut(&resource.key) else {
            return;
        };
        if delivery.resource.around.status != resource.around.status {
            delivery.writes.dirty = true;
        }
        if let (Origin::List | Origin::Read, Some(behind)) = (origin, &mut delivery.behind)
            && !behind.confirmed
        {
            behind.confirmed = true;
            delivery.writes.dirty = true;
            delivery.pace.hurry();
        }
        delivery.resource = resource;
    }

    /// Somebody wrote what a plane said in another session. Without a session of it we hear no newer word, so what it
    /// told us before counts no more: two hubs that both kept theirs would write over each other without end.
    fn forget_overtaken(&mut self, key: &Key, plane: &PlaneName, written: SessionTerm) {
        if self.live.contains_key(plane) {
            return;
        }
        if let Some(delivery) = self.deliveries.get_mut(key)
            && delivery.term.is_some_and(|ours| session_term(ours) != written)
        {
            delivery.reported = None;
            delivery.term = None;
            delivery.behind = None;
            delivery.writes.refused = None;
        }
    }

    /// What surrounds a spec after one of our writes.
    pub(super) fn answered(&mut self, key: &Key, around: Around) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        let known = &mut delivery.resource.around;
        // A newer generation comes with its spec through the watch.
        if around.generation == known.generation && around.resource_version >= known.resource_version {
            *known = around;
        }
    }

    /// After a restart the status says what the plane last said, as far as it is the same plane.
    pub(super) fn learn_observed(&mut self, key: &Key) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        if delivery.reported.is_none() {
            let observed = delivery.resource.around.status.observed.as_deref();
            delivery.observed = observed.and_then(Digest::from_hex);
        }
    }
}

/// Whether something newer may be known already. A watch may be behind the answers to our writes; and a read is, where
/// watch or answer brought something since it was asked for.
fn may_be_late(origin: Origin, asked: Option<u64>, known: &Delivery) -> bool {
    match origin {
        Origin::Watch => true,
        Origin::List => false,
        Origin::Read => asked != Some(known.resource.around.resource_version),
    }
}

fn is_older(resource: &Resource, known: &Delivery) -> bool {
    resource.around.resource_version < known.resource.around.resource_version
}

/// The term that somebody wrote since the resource was last seen.
fn new_term(resource: &Resource, known: &Delivery) -> Option<(PlaneName, SessionTerm)> {
    let term = resource.around.status.term?;
    let (plane, _) = resource.recorded()?;
    (known.resource.around.status.term != Some(term)).then_some((plane, term))
}
