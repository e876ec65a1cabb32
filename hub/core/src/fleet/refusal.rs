//! Why a resource as a whole is not where it should be, from all that the hub knows.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::HeadState;

use super::Fleet;
use crate::decision::{Refusal, RefusalReason};
use crate::delivery::Delivery;
use crate::now::Now;
use crate::output::SessionId;

/// The reason and the words for it, in its condition and in REST.
pub(super) fn of(delivery: &Delivery) -> Option<Refusal> {
    let decided = delivery
        .decision
        .as_ref()
        .and_then(|decision| decision.refusal.clone());
    let refusal = decided.or_else(|| behind(delivery));
    lost(delivery, refusal.as_ref()).or(refusal)
}

impl Fleet {
    /// A plane asked for content that the hub has only the digest of. It is told so, and people are told what follows.
    pub(super) fn lost_content(&mut self, id: SessionId, digest: Digest, now: Now) {
        let plane = self.sessions.get(&id).and_then(|name| self.planes.get(name));
        let Some(key) = plane.and_then(|plane| plane.without_content(digest)).cloned() else {
            return;
        };
        let Some(delivery) = self.deliveries.get_mut(&key) else {
            return;
        };
        let version = delivery.queued.as_ref().map(|entry| entry.head.version);
        if delivery.lost != version {
            delivery.lost = version;
            delivery.writes.dirty = true;
            delivery.pace.hurry();
            self.reconcile(&key, now);
        }
    }
}

/// The plane lost its store, and the newest spec is none that it could have instead.
fn lost(delivery: &Delivery, refusal: Option<&Refusal>) -> Option<Refusal> {
    let entry = delivery.queued.as_ref()?;
    delivery.lost.filter(|version| *version == entry.head.version)?;
    let plane = &entry.plane;
    let message = match entry.head.state {
        HeadState::Present | HeadState::Left => format!(
            "{}; plane {plane} has lost the last one that could be delivered, and gets nothing until this is corrected",
            refusal?.message
        ),
        HeadState::Removed => format!(
            "plane {plane} has lost what it held of it, and no spec says which objects to look for there ({}): correct \
             the spec, or take the finalizer off once they are gone",
            delivery.resource.spec.delivery.as_ref().err()?
        ),
    };
    let reason = refusal.map_or(RefusalReason::InvalidSpec, |refusal| refusal.reason);
    Some(Refusal { reason, message })
}

/// Shown only once the API server itself confirmed that it is behind.
fn behind(delivery: &Delivery) -> Option<Refusal> {
    let behind = delivery.behind.as_ref().filter(|behind| behind.confirmed)?;
    let entry = delivery.queued.as_ref()?;
    let (head, held) = (&entry.head, &behind.held);
    if head.version > held.version || (head.version == held.version && head.digest == behind.digest) {
        return None; // the watch was late, or an edit has overtaken it
    }
    Some(Refusal {
        reason: RefusalReason::HubBehind,
        message: format!(
            "plane {} holds version {}, the control plane says {}; nothing is changed there. If the control plane was \
             restored from a backup, `outhaul hub restored` makes what it says now count everywhere",
            entry.plane, held.version, head.version
        ),
    })
}
