//! Randomness that can be had again: the same seed and place give the same numbers.

use std::time::Duration;

use outhaul_fake_kube_core::moment::mix;

/// A place in the sequence of one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The place of item `at` below this one.
    pub(crate) fn at(self, at: u64) -> Self {
        Self(mix(self.0 ^ mix(at.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(self, probability: f64) -> bool {
        // 53 bits are what a float holds exactly.
        ((mix(self.0) >> 11) as f64) < probability * (1_u64 << 53) as f64
    }

    /// A number up to `most`.
    pub(crate) fn up_to(self, most: u32) -> u32 {
        (mix(self.0 ^ 1) % (u64::from(most) + 1)) as u32
    }

    /// A time between two.
    pub(crate) fn between(self, least: Duration, most: Duration) -> Duration {
        let span = most.saturating_sub(least);
        least + span.mul_f64(f64::from(self.up_to(1_000)) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_kept_to_and_extremes_are_certain() {
        let count = |probability| {
            let draws = (0..10_000).map(|n| Draw::new(7).at(n));
            draws.filter(|draw| draw.happens(probability)).count()
        };
        assert_eq!((count(0.0), count(1.0)), (0, 10_000));
        assert!((2_300..2_700).contains(&count(0.25)), "{}", count(0.25));
    }

    #[test]
    fn times_lie_between_their_bounds() {
        let (least, most) = (Duration::from_millis(10), Duration::from_millis(20));
        let times = (0..1_000).map(|n| Draw::new(1).at(n).between(least, most));
        assert!(times.clone().all(|time| time >= least && time <= most));
        assert!(times.clone().max() > times.min());
    }
}
