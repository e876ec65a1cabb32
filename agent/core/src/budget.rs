//! How much a plane lets go unasked, over all its resources.
//!
//! In any [window](Limits::window) it is at most so many [objects](Limits::objects), or a [part](Limits::percent) of what
//! the plane had when the first of them was allowed, whichever is more. A resource asks for all of its objects at once
//! and gets all or nothing. Where nothing was let go within the window one resource may let go as many as it likes, and
//! that counts. Limits of zero let nothing go.
//!
//! What was allowed counts from then on, for as long as some of it may still go, and for the window after the last of it
//! went. It is written down with the resource's record before anything goes. So a restart forgets nothing, and a
//! clock that was set back refills nothing: what would lie in the future went just now.

use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

use outhaul_protocol_wire::head::Key;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// How much goes unasked. The owner of a plane may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Objects that go however few there are.
    pub objects: usize,
    /// The part of what a plane has that may go, in percent.
    pub percent: u64,
    /// How long what went counts.
    pub window: Duration,
}

/// How long what went counts where nobody says otherwise: time enough for a person to see that something is wrong.
pub const WINDOW: Duration = Duration::from_secs(10 * 60);

/// Objects that go unasked however few there are: a few small applications.
pub const LEAST: usize = 25;

/// The part of what a plane has that may go unasked, in percent.
const PERCENT: u64 = 10;

/// Enough to come after something else.
const AFTER: Duration = Duration::from_nanos(1);

/// What resources were allowed to let go lately.
#[derive(Debug, Default)]
pub struct Budget {
    /// How much that may be.
    pub limits: Limits,
    spendings: BTreeMap<Key, Vec<Spending>>,
}

/// What a resource was allowed to let go at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spending {
    objects: usize,
    /// Objects that the plane had then.
    inventory: usize,
    /// When it was allowed. What was written down by a clock that was set back since may still be to come, and then so is
    /// what follows: they stay in order.
    begun: Instant,
    /// When the last of them went; none while some may still go.
    ended: Option<Instant>,
}

/// A spending as it is written down, with times in Unix seconds.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// How many objects.
    pub objects: usize,
    /// How many the plane had.
    pub inventory: usize,
    /// When it was allowed.
    pub begun: u64,
    /// When the last of them went; none while some may still go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            objects: LEAST,
            percent: PERCENT,
            window: WINDOW,
        }
    }
}

impl Limits {
    /// How many objects may go of so many.
    fn of(self, inventory: usize) -> usize {
        let inventory = u64::try_from(inventory).unwrap_or(u64::MAX);
        let part = inventory.saturating_mul(self.percent) / 100;
        self.objects.max(usize::try_from(part).unwrap_or(usize::MAX))
    }

    fn are_zero(self) -> bool {
        (self.objects, self.percent) == (0, 0)
    }
}

impl Budget {
    /// A budget of which nothing is spent.
    pub fn within(limits: Limits) -> Self {
        Self {
            limits,
            spendings: BTreeMap::new(),
        }
    }

    /// Whether a resource may let go so many objects.
    pub fn allows(&self, objects: usize, now: Instant) -> bool {
        let limits = self.limits;
        let spendings = || self.spendings.values().flatten();
        let counted = || spendings().filter(|it| it.counts(limits.window, now));
        let Some(first) = counted().min_by_key(|it| (it.begun, it.inventory)) else {
            return !limits.are_zero();
        };
        let spent: usize = counted().map(|it| it.objects).sum();
        spent + objects <= limits.of(first.inventory)
    }

