//! Hub and agent, each as a process: the same code as the real binaries, with the same runtime.

pub mod agent;
pub mod hub;
