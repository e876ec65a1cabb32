//! The kinds that the hub reads, as the API server addresses them.

use kube::core::ApiResource;
use outhaul_hub_resources::{BuildPlane, Bundle, DataPlane, Environment, Plane, Release};
use outhaul_protocol_wire::head::BundleKind;

pub(crate) fn bundle(kind: BundleKind) -> ApiResource {
    match kind {
        BundleKind::Release => erased::<Release>(),
        BundleKind::Bundle => erased::<Bundle>(),
    }
}

pub(crate) fn environments() -> ApiResource {
    erased::<Environment>()
}

pub(crate) fn data_planes() -> ApiResource {
    erased::<DataPlane>()
}

pub(crate) fn build_planes() -> ApiResource {
    erased::<BuildPlane>()
}

pub(crate) fn planes() -> ApiResource {
    erased::<Plane>()
}

fn erased<K: kube::Resource<DynamicType = ()>>() -> ApiResource {
    ApiResource::erase::<K>(&())
}
