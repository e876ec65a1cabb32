//! From what people write to what planes run, pure: custom resources in, child resources out.
//!
//! | controller | reads | makes | |
//! |---|---|---|---|
//! | [`service`], [`web_application`], [`scheduled_task`] | the component's resource, its Workload | its binding | `binding` |
//! | [`service_binding`], [`web_application_binding`], [`scheduled_task_binding`] | the binding, its class, what its APIs and connections name | its Release | `release` |
//! | [`git_commit`] | a GitCommitRequest and the files that it names | what becomes of each | `edited` |
//! | [`api_binding`] | the binding, its API and class | its Release, without objects | `release` |
//!
//! Who drives it: the controllers of the hub. Each function says what its inputs are, so that a controller knows what to
//! watch, and returns what is to be written as a [`Change`]; [`readiness`] and `endpoints` say what a binding's status is
//! to say. Doing it twice changes nothing.
//!
//! What is made here is compared object by object with what OpenChoreo makes of the same input: names, labels, ids and
//! the presence of fields are part of the contract. Where it draws lots (it walks maps in random order), this crate
//! goes by key. `docs/compatibility.md` lists what differs on purpose.
//!
//! No error takes anything away. What is wrong with a whole binding is a [`RenderError`], and its Release stays as it
//! is; what is wrong with one object is a [`Problem`] beside the others, and that object stays as it is stored.

pub mod api_binding;
mod as_openchoreo;
mod binding;
pub mod build_name;
mod change;
mod class;
mod component;
mod connection;
mod container;
mod cron_job;
mod deployment;
mod domain;
mod draft;
mod duration;
mod endpoints;
mod exposure;
pub mod git_commit;
mod http_route;
mod labels;
mod merge;
mod name;
mod order;
mod path;
mod policies;
mod problem;
mod quantity;
pub mod readiness;
pub mod reason;
mod release;
pub mod scheduled_task;
pub mod scheduled_task_binding;
pub mod service;
pub mod service_binding;
mod service_object;
mod template;
pub mod web_application;
pub mod web_application_binding;

pub use as_openchoreo::AsOpenChoreo;
pub use change::{Change, NotOurs};
pub use component::FIRST_ENVIRONMENT;
pub use connection::{TargetKey, Targets};
pub use domain::{Domains, ORGANIZATION_DOMAIN, PUBLIC_DOMAIN};
pub use name::is_label;
pub use problem::{ClassKind, Problem, RenderError, Warning};
pub use release::{Rendered, Wanted, unrendered};
