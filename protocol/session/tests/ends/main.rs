//! Each end of a session on its own: one test per edge.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic like the test")]

mod agent;
mod fixture;
mod hub;
