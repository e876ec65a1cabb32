//! The decisions of the agent, pure.

pub mod blocker;
pub mod drift;
pub mod fight;
pub mod health;
pub mod labels;
pub mod live;
pub mod manifest;
pub mod pace;
pub mod retry;
pub mod stage;

#[cfg(test)]
mod testing;
