//! What operators do to whole planes.

use core::time::Duration;

use serde_json::Value;

use crate::broken::Broken;
use crate::cluster::Place;
use crate::control::{create, plane_resource};
use crate::model::text;
use crate::schedule::PLANES;
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

/// Where a plane's Plane is.
pub(crate) fn place(plane: usize) -> Place {
    Place::new("Plane", "", PLANES[plane])
}
