//! The embedded API through the client that the product uses.

#![expect(
    clippy::unwrap_used,
    reason = "an answer that is not as it should be fails the test"
)]

mod access;
mod chaos;
mod custom_kinds;
mod faults;
mod lifecycle;
mod objects;
mod support;
mod watches;
