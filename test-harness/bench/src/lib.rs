//! Measurements, each beside its floor in the same run.
//!
//! A number without a floor says as much about the machine as about the program. So every measure of Outhaul stands
//! beside a measure of the least that could do the same, taken in turns with it on the same API servers.

pub mod latency;
pub mod measure;
pub mod relay;
pub mod sample;
pub mod stats;
pub mod watching;
