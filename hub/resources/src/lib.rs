//! The custom resources of the control plane: Rust types, names, and their definitions as YAML.
//!
//! | group | kinds |
//! |---|---|
//! | `outhaul.dev/v1alpha1` | [`Plane`], [`Bundle`] |
//! | `openchoreo.dev/v1alpha1` | [`DataPlane`], [`BuildPlane`], [`Environment`], [`Release`] |
//!
//! Who uses it: the hub reads and writes these types, [`crds()`] makes the chart's definitions from them.
//!
//! What the types promise:
//! - **What OpenChoreo's clients send is taken**: nulls, empty strings and empty objects parse, and nothing that
//!   is optional there is required here. Where a schema differs on purpose, `docs/compatibility.md` says why.
//! - **One odd object is one error**: a list or watch of [`Stored`] objects reads any, and [`parse()`] says which one
//!   is odd and what is wrong with it.
//! - **No schema has a default**: the API server adds nothing to what somebody wrote, so content is the same in
//!   every version of the hub.
//!
//! A Release's or Bundle's `spec` travels to planes as the API server returned it, never through these types:
//! they are for looking into it.

#![expect(
    clippy::duplicated_attributes,
    reason = "two printer columns of one kind are often of one type"
)]

mod build_plane;
mod bundle;
pub mod conditions;
mod data_plane;
mod definitions;
mod delivery;
mod environment;
mod kubernetes_cluster;
pub mod names;
mod observer;
mod parse;
mod plane;
mod release;
mod schemas;
mod stored;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

pub use build_plane::{BuildPlane, BuildPlaneSpec, BuildPlaneStatus};
pub use bundle::{Bundle, BundleSpec, Lifecycle};
pub use data_plane::{DataPlane, DataPlaneSpec, DataPlaneStatus, ImageRegistry, VirtualHosts};
pub use definitions::{crds, to_yaml};
pub use delivery::{
    BundleObject, DeliveredContent, DeliveryStatus, InventoryEntry, ResourceStatus, SessionTerm,
};
pub use environment::{
    Environment, EnvironmentGateway, EnvironmentSpec, EnvironmentStatus, GatewaySecurity, RemoteJwks,
};
pub use kubernetes_cluster::{ClusterAuth, ClusterTls, CredentialValue, KubernetesCluster, MutualTls};
pub use observer::{BasicAuth, Observer, ObserverAuthentication};
pub use parse::{InvalidObject, parse};
pub use plane::{Admission, AdmittedKind, Plane, PlaneSpec, PlaneStatus};
pub use release::{Release, ReleaseOwner, ReleaseSpec};
pub use stored::{Parts, Stored};
