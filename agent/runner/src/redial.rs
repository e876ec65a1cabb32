//! When to dial again. The only place that knows the `backoff` crate; see `docs/decisions/backoff.md`.

use core::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use outhaul_protocol_session::redial::{self, BASE, CAP, Ended};

/// The ceiling of the next wait.
pub struct Redial(ExponentialBackoff);

impl Redial {
    /// The next wait is a first one.
    pub fn new() -> Self {
        Self(ExponentialBackoff {
            current_interval: BASE,
            initial_interval: BASE,
            max_interval: CAP,
            multiplier: 2.0,
            // The session's full jitter is drawn below; two sources of randomness would be one too many.
            randomization_factor: 0.0,
            // An agent never gives up.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }

    /// A session stood: the next wait is a first one.
    pub fn stood(&mut self) {
        self.0.reset();
    }

    /// How long to wait, for a uniformly random number.
    ///
    /// A hub that restarts was well a moment ago: the wait that spreads its fleet raises no ceiling.
    pub fn wait(&mut self, ended: Ended, random: u64) -> Duration {
        let ceiling = match ended {
            Ended::Restarting { .. } => BASE,
            Ended::Lost | Ended::RetryAfter(_) => self.0.next_backoff().unwrap_or(CAP),
        };
        redial::delay(ended, ceiling, random)
    }
}

impl Default for Redial {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_cap_and_start_over_after_a_session() {
        let mut redial = Redial::new();
        let mut longest = || redial.wait(Ended::Lost, u64::MAX).as_secs_f64().round();
        let waits: Vec<_> = (0..7).map(|_| longest()).collect();
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
        redial.stood();
        assert_eq!(redial.wait(Ended::Lost, u64::MAX).as_secs_f64().round(), 1.0);
    }

    #[test]
    fn a_restart_of_the_hub_raises_no_ceiling() {
        let mut redial = Redial::new();
        let restarting = Ended::Restarting {
            fleet: 1,
            retry_after: Duration::ZERO,
        };
        redial.wait(restarting, u64::MAX);
        assert_eq!(redial.wait(Ended::Lost, u64::MAX).as_secs_f64().round(), 1.0);
    }
}
