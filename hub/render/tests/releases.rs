//! What Releases say, and why: whole ones against what OpenChoreo made of the same, and one case for each rule. All of
//! them are what real API servers take.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says enough when it fails, its helpers too"
)]

#[path = "releases/accepted.rs"]
mod accepted;
#[path = "releases/beside.rs"]
mod beside;
#[path = "releases/golden.rs"]
mod golden;
#[path = "releases/rules.rs"]
mod rules;
#[path = "releases/world.rs"]
mod world;
