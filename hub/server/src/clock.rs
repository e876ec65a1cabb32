//! The clocks that the pure parts of the hub are told the time from.

use std::time::Duration;

use jiff::Timestamp;
use outhaul_hub_core::Now;
use tokio::time::Instant;

/// Further away than anything the hub waits for.
const FAR: Duration = Duration::from_secs(24 * 3600);

pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            uptime: self.started.elapsed(),
            wall: Timestamp::now(),
        }
    }

    /// When a deadline is.
    pub(crate) fn instant(&self, uptime: Option<Duration>) -> Instant {
        match uptime {
            Some(uptime) => self.started + uptime,
            None => Instant::now() + FAR,
        }
    }
}
