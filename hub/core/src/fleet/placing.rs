//! Puts heads into queues, and tells sessions about them.

use std::sync::Arc;

use outhaul_protocol_wire::head::{Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::message::Held;

use super::{Fleet, Live};
use crate::decision::{At, Place};
use crate::delivery::Entry;
use crate::now::Now;

impl Fleet {
    pub(super) fn place(&mut self, key: &Key, place: Place, now: Now) {
        match place {
            Place::Keep => {}
            Place::Nowhere => {
                let gone = self
                    .deliveries
                    .get(key)
                    .and_then(|delivery| delivery.gone.clone());
                self.dequeue(key, gone);
            }
            Place::At(at) => self.place_at(key, at, now),
        }
    }

    /// Takes a key out of its queue. With the plane's word that nothing is left the plane is told so; without it the
    /// plane hears nothing and keeps what it has.
    pub(super) fn dequeue(&mut self, key: &Key, gone: Option<Held>) {
        let Some(entry) = self
            .deliveries
            .get_mut(key)
            .and_then(|delivery| delivery.queued.take())
        else {
            return;
        };
        if let Some(plane) = self.planes.get_mut(&entry.plane) {
            plane.dequeue(&entry);
        }
        self.tell(&entry.plane, |live| match gone {
            Some(held) => live.session.settle(held),
            None => live.session.forget(key),
        });
        self.changed(&entry.plane, Some(key));
    }

    fn place_at(&mut self, key: &Key, at: At, now: Now) {
        let Some(delivery) = self.deliveries.get(key) else {
            return;
        };
        let head = Head {
            key: key.clone(),
            version: Version {
                epoch: self.settings.epoch,
                generation: delivery.resource.around.generation,
                moved: at.moved,
            },
            digest: delivery.resource.spec.digest,
            state: at.state,
        };
        match &delivery.queued {
            Some(entry) if entry.plane != at.plane => {
                self.dequeue(key, None);
                if let Some(delivery) = self.deliveries.get_mut(key) {
                    delivery.forget_reports();
                }
                self.learn_observed(key);
                self.enqueue(head, at, now);
            }
            Some(entry) if entry.head != head => self.enqueue(head, at, now),
            Some(entry) if entry.recorded != at.recorded => self.recorded(key, &at.plane, at.recorded),
            Some(_) => {}
            None => self.enqueue(head, at, now),
        }
    }

    fn enqueue(&mut self, head: Head, at: At, now: Now) {
        let place = self.next_id();
        let key = head.key.clone();
        let Some(delivery) = self.deliveries.get_mut(&key) else {
            return;
        };
        let entry = Entry {
            plane: at.plane.clone(),
            recorded: at.recorded,
            spec: Arc::clone(&delivery.resource.spec),
            place,
            since: now.uptime,
            stored: stored(delivery.queued.as_ref(), &head, delivery.resource.is_reported()),
            head,
        };
        let plane = self.planes.entry(at.plane.clone()).or_default();
        let former = delivery.queued.replace(entry);
        let newly_recorded = former
            .as_ref()
            .is_some_and(|former| !former.recorded && at.recorded);
        if let Some(former) = &former {
            plane.dequeue(former);
        }
        if let Some(entry) = &delivery.queued {
            plane.enqueue(entry);
        }
        self.tell(&at.plane, |live| {
            if newly_recorded {
                live.session.recorded(&key);
            }
            live.session.announce(key.clone());
        });
        self.changed(&at.plane, Some(&key));
    }

    fn recorded(&mut self, key: &Key, plane: &PlaneName, recorded: bool) {
        let entry = self
            .deliveries
            .get_mut(key)
            .and_then(|delivery| delivery.queued.as_mut());
        if let Some(entry) = entry {
            entry.recorded = recorded;
        }
        if recorded {
            self.tell(plane, |live| live.session.recorded(key));
        }
    }

    /// Says something through the session of a plane, if it has one.
    pub(super) fn tell(&mut self, plane: &PlaneName, say: impl FnOnce(&mut Live)) {
        if let Some(live) = self.live.get_mut(plane) {
            say(live);
            self.talking.insert(live.id);
        }
    }
}

/// What the plane is known to have stored: what it acknowledged before, or by its report on this very generation.
fn stored(former: Option<&Entry>, head: &Head, reported: bool) -> Option<Version> {
    let present = head.state == HeadState::Present;
    match former {
        Some(former) => former.stored,
        None => (reported && present).then_some(head.version),
    }
}
