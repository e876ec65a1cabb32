//! Measurements, each beside its floor in the same run.
//!
//! A number without a floor says as much about the machine as about the program. So every measure of Outhaul stands
//! beside a measure of the least that could do the same, taken in turns with it on the same API servers. What is
//! measured runs in processes of its own, so that CPU and memory can be told apart.

pub mod arguments;
pub mod arrivals;
pub mod burst;
pub mod components;
pub mod course;
pub mod crowd;
pub mod delivered;
pub mod drift;
pub mod feedback;
pub mod fleet;
pub mod floor;
pub mod latency;
pub mod machine;
pub mod measure;
pub mod memory;
pub mod outcome;
pub mod process;
pub mod programs;
pub mod requests;
pub mod restart;
pub mod rounds;
pub mod sample;
pub mod soak;
pub mod stats;
pub mod table;
pub mod throughput;
pub mod verdict;
pub mod watching;
pub mod worker;