    /// A resource lets them go, allowed or confirmed.
    pub fn spend(&mut self, key: &Key, objects: usize, inventory: usize, now: Instant) {
        for spendings in self.spendings.values_mut() {
            spendings.retain(|it| it.counts(self.limits.window, now));
        }
        self.spendings.retain(|_, spendings| !spendings.is_empty());
        let newest = self.spendings.values().flatten().map(|it| it.begun).max();
        let spendings = self.spendings.entry(key.clone()).or_default();
        match spendings.last_mut().filter(|it| it.ended.is_none()) {
            Some(open) => open.objects += objects,
            None => spendings.push(Spending {
                objects,
                inventory,
                begun: newest.map_or(now, |newest| now.max(newest + AFTER)),
                ended: None,
            }),
        }
    }

    /// An object of a resource went just now.
    pub fn went(&mut self, key: &Key, now: Instant) {
        let last = self.spendings.get_mut(key).and_then(|it| it.last_mut());
        if let Some(ended) = last.and_then(|last| last.ended.as_mut()) {
            *ended = now;
        }
    }

    /// Nothing that a resource was allowed to let go is still to go.
    pub fn ended(&mut self, key: &Key, now: Instant) {
        let last = self.spendings.get_mut(key).and_then(|it| it.last_mut());
        if let Some(last) = last {
            last.ended.get_or_insert(now);
        }
    }

    /// What is written down of a resource.
    pub fn of(&self, key: &Key, clock: Clock) -> Vec<Spent> {
        let spendings = self.spendings.get(key).into_iter().flatten();
        spendings
            .filter(|it| it.counts(self.limits.window, clock.now))
            .map(|it| Spent {
                objects: it.objects,
                inventory: it.inventory,
                begun: clock.to_unix(it.begun),
                ended: it.ended.map(|at| clock.to_unix(at)),
            })
            .collect()
    }

    /// Reads what was written down of a resource.
    pub fn restore(&mut self, key: &Key, spent: &[Spent], clock: Clock) {
        let spendings = spent.iter().map(|spent| Spending {
            objects: spent.objects,
            inventory: spent.inventory,
            begun: clock.of_unix(spent.begun),
            ended: spent.ended.map(|at| clock.of_unix(at).min(clock.now)),
        });
        let spendings: Vec<Spending> = spendings
            .filter(|it| it.counts(self.limits.window, clock.now))
            .collect();
        if !spendings.is_empty() {
            self.spendings.insert(key.clone(), spendings);
        }
    }
}

impl Spending {
    fn counts(&self, window: Duration, now: Instant) -> bool {
        self.ended.is_none_or(|ended| now < ended + window)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::release_key;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Lets go at once, where it may.
    fn ask(budget: &mut Budget, name: &str, objects: usize, inventory: usize, now: Instant) -> bool {
        let allowed = budget.allows(objects, now);
        if allowed {
            budget.spend(&release_key(name), objects, inventory, now);
            budget.ended(&release_key(name), now);
        }
        allowed
    }

    #[test]
    fn small_ones_go_until_they_are_too_many_and_a_large_one_only_where_nothing_went() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        assert!(ask(&mut budget, "large", 500, 1_000, start));
        assert!(!ask(&mut budget, "small", 1, 500, start));
        let later = start + WINDOW;
        assert!(!ask(&mut budget, "small", 1, 500, later - seconds(1)));
        assert!(ask(&mut budget, "small", 20, 500, later));
        assert!(ask(&mut budget, "another", 30, 480, later), "a tenth of 500");
        assert!(!ask(&mut budget, "third", 1, 450, later));
    }

    #[test]
    fn the_owner_says_how_much_goes_and_for_how_long_it_counts() {
        let limits = |objects, percent| Limits {
            objects,
            percent,
            window: seconds(60),
        };
        let start = Instant::now();
        for (limits, first, second, third) in [
            (limits(2, 0), true, true, false),
            (limits(0, 2), true, true, false),
            (limits(0, 0), false, false, false),
        ] {
            let mut budget = Budget::within(limits);
            let mut ask = |at| ask(&mut budget, "small", 1, 100, at);
            assert_eq!(
                (ask(start), ask(start), ask(start)),
                (first, second, third),
                "{limits:?}"
            );
            assert_eq!(ask(start + seconds(60)), first, "{limits:?}");
        }
    }

