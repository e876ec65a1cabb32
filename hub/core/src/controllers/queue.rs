//! What must be looked at: each key once, one look at a time, and again later where a look failed.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Id;

/// The first pause after a failure. Watches usually tell of what was outdated sooner.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause. What is refused for a minute is refused until somebody edits something, and that is an event.
const LONGEST: Duration = Duration::from_secs(60);

/// Keys that must be looked at.
#[derive(Debug, Default)]
pub(super) struct Queue {
    keys: BTreeMap<Id, State>,
    ready: VecDeque<Id>,
    timers: BTreeSet<(Duration, Id)>,
    failures: BTreeMap<Id, u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Running { again: bool },
    Resting { until: Duration },
}

impl Queue {
    /// Something about this key changed. A pause after a failure ends with it.
    pub(super) fn add(&mut self, id: Id) {
        match self.keys.get_mut(&id) {
            Some(State::Ready) => {}
            Some(State::Running { again }) => *again = true,
            Some(State::Resting { until }) => {
                let until = *until;
                self.timers.remove(&(until, id.clone()));
                self.make_ready(id);
            }
            None => self.make_ready(id),
        }
    }

    /// The next key to look at; it counts as being looked at until it is put down.
    pub(super) fn take(&mut self, now: Duration) -> Option<Id> {
        while let Some((until, _)) = self.timers.first()
            && *until <= now
            && let Some((_, id)) = self.timers.pop_first()
        {
            self.make_ready(id);
        }
        let id = self.ready.pop_front()?;
        self.keys.insert(id.clone(), State::Running { again: false });
        Some(id)
    }

    /// The look is over and all is well.
    pub(super) fn done(&mut self, id: &Id) {
        self.failures.remove(id);
        if self.keys.remove(id) == Some(State::Running { again: true }) {
            self.make_ready(id.clone());
        }
    }

    /// The look changed or learned something: look once more. That is not the end of what failed before.
    pub(super) fn again(&mut self, id: &Id) {
        self.make_ready(id.clone());
    }

    /// The look failed: look again after a pause, or at once where something changed meanwhile. Returns when.
    pub(super) fn failed(&mut self, id: &Id, at_least: Option<Duration>, now: Duration) -> Duration {
        let failures = self.failures.entry(id.clone()).or_default();
        let pause = pause(*failures).max(at_least.unwrap_or_default());
        *failures = failures.saturating_add(1);
        let until = now + pause;
        match self.keys.get(id) {
            Some(State::Running { again: true }) => self.make_ready(id.clone()),
            _ => {
                self.keys.insert(id.clone(), State::Resting { until });
                self.timers.insert((until, id.clone()));
            }
        }
        until
    }

    /// How often in a row this key failed.
    pub(super) fn failures(&self, id: &Id) -> u32 {
        self.failures.get(id).copied().unwrap_or_default()
    }

    /// Look at it at that time, or sooner where something changes. This is no failure.
    pub(super) fn rest(&mut self, id: &Id, until: Duration) {
        match self.keys.get(id) {
            Some(State::Running { again: true }) => self.make_ready(id.clone()),
            _ => {
                self.keys.insert(id.clone(), State::Resting { until });
                self.timers.insert((until, id.clone()));
            }
        }
    }

    /// When a pause ends.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.timers.first().map(|(until, _)| *until)
    }

    /// Whether nothing waits, runs or rests.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn make_ready(&mut self, id: Id) {
        self.keys.insert(id.clone(), State::Ready);
        self.ready.push_back(id);
    }
}

fn pause(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::Kind;

    fn id(name: &str) -> Id {
        Id {
            kind: Kind::Service,
            namespace: "acme".into(),
            name: name.into(),
        }
    }

    const fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn a_key_is_there_once_however_often_it_is_added() {
        let mut queue = Queue::default();
        for _ in 0..3 {
            queue.add(id("a"));
        }
        queue.add(id("b"));
        assert_eq!(queue.take(ms(0)), Some(id("a")));
        assert_eq!(queue.take(ms(0)), Some(id("b")));
        assert_eq!(queue.take(ms(0)), None);
    }

    #[test]
    fn what_changes_during_a_look_is_looked_at_after_it_and_not_beside_it() {
        let mut queue = Queue::default();
        queue.add(id("a"));
        queue.take(ms(0));
        queue.add(id("a"));
        queue.add(id("a"));
        assert_eq!(queue.take(ms(0)), None);
        queue.done(&id("a"));
        assert_eq!(queue.take(ms(0)), Some(id("a")));
        queue.done(&id("a"));
        assert!(queue.is_empty());
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_start_anew_after_success() {
        let mut queue = Queue::default();
        queue.add(id("a"));
        let mut now = ms(0);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            queue.take(now).unwrap();
            let until = queue.failed(&id("a"), None, now);
            assert_eq!(queue.next_deadline(), Some(until));
            assert_eq!(queue.take(until.saturating_sub(ms(1))), None);
            pauses.push(until.saturating_sub(now));
            now = until;
        }
        assert_eq!(pauses[..3], [ms(100), ms(200), ms(400)]);
        assert_eq!(pauses[11], LONGEST);
        queue.take(now).unwrap();
        queue.done(&id("a"));
        queue.add(id("a"));
        queue.take(now).unwrap();
        assert_eq!(queue.failed(&id("a"), None, now), now + FIRST);
    }

    #[test]
    fn an_event_ends_a_pause() {
        let mut queue = Queue::default();
        queue.add(id("a"));
        queue.take(ms(0));
        queue.failed(&id("a"), Some(ms(5_000)), ms(0));
        assert_eq!(queue.next_deadline(), Some(ms(5_000)));
        queue.add(id("a"));
        assert_eq!(queue.take(ms(1)), Some(id("a")));
        assert_eq!(queue.next_deadline(), None);
    }
}
