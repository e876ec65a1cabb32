//! Hub, agents and clusters, whole: what operators will see, on embedded clusters and on real API servers.
#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on fails where it stands"
)]

mod blockers;
mod bulk;
mod chaos;
mod components;
mod credentials;
mod damage;
mod delivery;
mod enrolment;
mod handover;
mod held;
mod incidents;
mod inherited;
mod interruptions;
mod limits;
mod once;
mod organization;
mod policy;
mod predecessor;
mod quiet;
mod refused;
mod support;
mod takeover;
