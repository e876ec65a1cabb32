//! What operators do to whole planes.

use core::time::Duration;

use outhaul_hub_core::view::OrphanView;
use outhaul_hub_resources::conditions::CONTROL_PLANE_CONFIRMED;
use outhaul_hub_resources::conditions::status::FALSE;
use outhaul_protocol_wire::ids::{PlaneName, Uid};
use outhaul_protocol_wire::witness::Witness;
use serde_json::Value;

use crate::broken::Broken;
use crate::cluster::Place;
use crate::control::{create, plane_resource};
use crate::converge::condition;
use crate::hub::kube_system;
use crate::model::text;
use crate::schedule::{HUBS, PLANES};
use crate::world::World;

impl World {
    /// `outhaul plane forget`, of a plane whose agent is gone.
    pub(crate) fn forget_plane(&mut self, plane: usize) {
        // Not as in a crash: nobody starts it again.
        self.planes[plane].enrolled = false;
        self.kill_agent(plane, Duration::from_secs(1));
        self.model.plane_forgotten(plane);
        self.user_edits(&place(plane), |object| object["spec"]["forgotten"] = true.into());
    }

    /// The agent dials again and is refused, until somebody takes the word back.
    pub(crate) fn plane_returns(&mut self, plane: usize) {
        self.planes[plane].enrolled = true;
        self.start_agent(plane);
    }

    pub(crate) fn remember_plane(&mut self, plane: usize) {
        self.user_edits(&place(plane), |object| object["spec"]["forgotten"] = false.into());
    }

    /// `outhaul orphans adopt` or `remove`, of an orphan that a hub with a session shows.
    pub(crate) fn decide(&mut self, plane: usize, pick: u64, adopt: bool) {
        let name = PlaneName::new(PLANES[plane]).expect("the names of the planes are names");
        let orphans = (0..HUBS).find_map(|hub| self.hub_orphans(hub, &name));
        let orphans = orphans.unwrap_or_default();
        let count = orphans.len().max(1) as u64;
        let index = usize::try_from(pick % count).unwrap_or_default();
        // REST refuses what is decided already, and what stands in the control plane.
        let open = |orphan: &&OrphanView| orphan.decision.is_none() && !orphan.stands;
        let Some(orphan) = orphans.get(index).filter(open) else {
            return;
        };
        let verdict = match (&orphan.successor, adopt) {
            (Some(_), true) => {
                self.model.adopted(&orphan.uid);
                "Adopt"
            }
            (_, _) => {
                self.model.removed_from(plane, &orphan.uid);
                "Remove"
            }
        };
        self.coverage.note(format!("decided: {verdict}"));
        self.write_decision(plane, orphan, verdict);
    }

    fn write_decision(&mut self, plane: usize, orphan: &OrphanView, verdict: &str) {
        let mut entry = serde_json::to_value(&orphan.bundle).expect("names are JSON");
        entry["uid"] = orphan.uid.clone().into();
        entry["decision"] = verdict.into();
        self.user_edits(&place(plane), |object| {
            let mut decisions = object["spec"]["decisions"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            decisions.push(entry);
            object["spec"]["decisions"] = decisions.into();
        });
    }

    /// Broken hubs decide themselves about every orphan.
    pub(crate) fn decide_unasked(&mut self, plane: usize, number: usize) {
        let name = PlaneName::new(PLANES[plane]).expect("the names of the planes are names");
        let orphans = self.hub_orphans(number, &name).unwrap_or_default();
        for orphan in orphans.iter().filter(|orphan| orphan.decision.is_none()) {
            self.write_decision(plane, orphan, "Remove");
        }
    }

    pub(crate) fn delete_plane(&mut self, plane: usize) {
        let place = place(plane);
        if self.control.delete(&place, None).is_err() {
            return;
        }
        self.coverage.note(match self.is_there(plane) {
            true => "a Plane waits".to_owned(),
            false => "a Plane went at once".to_owned(),
        });
        if self.broken == Some(Broken::PlaneLetGoEarly) {
            let release = |object: &mut Value| object["metadata"]["finalizers"] = serde_json::json!([]);
            // It had none, and is gone.
            let _gone = self.control.update(&place, "hub", release);
        }
        self.check_plane_gone(plane);
        self.control_changed();
    }

    /// Every plane has a Plane again, as at the beginning, and is served.
    pub(crate) fn restore_plane(&mut self, plane: usize) {
        let place = place(plane);
        match self.control.find(&place) {
            None => {
                // New ones have no finalizer yet.
                let mut resource = plane_resource(plane);
                resource["metadata"] = Value::Null;
                create(&mut self.control, &place, &resource);
                self.control_changed();
            }
            Some(there) if there["spec"]["forgotten"] == true => {
                self.remember_plane(plane);
            }
            Some(_) => {}
        }
    }

    /// `outhaul plane confirm`, for every Plane which says that its plane waits for that: it was made again.
    pub(crate) fn confirm_control_planes(&mut self) {
        for plane in (0..PLANES.len()).map(place) {
            let Some(there) = self.control.find(&plane).filter(|there| is_unconfirmed(there)) else {
                continue;
            };
            let uid = Uid::new(text(there, "/metadata/uid")).expect("uids are short");
            let witness = Witness::of(&kube_system(), &uid).to_string();
            if there["spec"]["controlPlane"] != witness {
                self.coverage.note("control plane confirmed");
                self.user_edits(&plane, |object| object["spec"]["controlPlane"] = witness.into());
            }
        }
    }

    /// Whether nothing new goes to a plane: its Plane is gone, or being deleted.
    pub(crate) fn is_going(&self, plane: usize) -> bool {
        self.control
            .find(&place(plane))
            .is_none_or(|there| there["metadata"]["deletionTimestamp"].is_string())
    }

    fn is_there(&self, plane: usize) -> bool {
        self.control.find(&place(plane)).is_some()
    }

    /// A Plane may be gone now: then nothing that has our finalizer may name it.
    pub(crate) fn check_plane_gone(&mut self, plane: usize) {
        if self.is_there(plane) {
            return;
        }
        let resources = ["Release", "Bundle"]
            .into_iter()
            .flat_map(|kind| self.control.of_kind(kind));
        let left = resources
            .filter(|(_, resource)| self.model.is_recorded(text(resource, "/metadata/uid"), plane))
            .find(|(_, resource)| text(resource, "/status/plane") == PLANES[plane]);
        if let Some((left, _)) = left {
            let text = format!("Plane {} is gone, and {left} is on it", PLANES[plane]);
            self.violate("a Plane stays while something is on it", text);
        }
    }
}

/// Whether a Plane says that its plane waits for the control plane to be confirmed.
fn is_unconfirmed(plane: &Value) -> bool {
    condition(plane, CONTROL_PLANE_CONFIRMED).is_some_and(|confirmed| confirmed["status"] == FALSE)
}

/// Where a plane's Plane is.
pub(crate) fn place(plane: usize) -> Place {
    Place::new("Plane", "", PLANES[plane])
}
