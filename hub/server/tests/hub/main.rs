//! The whole hub in one process: an embedded control plane, and agents over real QUIC on loopback that say what a test
//! has them say.

#![expect(clippy::unwrap_used, reason = "the helpers are test code as well")]

mod commits;
mod controllers;
mod delivering;
mod enrolling;
mod failing;
mod forgetting;
mod hostile;
mod kubernetes;
mod plane;
mod platform;
mod program;
mod restarting;
mod restoring;
mod rig;
