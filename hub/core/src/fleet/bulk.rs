//! Resources that are deleted along with others: before a plane hears of a removal, the API server itself says whether
//! what the resource is in is being deleted.

use core::time::Duration;

use outhaul_protocol_wire::head::Key;

use super::Fleet;
use crate::bulk::Surroundings;
use crate::decision::RefusalReason;
use crate::now::Now;
use crate::output::Output;
use crate::reason;

/// When to ask again where that came to no answer.
const AGAIN: Duration = Duration::from_secs(1);

impl Fleet {
    /// Has read what a resource is in that is being deleted, once.
    pub(super) fn look_around(&mut self, key: &Key, now: Now) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        let waits = delivery.resource.around.deleting && delivery.resource.has_finalizer();
        if !waits || delivery.gone.is_some() || delivery.surroundings.is_some() {
            return;
        }
        match delivery.look_after {
            Some(after) if after > now.uptime => self.schedule(key, after),
            Some(_) => {
                delivery.look_after = None;
                self.outputs.push_back(Output::LookAround(key.clone()));
            }
            None => {}
        }
    }

    /// What a resource is in was read, as [`Output::LookAround`] asked; none where that came to no answer.
    pub fn surroundings(&mut self, key: &Key, read: Option<Surroundings>, now: Now) {
        let Some(delivery) = self.deliveries.get_mut(key) else {
            return;
        };
        delivery.surroundings = read;
        delivery.look_after = Some(now.uptime + AGAIN);
        self.reconcile(key, now);
    }

    /// Publishes that a plane keeps what was deleted in bulk: about the plane, since nothing can be made in a namespace that is
    /// being deleted. Once for all that goes along.
    pub(super) fn note_bulk(&mut self, key: &Key) {
        let Some(delivery) = self.deliveries.get(key) else {
            return;
        };
        let refusal = delivery
            .decision
            .as_ref()
            .and_then(|decision| decision.refusal.as_ref());
        let Some(refusal) = refusal.filter(|refusal| refusal.reason == RefusalReason::DeletedInBulk) else {
            return;
        };
        let Some(plane) = delivery.queued.as_ref().map(|entry| entry.plane.clone()) else {
            return;
        };
        let message = format!("{}; `outhaul explain plane/{plane}` says how", refusal.message);
        let news = self
            .planes
            .get_mut(&plane)
            .is_some_and(|state| state.bulks.insert(message.clone()));
        if news {
            self.note_plane(&plane, reason::DELETED_IN_BULK, &message);
        }
    }
}
