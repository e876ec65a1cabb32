//! The kinds that lead from a Component to its Releases, those that a platform consists of, and requests for
//! commits.

use std::fmt;

use kube::core::ApiResource;
use outhaul_hub_resources as resources;
use outhaul_hub_resources::{InvalidObject, Stored, parse};

macro_rules! kinds {
    ($($kind:ident: $type:ident,)*) => {
        /// A kind that is read to make bindings and Releases, or is made, or of which something is said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = concat!("`", stringify!($type), "`.")] $kind,)*
        }

        /// An object of one of these kinds.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Object {
            $(#[doc = concat!("`", stringify!($type), "`.")] $kind(Box<resources::$type>),)*
        }

        impl Kind {
            /// All of them, those first that others are made of.
            pub const ALL: [Self; [$(Self::$kind),*].len()] = [$(Self::$kind),*];

            /// How the API server addresses it.
            pub fn resource(self) -> ApiResource {
                match self {
                    $(Self::$kind => ApiResource::erase::<resources::$type>(&()),)*
                }
            }

            /// The kind as objects name it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($type),)*
                }
            }
        }

        impl Object {
            pub(super) fn read(kind: Kind, stored: &Stored) -> Result<Self, InvalidObject> {
                Ok(match kind {
                    $(Kind::$kind => Self::$kind(Box::new(parse(stored)?)),)*
                })
            }

            pub(super) fn metadata(&self) -> &kube::core::ObjectMeta {
                match self {
                    $(Self::$kind(object) => &object.metadata,)*
                }
            }

            pub(super) fn metadata_mut(&mut self) -> &mut kube::core::ObjectMeta {
                match self {
                    $(Self::$kind(object) => &mut object.metadata,)*
                }
            }
        }

        $(impl Watched for resources::$type {
            const KIND: Kind = Kind::$kind;

            fn of(object: &Object) -> Option<&Self> {
                match object {
                    Object::$kind(object) => Some(object),
                    _ => None,
                }
            }
        })*
    };
}

/// The type of a [`Kind`].
pub trait Watched: Sized {
    /// Its kind.
    const KIND: Kind;

    /// The object, if it is of this type.
    fn of(object: &Object) -> Option<&Self>;
}

kinds! {
    ApiClass: APIClass,
    ServiceClass: ServiceClass,
    WebApplicationClass: WebApplicationClass,
    ScheduledTaskClass: ScheduledTaskClass,
    Workload: Workload,
    Api: API,
    Release: Release,
    ServiceBinding: ServiceBinding,
    WebApplicationBinding: WebApplicationBinding,
    ScheduledTaskBinding: ScheduledTaskBinding,
    ApiBinding: APIBinding,
    Service: Service,
    WebApplication: WebApplication,
    ScheduledTask: ScheduledTask,
    Namespace: Namespace,
    Plane: Plane,
    DataPlane: DataPlane,
    BuildPlane: BuildPlane,
    Environment: Environment,
    DeploymentPipeline: DeploymentPipeline,
    Project: Project,
    Component: Component,
    Organization: Organization,
    ConfigurationGroup: ConfigurationGroup,
    GitCommitRequest: GitCommitRequest,
}

impl Kind {
    /// Whether objects of this kind are looked at: something is made of them, or said of them.
    pub fn is_key(self) -> bool {
        match self {
            Self::Service
            | Self::WebApplication
            | Self::ScheduledTask
            | Self::ServiceBinding
            | Self::WebApplicationBinding
            | Self::ScheduledTaskBinding
            | Self::ApiBinding
            | Self::Api
            | Self::Release
            | Self::DataPlane
            | Self::BuildPlane
            | Self::Environment
            | Self::DeploymentPipeline
            | Self::Project
            | Self::Component
            | Self::Organization
            | Self::ConfigurationGroup
            | Self::GitCommitRequest => true,
            Self::ApiClass
            | Self::ServiceClass
            | Self::WebApplicationClass
            | Self::ScheduledTaskClass
            | Self::Workload
            | Self::Namespace
            | Self::Plane => false,
        }
    }

    /// Whether `status.observedGeneration` of this kind is the generation that was looked at: OpenChoreo's APIs have no such
    /// field, and that of a Release is what its plane reported on.
    pub(super) fn observes(self) -> bool {
        !matches!(self, Self::Api | Self::Release)
    }

    /// What must have been listed before an object of this kind is looked at: all that it is decided from.
    pub(super) fn needs(self) -> &'static [Self] {
        match self {
            Self::Service => &[Self::Workload, Self::ServiceBinding],
            Self::WebApplication => &[Self::Workload, Self::WebApplicationBinding],
            Self::ScheduledTask => &[Self::Workload, Self::ScheduledTaskBinding],
            Self::ServiceBinding => &[
                Self::ServiceClass,
                Self::ApiClass,
                Self::ServiceBinding,
                Self::Release,
            ],
            Self::WebApplicationBinding => &[Self::WebApplicationClass, Self::ServiceBinding, Self::Release],
            Self::ScheduledTaskBinding => &[Self::ScheduledTaskClass, Self::Release],
            Self::ApiBinding => &[Self::Api, Self::ApiClass, Self::Release],
            Self::DataPlane | Self::BuildPlane => &[Self::Plane],
            Self::Environment => &[Self::DataPlane, Self::Plane],
            Self::DeploymentPipeline => &[Self::Environment],
            Self::Project => &[Self::DeploymentPipeline, Self::Organization],
            Self::Component => &[Self::Project],
            Self::Organization => &[Self::Namespace],
            Self::GitCommitRequest
            | Self::ConfigurationGroup
            | Self::ApiClass
            | Self::ServiceClass
            | Self::WebApplicationClass
            | Self::ScheduledTaskClass
            | Self::Workload
            | Self::Api
            | Self::Release
            | Self::Namespace
            | Self::Plane => &[],
        }
    }

    /// Kinds of which an object may run the component that one of this kind runs, where either gets what is for the other.
    /// A look does not wait for their lists: what is said of them is a warning.
    pub(super) fn twins(self) -> &'static [Self] {
        match self {
            Self::ServiceBinding | Self::WebApplicationBinding => &[
                Self::ServiceBinding,
                Self::WebApplicationBinding,
                Self::ScheduledTaskBinding,
            ],
            // Their pods are found by others, and they find none.
            Self::ScheduledTaskBinding => &[Self::ServiceBinding, Self::WebApplicationBinding],
            _ => &[],
        }
    }

    /// Whether a platform consists of it: something is said of it, and nothing is made of it.
    pub fn is_platform(self) -> bool {
        matches!(
            self,
            Self::DataPlane
                | Self::BuildPlane
                | Self::Environment
                | Self::DeploymentPipeline
                | Self::Project
                | Self::Component
                | Self::Organization
                | Self::ConfigurationGroup
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
