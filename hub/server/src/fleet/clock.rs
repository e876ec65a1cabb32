//! The clocks that the fleet is told the time from.

use std::time::Duration;

use jiff::Timestamp;
use outhaul_hub_core::Now;
use tokio::time::Instant;

/// Further away than anything the hub waits for.
const FAR: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Clock {
    started: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            uptime: self.started.elapsed(),
            wall: Timestamp::now(),
        }
    }

    /// When a deadline of the fleet is.
    pub(super) fn instant(&self, uptime: Option<Duration>) -> Instant {
        match uptime {
            Some(uptime) => self.started + uptime,
            None => Instant::now() + FAR,
        }
    }
}
