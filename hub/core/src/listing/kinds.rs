//! The kinds that are watched, and what the fleet wants to know of each.

use kube::ResourceExt as _;
use kube::core::ApiResource;
use outhaul_hub_resources::{self as resources, AdmittedKind, BuildPlane, DataPlane, Environment, Stored};
use outhaul_protocol_wire::head::BundleKind;
use outhaul_protocol_wire::ids::PlaneName;

use crate::resource::Reader;
use crate::routing::Name;
use crate::{Origin, PlaneRecord, Sight, kinds};

/// A kind that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Releases or Bundles.
    Bundle(BundleKind),
    /// Environments.
    Environment,
    /// DataPlanes or BuildPlanes.
    User(AdmittedKind),
    /// Planes.
    Plane,
}

/// An object that cannot be used.
pub(super) type Unusable = Box<dyn std::error::Error + Send + Sync>;

impl Kind {
    /// All of them, those first that others are routed by.
    pub const ALL: [Self; 6] = [
        Self::Plane,
        Self::User(AdmittedKind::DataPlane),
        Self::User(AdmittedKind::BuildPlane),
        Self::Environment,
        Self::Bundle(BundleKind::Release),
        Self::Bundle(BundleKind::Bundle),
    ];

    /// How the API server addresses it.
    pub fn resource(self) -> ApiResource {
        match self {
            Self::Bundle(kind) => kinds::bundle(kind),
            Self::Environment => kinds::environments(),
            Self::User(AdmittedKind::DataPlane) => kinds::data_planes(),
            Self::User(AdmittedKind::BuildPlane) => kinds::build_planes(),
            Self::Plane => kinds::planes(),
        }
    }

    /// A reader, for kinds whose content travels.
    pub(super) fn reader(self) -> Option<Reader> {
        match self {
            Self::Bundle(kind) => Some(Reader::new(kind)),
            Self::Environment | Self::User(_) | Self::Plane => None,
        }
    }
}

/// What an object of a kind says.
pub(super) fn sight(
    kind: Kind,
    reader: Option<&mut Reader>,
    object: &Stored,
    origin: Origin,
) -> Result<Sight, Unusable> {
    let name = name(object);
    match (kind, reader) {
        (Kind::Bundle(_), Some(reader)) => Ok(Sight::Resource(reader.read(object)?, origin)),
        (Kind::Bundle(kind), None) => Ok(Sight::Resource(Reader::new(kind).read(object)?, origin)),
        (Kind::Environment, _) => {
            let environment: Environment = resources::parse(object)?;
            Ok(Sight::Environment(name, Some(environment.spec.data_plane_ref)))
        }
        (Kind::User(kind @ AdmittedKind::DataPlane), _) => {
            let plane: DataPlane = resources::parse(object)?;
            Ok(Sight::User(kind, name, Some(plane.spec.plane_id)))
        }
        (Kind::User(kind @ AdmittedKind::BuildPlane), _) => {
            let plane: BuildPlane = resources::parse(object)?;
            Ok(Sight::User(kind, name, Some(plane.spec.plane_id)))
        }
        (Kind::Plane, _) => {
            let plane: resources::Plane = resources::parse(object)?;
            Ok(Sight::Plane(Box::new(PlaneRecord::read(plane)?), origin))
        }
    }
}

/// That an object is gone. Its uid is part of the key of a Release or Bundle.
pub(super) fn gone(kind: Kind, name: Name, uid: &str) -> Result<Sight, Unusable> {
    Ok(match kind {
        Kind::Bundle(kind) => Sight::ResourceGone(outhaul_protocol_wire::head::Key {
            kind,
            uid: outhaul_protocol_wire::ids::Uid::new(uid)?,
            namespace: name.0,
            name: name.1,
        }),
        Kind::Environment => Sight::Environment(name, None),
        Kind::User(kind) => Sight::User(kind, name, None),
        Kind::Plane => Sight::PlaneGone(PlaneName::new(name.1)?),
    })
}

pub(super) fn name(object: &Stored) -> Name {
    (object.namespace().unwrap_or_default(), object.name_any())
}
