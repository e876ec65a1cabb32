//! What is seen in the control plane, by a watch or by a read.

use outhaul_hub_resources::AdmittedKind;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::PlaneName;

use crate::resource::Resource;
use crate::routing::Name;
use crate::{Fleet, Now, Origin, PlaneRecord};

/// What was seen in the control plane.
#[derive(Debug)]
pub enum Sight {
    /// A Release or Bundle.
    Resource(Resource, Origin),
    /// A Release or Bundle that is gone.
    ResourceGone(Key),
    /// An Environment and the DataPlane that it names, or that it is gone.
    Environment(Name, Option<Option<String>>),
    /// A DataPlane or BuildPlane and the Plane that it names, or that it is gone.
    User(AdmittedKind, Name, Option<Option<String>>),
    /// A Plane.
    Plane(Box<PlaneRecord>, Origin),
    /// A Plane that is gone.
    PlaneGone(PlaneName),
}

impl Sight {
    /// Tells the fleet.
    pub fn tell(self, fleet: &mut Fleet, now: Now) {
        match self {
            Self::Resource(resource, origin) => fleet.seen(resource, origin, now),
            Self::ResourceGone(key) => fleet.vanished(&key, now),
            Self::Environment(name, data_plane) => fleet.environment(name, data_plane, now),
            Self::User(kind, name, plane) => fleet.user(kind, name, plane, now),
            Self::Plane(record, origin) => fleet.plane(*record, origin, now),
            Self::PlaneGone(name) => fleet.plane_vanished(&name, now),
        }
    }
}
