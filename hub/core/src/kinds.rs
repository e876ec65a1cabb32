//! The kinds that the hub reads, as the API server addresses them.

use kube::core::ApiResource;
use outhaul_hub_resources::{BuildPlane, Bundle, DataPlane, Environment, Plane, Release};
use outhaul_protocol_wire::head::BundleKind;

/// Releases or Bundles.
pub fn bundle(kind: BundleKind) -> ApiResource {
    match kind {
        BundleKind::Release => erased::<Release>(),
        BundleKind::Bundle => erased::<Bundle>(),
    }
}

/// Environments.
pub fn environments() -> ApiResource {
    erased::<Environment>()
}

/// DataPlanes.
pub fn data_planes() -> ApiResource {
    erased::<DataPlane>()
}

/// BuildPlanes.
pub fn build_planes() -> ApiResource {
    erased::<BuildPlane>()
}

/// Planes.
pub fn planes() -> ApiResource {
    erased::<Plane>()
}

fn erased<K: kube::Resource<DynamicType = ()>>() -> ApiResource {
    ApiResource::erase::<K>(&())
}
