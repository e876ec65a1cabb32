//! The fleet, driven through its public face: a control plane in memory that answers its writes, and agents that say
//! what a test has them say.

#![expect(clippy::unwrap_used, reason = "the helpers are test code as well")]

mod agent;
mod bulk;
mod connecting;
mod delivering;
mod finding;
mod held;
mod leaving;
mod moving;
mod orders;
mod orphans;
mod overtaking;
mod policy;
mod refusing;
mod releases;
mod removing;
mod reporting;
mod restarting;
mod restoring;
mod vouching;
mod world;
