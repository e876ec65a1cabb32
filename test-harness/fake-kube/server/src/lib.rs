//! The embedded Kubernetes API as a tower service and on a TLS port, with controllers that stand in for the real ones.
//!
//! [`FakeKube`] is one cluster. Tests, the demo and the bench start one in a few milliseconds, talk to it in-process
//! ([`FakeKube::client`]) or over TLS ([`FakeKube::kubeconfig`]), take its network away and give it back
//! ([`FakeKube::stop_listening`], [`FakeKube::resume_listening`]), and let it misbehave ([`FakeKube::inject`]: the faults
//! are in [`Fault`], and follow from a seed). Workloads progress with [`Options::standins`].
//!
//! The rules are in `outhaul-fake-kube-core`. Here a short-lived lock guards that pure state; it is never held across
//! an await, and answers are encoded outside of it. Every task belongs to the [`FakeKube`] and ends with it.

mod authority;
mod background;
mod body;
mod clock;
mod engine;
mod fault;
mod install;
mod kube_config;
mod listener;
mod port;
mod service;
mod setup;
mod watching;

pub use authority::IdentityError;
pub use body::ResponseBody;
pub use engine::Who;
pub use fault::{Fault, FaultRule};
pub use install::InstallError;
pub use outhaul_fake_kube_core::access::User;
pub use outhaul_fake_kube_core::kind::GroupResource;
pub use outhaul_fake_kube_core::request::Verb;
pub use outhaul_fake_kube_core::standins;
pub use service::ApiService;
pub use setup::{Backup, FakeKube, Options, StartError};
