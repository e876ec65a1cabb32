//! The two clocks of a machine, read at one moment: one that only goes forward and starts anew with the machine, and one
//! that survives a restart and that people set.

use core::time::Duration;
use std::time::Instant;

/// Both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The one that only goes forward.
    pub now: Instant,
    /// Seconds since 1970, by the one that people set.
    pub unix: u64,
}

impl Clock {
    /// A moment as it is written down: rounded so that it never reads as longer ago than it was.
    pub fn to_unix(self, at: Instant) -> u64 {
        let age = self.now.saturating_duration_since(at).as_secs();
        let ahead = at.saturating_duration_since(self.now).as_secs();
        (self.unix + 1 + ahead).saturating_sub(age)
    }

    /// A moment that was written down. It may be one that is still to come, where somebody set the clock back.
    pub fn of_unix(self, unix: u64) -> Instant {
        let age = Duration::from_secs(self.unix.saturating_sub(unix));
        let ahead = Duration::from_secs(unix.saturating_sub(self.unix));
        let before = self.now.checked_sub(age).unwrap_or(self.now);
        before.checked_add(ahead).unwrap_or(before)
    }
}
