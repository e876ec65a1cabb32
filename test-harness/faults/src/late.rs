//! Datagrams that are held back, in the order in which they are due.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// Datagrams held back at once: at 1,500 bytes each some 24 MiB, a second of 200 Mbit/s.
const LATE: usize = 16 * 1024;

/// A bounded queue by due time.
#[derive(Debug)]
pub(crate) struct Late<T> {
    due: BTreeMap<(Instant, u64), T>,
    arrived: u64,
}

impl<T> Late<T> {
    pub(crate) fn new() -> Self {
        Self {
            due: BTreeMap::new(),
            arrived: 0,
        }
    }

    /// Holds `item` until `at`. Gives it back when the queue is full.
    pub(crate) fn hold(&mut self, at: Instant, item: T) -> Result<(), T> {
        if self.due.len() >= LATE {
            return Err(item);
        }
        self.due.insert((at, self.arrived), item);
        self.arrived += 1;
        Ok(())
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next one that is due at `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        match self.next() {
            Some(at) if at <= now => self.due.pop_first().map(|(_, item)| item),
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn items_come_out_when_due_and_in_order() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut late = Late::new();
        for (millis, item) in [(20, "c"), (10, "a"), (10, "b")] {
            late.hold(at(millis), item).unwrap();
        }
        assert_eq!(late.pop(at(9)), None);
        assert_eq!(late.next(), Some(at(10)));
        assert_eq!(
            [late.pop(at(15)), late.pop(at(15)), late.pop(at(15))],
            [Some("a"), Some("b"), None]
        );
        assert_eq!(late.pop(at(20)), Some("c"));
    }

    #[test]
    fn a_full_queue_takes_no_more() {
        let mut late = Late::new();
        let now = Instant::now();
        for item in 0..LATE {
            late.hold(now, item).unwrap();
        }
        assert_eq!(late.hold(now, LATE), Err(LATE));
    }
}
