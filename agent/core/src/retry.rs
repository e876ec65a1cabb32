//! When to try one object again that failed for a reason of its own.

use core::time::Duration;
use std::time::Instant;

/// The first wait: short, since much of what fails heals by itself (a kind that is not served yet, a webhook that
/// starts).
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait. An object that stays wrong costs one request a minute.
const LAST: Duration = Duration::from_secs(60);

/// Failures in a row, and when the next attempt is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retry {
    failures: u32,
    due: Option<Instant>,
}

impl Retry {
    /// Counts a failure.
    pub fn failed(&mut self, now: Instant) {
        let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LAST);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + wait);
    }

    /// Forgets all failures.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Something changed that may help: the next attempt is due at once.
    pub fn hurry(&mut self) {
        self.due = None;
    }

    /// When the next attempt is due, if it had to wait at all.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// When the next attempt is due, if not now.
    pub fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.due.filter(|due| *due > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_end_early_when_something_changed() {
        let (mut retry, now) = (Retry::default(), Instant::now());
        assert_eq!(retry.waits_until(now), None);
        let waits: Vec<_> = (0..10)
            .map(|_| {
                retry.failed(now);
                retry.waits_until(now).unwrap() - now
            })
            .collect();
        assert_eq!(waits[..3], [250, 500, 1000].map(Duration::from_millis));
        assert_eq!(waits[9], LAST);
        retry.hurry();
        assert_eq!(retry.waits_until(now), None);
        retry.failed(now);
        assert_eq!(retry.waits_until(now), Some(now + LAST));
    }
}