    #[test]
    fn what_may_still_go_counts_however_long_that_takes() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        let key = release_key("slow");
        budget.spend(&key, 25, 25, start);
        let much_later = start + 10 * WINDOW;
        assert!(!budget.allows(1, much_later));
        budget.ended(&key, much_later);
        assert!(!budget.allows(1, much_later + WINDOW - seconds(1)));
        assert!(budget.allows(1, much_later + WINDOW));
    }

    #[test]
    fn an_answer_that_comes_late_counts_from_then() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        let key = release_key("wanted again");
        budget.spend(&key, 25, 25, start);
        budget.ended(&key, start);
        budget.went(&key, start + seconds(60));
        assert!(!budget.allows(1, start + WINDOW));
        assert!(budget.allows(1, start + WINDOW + seconds(60)));
    }

    /// One moment in the life of a plane.
    #[derive(Debug, Clone)]
    enum Moment {
        /// So many seconds pass.
        Pass(u64),
        /// A resource asks for so many objects.
        Ask(usize, usize),
        /// The agent starts again; meanwhile somebody sets the clock back by so much.
        Restart(u64),
    }

    fn moments() -> impl Strategy<Value = Vec<Moment>> {
        let moment = prop_oneof![
            3 => (0_u64..400).prop_map(Moment::Pass),
            6 => (0_usize..4, 0_usize..40).prop_map(|(key, objects)| Moment::Ask(key, objects)),
            1 => (0_u64..10_000).prop_map(Moment::Restart),
        ];
        prop::collection::vec(moment, 1..60)
    }

    /// Every letting go there was: when, how many, and of how many.
    #[derive(Default)]
    struct Naive(Vec<(u64, usize, usize)>);

    impl Naive {
        fn allows(&self, objects: usize, now: u64) -> bool {
            let counted = self.0.iter().filter(|(at, ..)| now - at < WINDOW.as_secs());
            let counted: Vec<_> = counted.collect();
            let Some((_, _, inventory)) = counted.first() else {
                return true;
            };
            let spent: usize = counted.iter().map(|(_, objects, _)| objects).sum();
            spent + objects <= 25.max(inventory / 10)
        }
    }

    proptest! {
        #[test]
        fn it_decides_as_one_who_remembers_everything_and_after_a_restart_no_more_freely(moments in moments()) {
            let (mut budget, mut naive) = (Budget::default(), Naive::default());
            let start = Instant::now();
            let (mut now, mut back, mut exact) = (0_u64, 0_u64, true);
            let mut inventory = 600_usize;
            let keys = ["a", "b", "c", "d"].map(release_key);
            for moment in moments {
                // No two things happen at once.
                now += 1;
                let at = start + seconds(now);
                match moment {
                    Moment::Pass(seconds) => now += seconds,
                    Moment::Ask(key, objects) if objects > 0 => {
                        let (mine, theirs) = (budget.allows(objects, at), naive.allows(objects, now));
                        prop_assert!(!mine || theirs, "{} at {}", objects, now);
                        prop_assert!(!exact || mine == theirs, "{} at {}", objects, now);
                        if mine {
                            budget.spend(&keys[key], objects, inventory, at);
                            budget.ended(&keys[key], at);
                            naive.0.push((now, objects, inventory));
                            inventory = inventory.saturating_sub(objects) + 20;
                        }
                    }
                    Moment::Ask(..) => {}
                    Moment::Restart(set_back) => {
                        let clock = |back| Clock { now: at, unix: 1_000_000 + now - back };
                        let before = clock(back);
                        back += set_back;
                        exact = false;
                        let mut restored = Budget::default();
                        for key in &keys {
                            restored.restore(key, &budget.of(key, before), clock(back));
                        }
                        budget = restored;
                    }
                }
            }
        }
    }
}
