//! The time, as the driver reads it from its clocks.

use core::time::Duration;

use jiff::Timestamp;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since the hub started; never goes back. Deadlines and ages are of this clock.
    pub uptime: Duration,
    /// The wall clock, for what people read.
    pub wall: Timestamp,
}
