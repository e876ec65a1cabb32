//! The hub of Outhaul: watches the control plane, serves the agents of planes, writes status back, answers REST.
//!
//! [`Hub::start`] runs it in this process, [`run`] until it is told to stop; `outhaul-hub` is the same behind flags.
//!
//! | part | does |
//! |---|---|
//! | `watch` | brings every resource that matters to the fleet |
//! | `fleet` | owns the one state, and carries out what it decides: writes, Events, messages to agents |
//! | `controllers` | makes bindings of components and Releases of bindings, while it holds the Lease |
//! | `gateway` | the port for agents: handshakes, enrolment, sessions |
//! | `deciding` | what becomes of orphans |
//! | `epoch` | the stored epoch: reads, raises and watches it |
//! | `confirming` | what operators confirm, written on its resource |
//! | `forgetting` | planes that will never return |
//! | `tokens` | one-time tokens and the certificates that agents get for them |
//! | [`rest`] | questions of people and scripts |
//!
//! What happens is decided in `outhaul-hub-core`; here it is carried. Parts are tasks that own their state and talk
//! through bounded channels; the fleet never waits for any of them. The first part that ends stops the others.

mod clock;
mod config;
mod confirming;
mod conflicts;
mod controllers;
mod deciding;
mod epoch;
mod fleet;
mod forgetting;
mod gateway;
mod git;
mod handle;
mod hub;
mod identity;
mod notes;
mod pinning;
mod random;
mod readiness;
pub mod rest;
mod tokens;
mod watch;

pub use config::Config;
pub use confirming::ConfirmError;
pub use controllers::{Progress, Written};
pub use deciding::DecideError;
pub use forgetting::ForgetError;
pub use handle::{FleetEvent, HubHandle, HubStopped};
pub use hub::{Hub, RunError, StartError, run};
pub use identity::IdentityError;
pub use outhaul_hub_render::{AsOpenChoreo, FIRST_ENVIRONMENT, is_label};
pub use readiness::{Check, Readiness};
pub use tokens::{AdmitRequest, DEFAULT_TTL, IssuedToken, TokenError, TokenRequest};
