//! Virtual time: what is going to happen, and when. Time jumps from one event to the next.

use core::cmp::Reverse;
use core::time::Duration;
use std::collections::BinaryHeap;

use slab::Slab;

/// What is going to happen. Of two events at one time the one that was planned first comes first.
#[derive(Debug)]
pub(crate) struct Agenda<E> {
    now: Duration,
    /// When, the number of the plan, and where in `events`. Events are large, and stay where they are.
    times: BinaryHeap<Reverse<(Duration, u64, usize)>>,
    events: Slab<E>,
    planned: u64,
}

impl<E> Agenda<E> {
    pub(crate) fn new() -> Self {
        Self {
            now: Duration::ZERO,
            times: BinaryHeap::new(),
            events: Slab::new(),
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
        let place = self.events.insert(event);
        self.times
            .push(Reverse((time.max(self.now), self.planned, place)));
    }

    /// The next event that is not later than `end`; time goes to it, or to `end`.
    pub(crate) fn next(&mut self, end: Duration) -> Option<E> {
        match self.times.peek() {
            Some(Reverse((time, ..))) if *time <= end => {
                let Reverse((time, _, place)) = self.times.pop()?;
                self.now = time;
                Some(self.events.remove(place))
            }
            _ => {
                self.now = self.now.max(end);
                None
            }
        }
    }
}
