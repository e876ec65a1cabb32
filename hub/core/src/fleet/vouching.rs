//! Which control plane this is, as each plane is told: by the uids of its Namespace `kube-system` and of the `Plane`. A
//! plane that knew another one holds what it would let go until somebody writes into its Plane that this one counts.

use outhaul_hub_resources::conditions::{CONTROL_PLANE_CONFIRMED, status};
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::witness::{Vouched, Witness};

use super::Fleet;
use crate::condition::{self, Said};
use crate::now::Now;
use crate::output::Change;
use crate::plane::PlaneRecord;
use crate::reason;

impl Fleet {
    /// What a plane is told of this control plane.
    pub(super) fn vouched(&self, name: &PlaneName) -> Option<Vouched> {
        let record = self.planes.get(name)?.record.as_ref()?;
        let witness = self.witness(record);
        Some(Vouched {
            witness,
            confirmed: record.control_plane == witness.to_string(),
            asks: is_unconfirmed(record),
        })
    }

    /// Tells a plane what changed of that since its session began: somebody confirmed it, or made its Plane again.
    pub(super) fn vouch(&mut self, name: &PlaneName) {
        let Some(vouched) = self.vouched(name) else {
            return;
        };
        let Some(live) = self.live.get_mut(name) else {
            return;
        };
        let said = |vouched: &Vouched| (vouched.witness, vouched.confirmed);
        if live
            .vouched
            .as_ref()
            .map(said)
            .is_some_and(|known| known != said(&vouched))
        {
            live.vouched = Some(vouched);
            self.tell(name, |live| live.session.vouch(vouched));
        }
    }

    /// The plane says whether it waits for this control plane to be confirmed.
    pub(super) fn unconfirmed(&mut self, name: &PlaneName, unconfirmed: bool, now: Now) {
        let Some(live) = self.live.get_mut(name) else {
            return;
        };
        live.unconfirmed = Some(unconfirmed);
        let record = self.planes.get(name).and_then(|state| state.record.as_ref());
        if unconfirmed && !record.is_some_and(is_unconfirmed) {
            self.note_plane(name, reason::CONTROL_PLANE_CHANGED, &words(name));
        }
        self.reconcile_plane(name, now);
        self.changed(name, None);
    }

    /// The witness that a plane waits to be confirmed, as it says in its session or its Plane says since the last.
    pub(super) fn waits_for(&self, name: &PlaneName, record: &PlaneRecord) -> Option<Witness> {
        let said = self.live.get(name).and_then(|live| live.unconfirmed);
        said.unwrap_or_else(|| is_unconfirmed(record))
            .then(|| self.witness(record))
    }

    /// The write that says whether a plane waits; nobody but a hub with a session knows.
    pub(super) fn confirmation_due(
        &self,
        name: &PlaneName,
        record: &PlaneRecord,
        now: Now,
    ) -> Option<Change> {
        let unconfirmed = self.live.get(name)?.unconfirmed?;
        if unconfirmed == is_unconfirmed(record) {
            return None;
        }
        let (status, reason, message) = match unconfirmed {
            true => (status::FALSE, reason::CONTROL_PLANE_CHANGED, words(name)),
            false => (
                status::TRUE,
                reason::CONFIRMED,
                "the plane takes this control plane for the one that it knew".to_owned(),
            ),
        };
        let said = Said {
            r#type: CONTROL_PLANE_CONFIRMED,
            status,
            reason: reason.to_owned(),
            message,
            generation: None,
        };
        let mut conditions = record.conditions.clone();
        condition::set(&mut conditions, said, now.wall);
        Some(Change::PlaneConditions {
            conditions,
            known: record.resource_version,
        })
    }

    fn witness(&self, record: &PlaneRecord) -> Witness {
        Witness::of(&self.settings.kube_system, &record.uid)
    }
}

/// Whether its Plane says that the plane waits.
fn is_unconfirmed(record: &PlaneRecord) -> bool {
    condition::get(&record.conditions, CONTROL_PLANE_CONFIRMED)
        .is_some_and(|confirmed| confirmed.status == status::FALSE)
}

fn words(name: &PlaneName) -> String {
    format!(
        "the plane knew another control plane with this hub's id, or another Plane: what it would let go or take over waits; \
         if this one is right, run `outhaul plane confirm {name}`"
    )
}
