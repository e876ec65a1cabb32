//! Many planes on one hub: a control plane that knows them, and agents that speak the real protocol without clusters
//! behind them.

pub mod control;
pub mod planes;

/// Name of the plane with this number, and of what belongs to it.
pub fn name(index: usize) -> String {
    format!("plane-{index:05}")
}
