//! Two controllers that want different things of one object write it in turn, as fast as they can. The agent notices,
//! slows down, and says who the other one is.

use core::time::Duration;
use std::time::Instant;

/// Repairs in one window that are still called drift: an operator who tries something, a controller that settles.
/// A controller that fights reaches it within a second.
const PATIENCE: u32 = 10;

/// The window. It also is how long an object must be left alone until the fight is over.
const WINDOW: Duration = Duration::from_secs(60);

/// Waits between repairs during a fight: doubled from the first to the last.
const FIRST: Duration = Duration::from_secs(2);
const LAST: Duration = Duration::from_secs(300);

/// Repairs of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fight {
    began: Option<Instant>,
    repairs: u32,
    last: Option<Instant>,
    manager: Option<String>,
}

impl Fight {
    /// Somebody changed the object: it needs a repair. Returns when that may happen.
    pub fn drifted(&mut self, manager: Option<&str>, now: Instant) -> Instant {
        let quiet = self.last.is_none_or(|last| now > last + self.quiet());
        let window_over = self.began.is_none_or(|began| now > began + WINDOW);
        if quiet || (window_over && !self.rages()) {
            *self = Self::default();
        }
        self.began.get_or_insert(now);
        self.repairs += 1;
        self.manager = manager.map(str::to_owned);
        let due = now + self.wait();
        self.last = Some(due);
        due
    }

    /// The last repair found nothing to do: what looked like a change was none of our fields. A fight that rages goes
    /// on: in one, a change that was overtaken by our own write looks the same.
    pub fn forgive(&mut self) {
        if !self.rages() {
            self.repairs = self.repairs.saturating_sub(1);
        }
    }

    /// The other manager, once repairs have become a fight.
    pub fn opponent(&self) -> Option<&str> {
        self.rages()
            .then(|| self.manager.as_deref().unwrap_or("another field manager"))
    }

    /// When a fight is over if nothing happens until then.
    pub fn ends(&self) -> Option<Instant> {
        self.rages()
            .then(|| self.last.map(|last| last + self.quiet()))
            .flatten()
    }

    /// Ends a fight that has been over for long enough. Returns whether there was one.
    pub fn settle(&mut self, now: Instant) -> bool {
        let over = self.ends().is_some_and(|end| end <= now);
        if over {
            *self = Self::default();
        }
        over
    }

    fn rages(&self) -> bool {
        self.repairs > PATIENCE
    }

    fn wait(&self) -> Duration {
        match self.repairs.checked_sub(PATIENCE + 1) {
            None => Duration::ZERO,
            Some(rounds) => FIRST.saturating_mul(1 << rounds.min(10)).min(LAST),
        }
    }

    fn quiet(&self) -> Duration {
        WINDOW.max(self.wait())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repair_that_found_nothing_does_not_end_a_fight() {
        let (mut fight, now) = (Fight::default(), Instant::now());
        for _ in 0..=PATIENCE {
            fight.drifted(Some("hpa"), now);
        }
        fight.forgive();
        assert_eq!(fight.opponent(), Some("hpa"));
        assert!(fight.drifted(Some("hpa"), now) > now);
    }

    #[test]
    fn a_few_repairs_are_immediate_and_a_fight_is_slowed_down() {
        let (mut fight, mut now) = (Fight::default(), Instant::now());
        for _ in 0..PATIENCE {
            assert_eq!(fight.drifted(Some("hpa"), now), now);
            assert_eq!(fight.opponent(), None);
        }
        let mut waits = Vec::new();
        for _ in 0..10 {
            let due = fight.drifted(Some("hpa"), now);
            waits.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(fight.opponent(), Some("hpa"));
        assert!(fight.settle(fight.ends().unwrap()));
        assert_eq!(fight.opponent(), None);
    }

    #[test]
    fn repairs_that_found_nothing_to_do_are_no_fight() {
        let (mut fight, now) = (Fight::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(fight.drifted(Some("hpa"), now), now);
            fight.forgive();
        }
        assert_eq!(fight.opponent(), None);
    }

    #[test]
    fn drift_now_and_then_never_becomes_a_fight() {
        let (mut fight, mut now) = (Fight::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(fight.drifted(None, now), now);
            now += WINDOW / 9;
        }
        assert_eq!(fight.opponent(), None);
    }
}
