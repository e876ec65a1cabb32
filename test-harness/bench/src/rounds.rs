//! Rounds of one side: how long each took, and what they used.

use std::time::Duration;

use crate::measure::Figures;
use crate::process::Usage;
use crate::stats::Samples;

/// The rounds of one side.
#[derive(Debug, Default)]
pub struct Rounds {
    times: Vec<Duration>,
    used: Usage,
}

impl Rounds {
    /// Adds a round, and what was used since it began.
    pub fn add(&mut self, time: Duration, used: Usage) {
        self.times.push(time);
        self.used = Usage {
            cpu: self.used.cpu + used.cpu,
            rss_kib: used.rss_kib,
        };
    }

    /// The round in the middle, which was for `units`; CPU of all, and memory after the last. Nothing without a round.
    pub fn figures(&self, units: usize) -> Figures {
        match self.times.iter().copied().collect::<Samples>().median() {
            Some(middle) => Figures::default().whole(middle, units).used(self.used),
            None => Figures::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: u64, rss_kib: f64) -> Usage {
        Usage {
            cpu: Duration::from_secs(cpu),
            rss_kib,
        }
    }

    #[test]
    fn the_middle_counts_with_all_cpu_and_the_last_memory() {
        let mut rounds = Rounds::default();
        rounds.add(Duration::from_secs(9), usage(1, 30.0));
        rounds.add(Duration::from_secs(2), usage(2, 50.0));
        rounds.add(Duration::from_secs(4), usage(3, 40.0));
        let expected = Figures::default()
            .whole(Duration::from_secs(4), 100)
            .used(usage(6, 40.0));
        assert_eq!(rounds.figures(100), expected);
    }

    #[test]
    fn no_round_leaves_no_figures() {
        assert_eq!(Rounds::default().figures(100), Figures::default());
    }
}
