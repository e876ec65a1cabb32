//! What travels between hub and agent: ids, heads, messages, frames, digests and their limits.
//!
//! Both ends link this crate and nothing else of each other. It is pure: bytes in, values out. It has no
//! sockets, clock or randomness, so the same bytes always mean the same thing.
//!
//! Promises:
//! - damaged input is an error, never a panic, and never allocates more than the limit of its frame;
//! - every list, string and frame has a named bound in [`limits`];
//! - the byte form of each message is pinned by snapshots: changing it means a new [`version`].

pub mod canonical;
pub mod codec;
pub mod confirmation;
pub mod content;
pub mod depth;
pub mod digest;
pub mod enrolment;
pub mod frame;
pub mod head;
pub mod ids;
pub mod limits;
pub mod message;
pub mod object;
pub mod pattern;
pub mod policy;
pub mod report;
pub mod root;
pub mod spec;
pub mod token;
pub mod version;
pub mod witness;
