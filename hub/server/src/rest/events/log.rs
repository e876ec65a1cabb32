//! The last changes of the fleet, numbered: what a reader that was away or slow still has to hear about.

use std::collections::{BTreeSet, VecDeque};

/// How many changes are remembered: some seconds of a busy fleet. An entry is a name or two.
pub(super) const REMEMBERED: usize = 8_192;

/// Counts changes, from 1. Zero: before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(pub(super) u64);

/// Numbered changes, the oldest forgotten first.
#[derive(Debug)]
pub(super) struct Log<E> {
    last: Position,
    capacity: usize,
    recent: VecDeque<E>,
}

/// What happened after a position.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Since<E> {
    /// These things changed, each named once.
    Changed(BTreeSet<E>),
    /// More than is remembered, or a position that was never given out: read everything again.
    Reset,
}

impl<E: Ord + Clone> Log<E> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            last: Position::default(),
            capacity,
            recent: VecDeque::new(),
        }
    }

    pub(super) fn last(&self) -> Position {
        self.last
    }

    pub(super) fn record(&mut self, change: E) {
        if self.recent.len() == self.capacity {
            self.recent.pop_front();
        }
        self.recent.push_back(change);
        self.last = Position(self.last.0 + 1);
    }

    /// Changes were missed: nobody can go on from an earlier position.
    pub(super) fn interrupt(&mut self) {
        self.recent.clear();
        self.last = Position(self.last.0 + 1);
    }

    pub(super) fn since(&self, position: Position) -> Since<E> {
        let missed = self.last.0.checked_sub(position.0).map(usize::try_from);
        match missed {
            Some(Ok(missed)) if missed <= self.recent.len() => {
                let newest = self.recent.len() - missed;
                Since::Changed(self.recent.range(newest..).cloned().collect())
            }
            _ => Since::Reset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(names: &[&'static str]) -> Since<&'static str> {
        Since::Changed(names.iter().copied().collect())
    }

    #[test]
    fn a_reader_hears_of_each_changed_thing_once() {
        let mut log = Log::new(8);
        let start = log.last();
        for name in ["a", "b", "a", "a"] {
            log.record(name);
        }
        assert_eq!(log.since(start), changed(&["a", "b"]));
        assert_eq!(log.since(Position(2)), changed(&["a"]));
        assert_eq!(log.since(log.last()), changed(&[]));
    }

    #[test]
    fn who_is_too_far_behind_starts_anew() {
        let mut log = Log::new(3);
        for name in ["a", "b", "c", "d"] {
            log.record(name);
        }
        assert_eq!(log.since(Position(0)), Since::Reset);
        assert_eq!(log.since(Position(1)), changed(&["b", "c", "d"]));
        assert_eq!(log.recent.len(), 3);
    }

    #[test]
    fn a_position_of_the_future_is_not_ours() {
        let log = Log::<&str>::new(3);
        assert_eq!(log.since(Position(1)), Since::Reset);
    }

    #[test]
    fn after_an_interruption_everybody_starts_anew() {
        let mut log = Log::new(8);
        log.record("a");
        let before = log.last();
        log.interrupt();
        assert_eq!(log.since(before), Since::Reset);
        let after = log.last();
        log.record("b");
        assert_eq!(log.since(after), changed(&["b"]));
    }
}
