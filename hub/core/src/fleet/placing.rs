//! Puts heads into queues, and tells sessions about them.

use std::sync::Arc;

use outhaul_protocol_wire::digest::Digest;
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
            Place::Keep(former) => self.keep(key, former, now),
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

    /// Leaves what is queued, which may be newer than any status says. A hub that starts again has nothing to leave.
    fn keep(&mut self, key: &Key, former: Option<At>, now: Now) {
        let queued = self
            .deliveries
            .get(key)
            .and_then(|delivery| delivery.queued.as_ref());
        match (queued, former) {
            (Some(entry), Some(at)) if (&entry.plane, entry.head.version.moved) == (&at.plane, at.moved) => {
                if at.recorded && !entry.recorded {
                    self.recorded(key, &at.plane, true);
                }
            }
            (_, Some(at)) => self.place_at(key, at, now),
            (_, None) => {}
        }
    }

    /// Takes the plane's word for what it holds of a resource whose newest generation goes nowhere. Older ones of it were
    /// sent there and the status may not have them yet: it is written when the plane reports.
    pub(super) fn adopt(&mut self, held: &Held, digest: Digest, now: Now) -> bool {
        let Some(delivery) = self.deliveries.get(&held.key) else {
            return false;
        };
        let Some(entry) = &delivery.queued else {
            return false;
        };
        let kept = delivery
            .decision
            .as_ref()
            .is_some_and(|decision| matches!(decision.place, Place::Keep(_)) && decision.refusal.is_some());
        let (theirs, ours) = (held.version, entry.head.version);
        let sent_once = theirs > ours
            && (theirs.epoch, theirs.moved) == (ours.epoch, ours.moved)
            && theirs.generation < delivery.resource.around.generation;
        if !kept || !sent_once || entry.head.state != HeadState::Present {
            return false;
        }
        let at = At {
            plane: entry.plane.clone(),
            moved: theirs.moved,
            recorded: entry.recorded,
            state: HeadState::Present,
            generation: theirs.generation,
            digest,
        };
        self.place_at(&held.key, at, now);
        true
    }

    fn place_at(&mut self, key: &Key, at: At, now: Now) {
        let Some(delivery) = self.deliveries.get(key) else {
            return;
        };
        let head = Head {
            key: key.clone(),
            version: Version {
                epoch: self.settings.epoch,
                generation: at.generation,
                moved: at.moved,
            },
            digest: at.digest,
            state: at.state,
            confirmed: delivery.resource.around.confirmed(at.generation),
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
        let reported = delivery.resource.is_reported(head.version.generation);
        let entry = Entry {
            plane: at.plane.clone(),
            recorded: at.recorded,
            spec: Arc::clone(&delivery.resource.spec),
            place,
            since: now.uptime,
            stored: stored(delivery.queued.as_ref(), &head, reported),
            head,
        };
        let plane = self.planes.entry(at.plane.clone()).or_default();
        let former = delivery.queued.replace(entry);
        // A removal needs no recording. That one comes says nothing of what was announced before.
        let newly_recorded = at.state == HeadState::Present
            && former
                .as_ref()
                .is_some_and(|former| !former.recorded && at.recorded);
        if let Some(former) = &former {
            plane.dequeue(former);
        }
        if let Some(entry) = &delivery.queued {
            plane.enqueue(entry);
        }
        let unkept = plane
            .record
            .as_ref()
            .is_some_and(|record| !record.has_finalizer());
        self.tell(&at.plane, |live| {
            if newly_recorded {
                live.session.recorded(&key);
            }
            live.session.announce(key.clone());
        });
        self.changed(&at.plane, Some(&key));
        self.decide_orphans(&at.plane);
        if unkept {
            self.reconcile_plane(&at.plane, now);
        }
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
