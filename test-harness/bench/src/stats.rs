//! Percentiles of measured times, and the trend of measured sizes.

use std::time::Duration;

/// Measured times, in the order of their size.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

/// Middle and tail of some samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of the samples are at most this.
    pub p50: Duration,
    /// Nine in ten are.
    pub p90: Duration,
    /// Ninety-nine in a hundred are.
    pub p99: Duration,
}

impl Samples {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Nearest-rank percentiles: each is a time that was measured.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let rank = |percent: usize| {
            let rank = (self.0.len() * percent).div_ceil(100);
            self.0.get(rank.saturating_sub(1)).copied()
        };
        Some(Percentiles {
            p50: rank(50)?,
            p90: rank(90)?,
            p99: rank(99)?,
        })
    }

    /// The sample in the middle.
    pub fn median(&self) -> Option<Duration> {
        self.percentiles().map(|percentiles| percentiles.p50)
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

/// What sizes that were measured at even distances grow by from the first to the last, as a part of their mean, along
/// the line with the least squares. Fewer than two sizes do not grow.
pub fn growth(sizes: &[f64]) -> f64 {
    let count = sizes.len() as f64;
    if sizes.len() < 2 {
        return 0.0;
    }
    let mean = sizes.iter().sum::<f64>() / count;
    let middle = (count - 1.0) / 2.0;
    let places = (0..sizes.len()).map(|place| place as f64 - middle);
    let (products, squares) = places
        .zip(sizes)
        .fold((0.0, 0.0), |(products, squares), (place, size)| {
            (products + place * (size - mean), squares + place * place)
        });
    products / squares * (count - 1.0) / mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_of_the_line_and_not_of_its_ends() {
        assert_eq!(growth(&[90.0, 100.0, 110.0]), 0.2);
        assert_eq!(growth(&[110.0, 100.0, 90.0]), -0.2);
        assert_eq!(growth(&[100.0, 130.0, 130.0, 100.0]), 0.0);
        assert_eq!(growth(&[7.0, 7.0, 7.0]), 0.0);
        assert_eq!((growth(&[7.0]), growth(&[])), (0.0, 0.0));
    }

    fn milliseconds(times: impl IntoIterator<Item = u64>) -> Samples {
        times.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let samples = milliseconds((1..=300).rev());
        let Percentiles { p50, p90, p99 } = samples.percentiles().unwrap();
        assert_eq!([p50, p90, p99].map(|time| time.as_millis()), [150, 270, 297]);
    }

    #[test]
    fn one_sample_is_every_percentile_and_none_has_none() {
        let one = milliseconds([7]);
        assert_eq!(one.percentiles().unwrap().p99, Duration::from_millis(7));
        assert_eq!(Samples::default().percentiles(), None);
    }

    #[test]
    fn one_slow_sample_moves_the_tail_and_not_the_middle() {
        let samples = milliseconds((0..99).map(|_| 10).chain([900]));
        assert_eq!(samples.median(), Some(Duration::from_millis(10)));
        assert_eq!(samples.percentiles().unwrap().p99, Duration::from_millis(10));
        let two_slow = milliseconds((0..98).map(|_| 10).chain([900, 900]));
        assert_eq!(two_slow.percentiles().unwrap().p99, Duration::from_millis(900));
    }
}
