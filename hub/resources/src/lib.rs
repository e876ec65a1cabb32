//! The custom resources of the control plane: Rust types, names, and their definitions as YAML.
//!
//! | group | kinds |
//! |---|---|
//! | `outhaul.dev/v1alpha1` | [`Plane`], [`Bundle`] |
//! | `openchoreo.dev/v1alpha1`, the platform | [`Organization`], [`DataPlane`], [`BuildPlane`], [`Environment`], [`DeploymentPipeline`] |
//! | the same, what teams write | [`Project`], [`Component`], [`ConfigurationGroup`], [`Workload`], [`Service`], [`WebApplication`], [`ScheduledTask`], [`API`] |
//! | the same, their classes | [`ServiceClass`], [`WebApplicationClass`], [`ScheduledTaskClass`], [`APIClass`] |
//! | the same, in one environment | [`ServiceBinding`], [`WebApplicationBinding`], [`ScheduledTaskBinding`], [`APIBinding`], [`Release`] |
//! | the same, the older path | [`DeploymentTrack`], [`DeployableArtifact`], [`Deployment`], [`Endpoint`] |
//! | the same, what is done once | [`Build`], [`GitCommitRequest`] |
//!
//! Who uses it: the hub reads and writes these types, [`crds()`] makes the chart's definitions from them.
//!
//! What the types promise:
//! - **What OpenChoreo's clients send is taken**: nulls, empty strings and empty objects parse, and nothing that
//!   is optional there is required here. Where a schema differs on purpose, `docs/compatibility.md` says why.
//! - **One odd object is one error**: a list or watch of [`Stored`] objects reads any, and [`parse()`] says which one
//!   is odd and what is wrong with it.
//! - **No schema of what travels has a default**: the API server adds nothing to the `spec` of a Release or Bundle, so
//!   its content is the same in every version of the hub. Other kinds have the defaults that OpenChoreo gave them, and
//!   no others.
//!
//! A Release's or Bundle's `spec` travels to planes as the API server returned it, never through these types:
//! they are for looking into it.

#![expect(
    clippy::duplicated_attributes,
    reason = "two printer columns of one kind are often of one type"
)]

mod api;
mod api_class;
mod api_policy;
pub mod application;
mod build;
mod build_plane;
mod build_template;
mod bundle;
mod component;
pub mod conditions;
mod configuration_group;
mod data_plane;
mod definitions;
mod delivery;
mod deployable_artifact;
mod deployment;
mod deployment_track;
mod endpoint;
mod endpoint_access;
pub mod endpoint_policy;
mod env_var;
mod environment;
mod exposed_api;
mod git_commit_request;
mod kubernetes_cluster;
pub mod names;
mod observer;
mod organization;
mod owner;
mod parse;
mod plane;
mod project;
mod release;
mod scheduled_task;
mod schemas;
mod service;
mod status;
mod stored;
mod vocabulary;
mod web_application;
mod workload;

pub use k8s_openapi::api::core::v1::Namespace;
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

pub use api::{API, APIBinding, APIBindingSpec, APISpec, APIStatus};
pub use api_class::{APIClass, APIClassSpec, GrpcPolicy, RestPolicy};
pub use api_policy::{
    AddressRules, ApiKey, ApiPolicy, Authentication, AuthenticationType, CircuitBreaker, Cors, Jwt,
    Mediation, OAuth2, RateLimit, Transformation,
};
pub use build::{Build, BuildRepository, BuildRevision, BuildSpec, BuildStatus, BuiltImage};
pub use build_plane::{BuildPlane, BuildPlaneSpec};
pub use build_template::{BuildTemplateRef, TemplateParameter};
pub use bundle::{Bundle, BundleSpec, Lifecycle};
pub use component::{
    Component, ComponentBuild, ComponentRepository, ComponentRevision, ComponentSpec, ComponentType,
};
pub use configuration_group::{
    Configuration, ConfigurationGroup, ConfigurationGroupSpec, ConfigurationValue, EnvironmentGroup,
};
pub use data_plane::{DataPlane, DataPlaneSpec, ImageRegistry, VirtualHosts};
pub use definitions::{crds, to_yaml};
pub use delivery::{
    BundleObject, DeliveredContent, DeliveryStatus, InventoryEntry, ResourceStatus, SessionTerm,
};
pub use deployable_artifact::{
    ArtifactBuild, ArtifactConfiguration, ArtifactImage, Dependencies, DeployableArtifact,
    DeployableArtifactSpec, EndpointTemplate, TargetArtifact, TemplateMetadata,
};
pub use deployment::{ConfigurationOverrides, Deployment, DeploymentSpec, EndpointOverride};
pub use deployment_track::{
    BuildConfiguration, Buildpack, DeploymentTrack, DeploymentTrackSpec, DockerBuild, TrackBuild,
};
pub use endpoint::{
    BackendAddress, BackendType, ComponentPort, Endpoint, EndpointAddressStatus, EndpointBackend,
    EndpointSpec, NetworkVisibilities, NetworkVisibility,
};
pub use endpoint_access::{EndpointAccess, EndpointBindingStatus, EndpointStatus};
pub use env_var::{EnvVar, KeyReference, ValueSource};
pub use environment::{Environment, EnvironmentGateway, EnvironmentSpec, GatewaySecurity, RemoteJwks};
pub use exposed_api::{ExposeLevel, ExposedApi, RestApi, RestBackend};
pub use git_commit_request::{
    CommitAuthor, CommitPhase, FileEdit, GitCommitRequest, GitCommitRequestSpec, GitCommitRequestStatus,
};
pub use kubernetes_cluster::{ClusterAuth, ClusterTls, CredentialValue, KubernetesCluster, MutualTls};
pub use observer::{BasicAuth, Observer, ObserverAuthentication};
pub use organization::{Organization, OrganizationSpec, OrganizationStatus};
pub use owner::{ComponentOwner, ProjectOwner};
pub use parse::{InvalidObject, parse};
pub use plane::{
    Admission, AdmittedKind, OrphanDecision, OrphanKind, OrphanVerdict, Plane, PlanePolicy, PlaneSpec,
    PlaneStatus, PolicyConfirmations, PolicyMode,
};
pub use project::{
    DeploymentPipeline, DeploymentPipelineSpec, Project, ProjectSpec, PromotionPath, PromotionTarget,
};
pub use release::{Release, ReleaseSpec};
pub use scheduled_task::{
    ScheduledTask, ScheduledTaskBinding, ScheduledTaskBindingSpec, ScheduledTaskClass,
    ScheduledTaskClassSpec, ScheduledTaskSpec,
};
pub use service::{Service, ServiceBinding, ServiceBindingSpec, ServiceClass, ServiceClassSpec, ServiceSpec};
pub use status::{ConditionStatus, NoStatus};
pub use stored::Stored;
pub use vocabulary::{ClassName, EndpointType, Open, ReleaseState};
pub use web_application::{
    WebApplication, WebApplicationBinding, WebApplicationBindingSpec, WebApplicationClass,
    WebApplicationClassSpec, WebApplicationSpec,
};
pub use workload::{
    Connection, ConnectionInjection, ConnectionType, Container, EndpointSchema, InjectedVariable, Workload,
    WorkloadEndpoint, WorkloadSpec, WorkloadTemplate,
};
