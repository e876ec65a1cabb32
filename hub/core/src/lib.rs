//! The decisions of the hub, pure: which resource belongs on which plane, what its plane is told, what is written
//! back, and when.
//!
//! [`Fleet`] is the one state of the hub. One task drives it: events go in through its methods, [`Output`]s and the
//! sessions' messages come out. There is no clock, socket or task here; the time is an argument.
//!
//! Promises:
//! - **Absence never removes anything.** *Removed* is said only of a resource that has a deletionTimestamp and our
//!   finalizer. A key that is gone, a list that is empty or a link that broke takes nothing from a plane.
//! - **Written before it counts.** A resource is applied only after its finalizer and plane are written; it goes to
//!   another plane only after that is written; it is settled only after its finalizer is off.
//! - **Level-triggered.** What happens depends on the last state of a resource, not on the events that led to it:
//!   events may be repeated, merged or come in any order.
//! - **Converged means silent.** A plane that is as it should be, and a status that says so, cause no write.
//! - **A session sees its own plane.** What an agent says about a resource that is not in its queue changes nothing.

pub mod answer;
pub mod bulk;
mod condition;
pub mod confirmation;
pub mod controllers;
pub mod decision;
mod delivery;
pub mod explain;
mod fleet;
pub mod kinds;
pub mod listing;
mod now;
mod output;
mod pace;
mod plane;
mod policy;
pub mod reason;
pub mod request;
pub mod resource;
pub mod routing;
mod sight;
mod status;
#[cfg(test)]
mod testing;
mod verdict;
pub mod view;
pub mod waiting;

pub use fleet::{Dialer, Fleet, Origin, Settings};
pub use now::Now;
pub use output::{Change, Known, Note, Outcome, Output, SessionId, Subject, Write, WriteId};
pub use plane::{Judgement, PlaneRecord};
pub use sight::Sight;
pub use status::{MOVED, RAW_STATUS};
