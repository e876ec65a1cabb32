//! When a status is written: the first change of an object at once, later ones merged for a second.
//!
//! Objects of one resource arrive in their plane within milliseconds of each other. While some of them are still to
//! come, the first word waits for the others, but not for long: one write then says it all.

use core::time::Duration;
use std::collections::BTreeMap;

use outhaul_protocol_wire::limits;

/// How long further changes of an object wait for each other. A rollout changes a Deployment a dozen times within
/// seconds; people and controllers that read the status need the first word and the last.
pub(crate) const MERGE: Duration = Duration::from_secs(1);

/// How long the first objects of a list wait for the others. They are applied within milliseconds of each other, and a
/// write between them would only hold up the one that says it all.
pub(crate) const GATHER: Duration = Duration::from_millis(50);

/// Objects whose last change is remembered: all of the largest resource, and its leftovers.
const RECENT: usize = limits::OBJECTS + 1;

/// The pace of one resource.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    recent: BTreeMap<String, Duration>,
    /// When a write is due that does not wait for [`MERGE`].
    soon: Option<Duration>,
    last: Duration,
}

impl Pace {
    /// An object, by id, changed; `complete` says whether every object of its list has been heard of.
    pub(crate) fn changed(&mut self, id: &str, complete: bool, now: Duration) {
        if self.recent.len() >= RECENT {
            self.forget_older(now);
        }
        if self.recent.len() >= RECENT {
            return self.not_after(now + MERGE);
        }
        let known = self.recent.insert(id.to_owned(), now);
        if known.is_none_or(|before| before + MERGE <= now) {
            self.not_after(match complete {
                true => now,
                false => now + GATHER,
            });
        }
    }

    /// The next write cannot wait.
    pub(crate) fn hurry(&mut self) {
        self.not_after(Duration::ZERO);
    }

    /// When a changed status is due.
    pub(crate) fn due(&self) -> Duration {
        self.soon.unwrap_or(self.last + MERGE)
    }

    /// The status is on its way.
    pub(crate) fn wrote(&mut self, now: Duration) {
        self.soon = None;
        self.last = now;
        self.forget_older(now);
    }

    /// What was to be written turned out to be what is stored.
    pub(crate) fn unchanged(&mut self) {
        self.soon = None;
    }

    fn forget_older(&mut self, now: Duration) {
        self.recent.retain(|_, changed| *changed + MERGE > now);
    }

    fn not_after(&mut self, at: Duration) {
        self.soon = Some(self.soon.map_or(at, |soon| soon.min(at)));
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
        pace.changed("a", true, ms(5_000));
        assert_eq!(pace.due(), ms(5_000));
        pace.wrote(ms(5_001));
        pace.changed("b", true, ms(5_100));
        assert_eq!(pace.due(), ms(5_100));
    }

    #[test]
    fn the_first_word_waits_a_little_for_objects_that_are_still_to_come() {
        let mut pace = Pace::default();
        pace.changed("a", false, ms(5_000));
        assert_eq!(pace.due(), ms(5_050));
        pace.changed("b", false, ms(5_010));
        assert_eq!(pace.due(), ms(5_050), "it does not wait longer for more");
        pace.changed("c", true, ms(5_020));
        assert_eq!(pace.due(), ms(5_020));
    }

    #[test]
    fn invented_objects_are_neither_remembered_nor_hurried() {
        let mut pace = Pace::default();
        for id in 0..RECENT {
            pace.changed(&id.to_string(), true, ms(5_000));
        }
        pace.unchanged();
        pace.changed("one more", true, ms(5_100));
        assert_eq!((pace.recent.len(), pace.due()), (RECENT, ms(6_100)));
        pace.changed("one more", true, ms(6_050));
        assert_eq!((pace.recent.len(), pace.due()), (1, ms(6_050)));
    }

    #[test]
    fn later_changes_wait_for_a_second_after_the_last_write_however_many_they_are() {
        let mut pace = Pace::default();
        pace.changed("a", true, ms(5_000));
        pace.wrote(ms(5_000));
        for now in [5_100, 5_500, 5_900] {
            pace.changed("a", true, ms(now));
            assert_eq!(pace.due(), ms(6_000));
        }
        pace.wrote(ms(6_000));
        pace.changed("a", true, ms(7_500));
        assert_eq!(pace.due(), ms(7_500));
    }
}
