//! The time of one cluster: that of the machine at its start, and what has passed for Tokio since. Where a test pauses
//! Tokio's time, timestamps, deadlines and schedules pause with it.

use jiff::{SignedDuration, Timestamp};
use outhaul_fake_kube_core::moment::Moment;
use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Timestamp,
    at: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started: Timestamp::now(),
            at: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.at.elapsed()).unwrap_or(SignedDuration::MAX);
        self.started.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The present, with fresh randomness.
    pub(crate) fn moment(&self) -> Moment {
        Moment::new(self.now(), rand::random())
    }
}
