//! When a status is written: the first change of an object at once, later ones merged for a second.
//!
//! Objects of one resource arrive in their plane within milliseconds of each other. While some of them are still to
//! come, the first word waits for the others, but not for long: one write then says it all.
//!
//! A status has an entry for each object, and a write of it costs an API server about half a millisecond of CPU for each
//! entry: the status of a hundred objects costs as much as applying twenty of them. So writes of long lists keep further
//! apart; those of short ones hardly notice.

use core::time::Duration;
use std::collections::BTreeMap;

use outhaul_protocol_wire::limits;

/// How long further changes of an object wait for each other. A rollout changes a Deployment a dozen times within
/// seconds; people and controllers that read the status need the first word and the last.
pub(crate) const MERGE: Duration = Duration::from_secs(1);

/// How long the first objects of a list wait for the others, for each object that it has. They are applied within
/// milliseconds of each other, and a write between them would only hold up the one that says it all. A hundred times
/// what the entry costs: so a list that grows takes a hundredth of a core.
const GATHER: Duration = Duration::from_millis(50);

/// How long the longest list waits for the rest: somebody may look at it.
const LONGEST_GATHER: Duration = Duration::from_secs(5);

/// How far apart first changes of different objects are written, for each object of the list, up to [`MERGE`]: one
/// twentieth of a core where all of them change all the time.
const APART: Duration = Duration::from_millis(10);

/// Objects whose last change is remembered: all of the largest resource, and its leftovers.
const RECENT: usize = limits::OBJECTS + 1;

/// The list that an object belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    /// How many objects it has.
    pub(crate) objects: usize,
    /// Whether each of them has been heard of.
    pub(crate) complete: bool,
}

/// The pace of one resource.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    recent: BTreeMap<String, Duration>,
    /// When a write is due that does not wait for [`MERGE`].
    soon: Option<Duration>,
    last: Duration,
}

impl Pace {
    /// An object, by id, of a list changed.
    pub(crate) fn changed(&mut self, id: &str, list: List, now: Duration) {
        if self.recent.len() >= RECENT {
            self.forget_older(now);
        }
        if self.recent.len() >= RECENT {
            return self.not_after(now + MERGE);
        }
        let known = self.recent.insert(id.to_owned(), now);
        if known.is_none_or(|before| before + MERGE <= now) {
            self.not_after(match list.complete {
                true => now.max(self.last + list.apart()),
                false => now + list.gather(),
            });
        }
    }

    /// A list is there in which objects are still to come, whether or not any has. That they are expected is no news; but
    /// where they do not come, somebody should be able to see so.
    pub(crate) fn expects(&mut self, list: List, now: Duration) {
        if self.soon.is_none() {
            self.soon = Some((now + list.gather()).max(self.last + MERGE));
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

impl List {
    fn gather(self) -> Duration {
        GATHER.saturating_mul(self.length()).min(LONGEST_GATHER)
    }

    fn apart(self) -> Duration {
        APART.saturating_mul(self.length()).min(MERGE)
    }

    fn length(self) -> u32 {
        u32::try_from(self.objects).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: List = List {
        objects: 3,
        complete: true,
    };
    const SOME: List = List {
        objects: 3,
        complete: false,
    };

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_change_of_each_object_is_due_at_once() {
        let mut pace = Pace::default();
        pace.changed("a", ALL, ms(5_000));
        assert_eq!(pace.due(), ms(5_000));
        pace.wrote(ms(5_001));
        pace.changed("b", ALL, ms(5_100));
        assert_eq!(pace.due(), ms(5_100));
    }

    #[test]
    fn the_first_word_waits_a_little_for_objects_that_are_still_to_come() {
        let mut pace = Pace::default();
        pace.changed("a", SOME, ms(5_000));
        assert_eq!(pace.due(), ms(5_150));
        pace.changed("b", SOME, ms(5_010));
        assert_eq!(pace.due(), ms(5_150), "it does not wait longer for more");
        pace.changed("c", ALL, ms(5_020));
        assert_eq!(pace.due(), ms(5_020));
    }

    #[test]
    fn longer_lists_are_written_less_often_until_they_are_complete() {
        let list = |objects, complete| List { objects, complete };
        let due = |objects| {
            let mut pace = Pace::default();
            pace.changed("a", list(objects, false), ms(5_000));
            pace.due()
        };
        assert_eq!(
            [1, 3, 100, 1_000].map(due),
            [5_050, 5_150, 10_000, 10_000].map(ms)
        );
        let mut pace = Pace::default();
        pace.changed("a", list(100, false), ms(5_000));
        pace.changed("b", list(100, true), ms(5_500));
        assert_eq!(pace.due(), ms(5_500), "the last object is not waited for");
    }

    #[test]
    fn that_objects_are_expected_waits_for_them() {
        let mut pace = Pace::default();
        pace.wrote(ms(1_000));
        pace.expects(SOME, ms(5_000));
        assert_eq!(pace.due(), ms(5_150), "the last write was long ago");
        pace.changed("a", SOME, ms(5_100));
        assert_eq!(pace.due(), ms(5_150), "it does not wait longer for more");
        pace.wrote(ms(5_150));
        pace.expects(SOME, ms(5_200));
        assert_eq!(pace.due(), ms(6_150));
        pace.changed("b", ALL, ms(5_300));
        assert_eq!(pace.due(), ms(5_300));
    }

    #[test]
    fn objects_of_a_long_list_that_change_one_after_the_other_are_written_together() {
        let due = |objects| {
            let list = List {
                objects,
                complete: true,
            };
            let mut pace = Pace::default();
            pace.changed("a", list, ms(5_000));
            pace.wrote(ms(5_000));
            pace.changed("b", list, ms(5_010));
            pace.due()
        };
        assert_eq!([1, 3, 100, 1_000].map(due), [5_010, 5_030, 6_000, 6_000].map(ms));
    }

    #[test]
    fn invented_objects_are_neither_remembered_nor_hurried() {
        let mut pace = Pace::default();
        for id in 0..RECENT {
            pace.changed(&id.to_string(), ALL, ms(5_000));
        }
        pace.unchanged();
        pace.changed("one more", ALL, ms(5_100));
        assert_eq!((pace.recent.len(), pace.due()), (RECENT, ms(6_100)));
        pace.changed("one more", ALL, ms(6_050));
        assert_eq!((pace.recent.len(), pace.due()), (1, ms(6_050)));
    }

    #[test]
    fn later_changes_wait_for_a_second_after_the_last_write_however_many_they_are() {
        let mut pace = Pace::default();
        pace.changed("a", ALL, ms(5_000));
        pace.wrote(ms(5_000));
        for now in [5_100, 5_500, 5_900] {
            pace.changed("a", ALL, ms(now));
            assert_eq!(pace.due(), ms(6_000));
        }
        pace.wrote(ms(6_000));
        pace.changed("a", ALL, ms(7_500));
        assert_eq!(pace.due(), ms(7_500));
    }
}
