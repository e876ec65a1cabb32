//! Resources that are deleted along with others: before a plane hears of a removal, the API server itself says whether
//! what the resource is in is being deleted.

use core::time::Duration;

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::PlaneName;

use super::Fleet;
use crate::bulk::Surroundings;
use crate::decision::RefusalReason;
use crate::now::Now;
use crate::output::Output;
use crate::plane::Plane;
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
    /// being deleted. Once for all that goes along: by the first of which it is said.
    pub(super) fn note_bulk(&mut self, key: &Key) {
        let Some((plane, message)) = self.kept_in_bulk(key) else {
            return;
        };
        let others = self.planes.get(plane).into_iter().flat_map(Plane::keys);
        let is_said = others
            .filter(|other| *other != key)
            .filter_map(|other| self.kept_in_bulk(other))
            .any(|(_, said)| said == message);
        if !is_said {
            let plane = plane.clone();
            let message = format!("{message}; `outhaul explain plane/{plane}` says how");
            self.note_plane(&plane, reason::DELETED_IN_BULK, &message);
        }
    }

    /// The plane that keeps what was deleted in bulk, and what is said of it.
    fn kept_in_bulk(&self, key: &Key) -> Option<(&PlaneName, &str)> {
        let delivery = self.deliveries.get(key)?;
        let refusal = delivery.decision.as_ref()?.refusal.as_ref()?;
        let is_bulk = refusal.reason == RefusalReason::DeletedInBulk;
        let plane = &delivery.queued.as_ref()?.plane;
        is_bulk.then_some((plane, refusal.message.as_str()))
    }
}
