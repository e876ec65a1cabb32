//! The decisions of the agent, pure: plan, order, inventory, tracking labels, health and pace.
//!
//! [`plane::Plane`] is the whole of it. It is driven by `outhaul-agent-runner`, which does what it says and tells what
//! happened. The other modules are the rules it follows, one question each. There is no clock, no randomness, no
//! socket and no task here: the same inputs give the same decisions.

pub mod adoption;
pub mod blocker;
pub mod budget;
pub mod claims;
pub mod clock;
pub mod content;
pub mod departing;
pub mod desired;
pub mod drift;
pub mod ensure;
mod field;
pub mod fight;
pub mod guards;
pub mod health;
pub mod held;
pub mod item;
pub mod kinds;
pub mod labels;
pub mod live;
pub mod manifest;
pub mod namespaces;
mod number;
pub mod object;
pub mod once;
pub mod pace;
pub mod pin;
pub mod plane;
pub mod policy;
pub mod record;
pub mod retry;
pub mod shallow;
pub mod stage;
pub mod sweep;

#[cfg(test)]
mod testing;
