//! When to try one object again that failed for a reason of its own.

use core::time::Duration;
use std::time::Instant;

/// The first wait: short, since much of what fails heals by itself (a kind that is not served yet, a webhook that
/// starts).
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait where time may help. An object that stays wrong costs one request a minute.
const LAST: Duration = Duration::from_secs(60);

/// The longest wait where only a change helps, of what is wanted or of what is there. Changes are noticed; the ones that
/// are not, such as a port that somebody else gives up, are what it is tried for at all.
const LAST_LASTING: Duration = Duration::from_secs(600);

/// Failures in a row, and when the next attempt is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retry {
    failures: u32,
    due: Option<Instant>,
}

impl Retry {
    /// Counts a failure.
    pub fn failed(&mut self, now: Instant) {
        self.wait(now, LAST);
    }

    /// Counts a failure that lasts until something changes.
    pub fn failed_lastingly(&mut self, now: Instant) {
        self.wait(now, LAST_LASTING);
    }

    fn wait(&mut self, now: Instant, longest: Duration) {
        let wait = FIRST.saturating_mul(1 << self.failures.min(12)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + wait);
    }

    /// Something changed that may help, and may change again and again: the next attempt is due as soon as after any
    /// other failure.
    pub fn hasten(&mut self, now: Instant) {
        self.due = self.due.map(|due| due.min(now + LAST));
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

    #[test]
    fn what_lasts_is_tried_ever_less_up_to_ten_minutes_and_within_one_of_a_change() {
        let (mut retry, now) = (Retry::default(), Instant::now());
        (0..20).for_each(|_| retry.failed_lastingly(now));
        assert_eq!(retry.waits_until(now), Some(now + LAST_LASTING));
        retry.hasten(now);
        retry.hasten(now + LAST / 2);
        assert_eq!(retry.waits_until(now), Some(now + LAST));
    }
}
