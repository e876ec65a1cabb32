//! The last changes of the fleet, numbered: what a reader that was away or slow still has to hear about.

use std::collections::{BTreeSet, VecDeque};

/// How many changes are remembered: some seconds of a busy fleet. An entry is a name or two.
pub(super) const REMEMBERED: usize = 8_192;

/// Changes that a reader takes at a time. It keeps their names until they are told, so this bounds what a reader
/// costs who takes and does not read.
const TAKEN: usize = 256;

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
    /// Nothing.
    Nothing,
    /// These things changed, each named once, up to `until`; more may have after that.
    Changed { things: BTreeSet<E>, until: Position },
    /// More than is remembered, or a position that was never given out: read everything again, go on from `until`.
    Reset { until: Position },
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
            Some(Ok(0)) => Since::Nothing,
            Some(Ok(missed)) if missed <= self.recent.len() => self.taken(missed),
            _ => Since::Reset { until: self.last },
        }
    }

    /// The first of the last `missed` changes.
    fn taken(&self, missed: usize) -> Since<E> {
        let first = self.recent.len() - missed;
        let taken = missed.min(TAKEN);
        Since::Changed {
            things: self.recent.range(first..first + taken).cloned().collect(),
            until: Position(self.last.0 - (missed - taken) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(names: &[&'static str], until: u64) -> Since<&'static str> {
        Since::Changed {
            things: names.iter().copied().collect(),
            until: Position(until),
        }
    }

    fn reset(until: u64) -> Since<&'static str> {
        Since::Reset {
            until: Position(until),
        }
    }

    #[test]
    fn a_reader_hears_of_each_changed_thing_once() {
        let mut log = Log::new(8);
        let start = log.last();
        for name in ["a", "b", "a", "a"] {
            log.record(name);
        }
        assert_eq!(log.since(start), changed(&["a", "b"], 4));
        assert_eq!(log.since(Position(2)), changed(&["a"], 4));
        assert_eq!(log.since(log.last()), Since::Nothing);
    }

    #[test]
    fn a_reader_takes_a_bounded_number_at_a_time_and_misses_none() {
        let mut log = Log::new(10 * TAKEN);
        let all: BTreeSet<_> = (0..3 * TAKEN + 1).collect();
        all.iter().for_each(|number| log.record(*number));
        let (mut position, mut heard) = (Position(0), BTreeSet::new());
        while let Since::Changed { things, until } = log.since(position) {
            assert!(things.len() <= TAKEN);
            heard.extend(things);
            position = until;
        }
        assert_eq!((heard, position), (all, log.last()));
    }

    #[test]
    fn who_is_too_far_behind_starts_anew() {
        let mut log = Log::new(3);
        for name in ["a", "b", "c", "d"] {
            log.record(name);
        }
        assert_eq!(log.since(Position(0)), reset(4));
        assert_eq!(log.since(Position(1)), changed(&["b", "c", "d"], 4));
        assert_eq!(log.recent.len(), 3);
    }

    #[test]
    fn a_position_of_the_future_is_not_ours() {
        assert_eq!(Log::new(3).since(Position(1)), reset(0));
    }

    #[test]
    fn after_an_interruption_everybody_starts_anew() {
        let mut log = Log::new(8);
        log.record("a");
        let before = log.last();
        log.interrupt();
        assert_eq!(log.since(before), reset(2));
        let after = log.last();
        log.record("b");
        assert_eq!(log.since(after), changed(&["b"], 3));
    }
}
