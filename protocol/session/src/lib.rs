//! Both ends of one connection between a hub and an agent, as state machines without IO.
//!
//! [`hub::Session`] is embedded in the hub's state of one plane, [`agent::Session`] in the agent's. Each is driven
//! the same way: hand every message of the control stream to `handle`, act on what comes back, and send what
//! `poll_transmit` gives whenever the stream has room. A session keeps no copy of heads or reports. It remembers
//! *which* keys the peer does not know yet, and reads the newest state of a key when its message is built: on a slow
//! link the newest wins, and what waits is bounded by the number of resources.
//!
//! Promises, each checked by `tests/simulation.rs`:
//! - a converged reconnect is one message each way;
//! - at most [`UNACKNOWLEDGED`](outhaul_protocol_wire::limits::UNACKNOWLEDGED) heads are unacknowledged;
//! - the version of a key never goes back on a plane;
//! - once faults heal and edits stop, both roots are equal on both ends;
//! - no message is larger than its frame, whatever the content.
//!
//! Time and randomness are arguments; there is no clock, task or socket here.

pub mod agent;
pub mod hub;
mod pack;
pub mod redial;
pub mod term;
mod violation;

pub use violation::Violation;
