//! When a status is written: the first change of an object at once, later ones merged for a second.

use core::time::Duration;
use std::collections::BTreeMap;

/// How long further changes of an object wait for each other. A rollout changes a Deployment a dozen times within
/// seconds; people and controllers that read the status need the first word and the last.
pub(crate) const MERGE: Duration = Duration::from_secs(1);

/// The pace of one resource.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    recent: BTreeMap<String, Duration>,
    urgent: bool,
    last: Duration,
}

impl Pace {
    /// An object, by id, changed.
    pub(crate) fn changed(&mut self, id: &str, now: Duration) {
        let known = self.recent.insert(id.to_owned(), now);
        if known.is_none_or(|before| before + MERGE <= now) {
            self.urgent = true;
        }
    }

    /// The next write cannot wait.
    pub(crate) fn hurry(&mut self) {
        self.urgent = true;
    }

    /// When a changed status is due.
    pub(crate) fn due(&self, now: Duration) -> Duration {
        match self.urgent {
            true => now,
            false => self.last + MERGE,
        }
    }

    /// The status is on its way.
    pub(crate) fn wrote(&mut self, now: Duration) {
        self.urgent = false;
        self.last = now;
        self.recent.retain(|_, changed| *changed + MERGE > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_change_of_each_object_is_due_at_once() {
        let mut pace = Pace::default();
        pace.changed("a", ms(5_000));
        assert_eq!(pace.due(ms(5_000)), ms(5_000));
        pace.wrote(ms(5_001));
        pace.changed("b", ms(5_100));
        assert_eq!(pace.due(ms(5_100)), ms(5_100));
    }

    #[test]
    fn later_changes_wait_for_a_second_after_the_last_write_however_many_they_are() {
        let mut pace = Pace::default();
        pace.changed("a", ms(5_000));
        pace.wrote(ms(5_000));
        for now in [5_100, 5_500, 5_900] {
            pace.changed("a", ms(now));
            assert_eq!(pace.due(ms(now)), ms(6_000));
        }
        pace.wrote(ms(6_000));
        pace.changed("a", ms(7_500));
        assert_eq!(pace.due(ms(7_500)), ms(7_500));
    }
}
