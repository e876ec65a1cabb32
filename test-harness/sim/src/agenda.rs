//! Virtual time: what is going to happen, and when. Time jumps from one event to the next.

use core::time::Duration;
use std::collections::BTreeMap;

/// What is going to happen. Of two events at one time the one that was planned first comes first.
#[derive(Debug)]
pub(crate) struct Agenda<E> {
    now: Duration,
    events: BTreeMap<(Duration, u64), E>,
    planned: u64,
}

impl<E> Agenda<E> {
    pub(crate) fn new() -> Self {
        Self {
            now: Duration::ZERO,
            events: BTreeMap::new(),
            planned: 0,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    pub(crate) fn after(&mut self, delay: Duration, event: E) {
        self.at(self.now + delay, event);
    }

    /// At a time; what should have been before now is now.
    pub(crate) fn at(&mut self, time: Duration, event: E) {
        self.planned += 1;
        self.events.insert((time.max(self.now), self.planned), event);
    }

    /// The next event that is not later than `end`; time goes to it, or to `end`.
    pub(crate) fn next(&mut self, end: Duration) -> Option<E> {
        match self.events.first_key_value() {
            Some(((time, _), _)) if *time <= end => {
                let ((time, _), event) = self.events.pop_first()?;
                self.now = time;
                Some(event)
            }
            _ => {
                self.now = self.now.max(end);
                None
            }
        }
    }
}
