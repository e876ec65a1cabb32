//! How long an agent waits before it dials again.
//!
//! The caller keeps the exponential ceiling ([`BASE`], doubled up to [`CAP`], back to [`BASE`] after a session that
//! stood) and draws the random number.

use core::time::Duration;

/// Ceiling of the first wait.
pub const BASE: Duration = Duration::from_secs(1);

/// Ceiling of every later wait: an outage of any length is over for an agent half a minute after it ends.
pub const CAP: Duration = Duration::from_secs(30);

/// Time per plane over which a restarted hub's fleet is spread. A handshake with mutual TLS costs a hub 0.4 to
/// 0.6 ms of CPU; at this pace it stays ahead of its queue.
const PER_PLANE: Duration = Duration::from_micros(800);

/// Why there is no session now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The hub could not be reached, or the connection was lost.
    Lost,
    /// The hub said when to come back.
    RetryAfter(Duration),
    /// The hub restarts, by its own words or by a stateless reset: all its agents dial again now.
    Restarting {
        /// Planes it serves, from the last welcome.
        fleet: u32,
        /// What it asked for besides.
        retry_after: Duration,
    },
}

/// The wait before the next dial, for a uniformly random number.
pub fn delay(ended: Ended, ceiling: Duration, random: u64) -> Duration {
    match ended {
        Ended::Lost => uniform(ceiling, random),
        // Not before the hub asked for; the jitter on top keeps those who were told the same apart.
        Ended::RetryAfter(after) => after + uniform(ceiling, random),
        Ended::Restarting { fleet, retry_after } => retry_after + uniform(spread(fleet), random),
    }
}

/// The time over which a fleet comes back: long enough for its handshakes, short enough to be no outage.
fn spread(fleet: u32) -> Duration {
    (PER_PLANE * fleet).clamp(BASE, CAP)
}

/// Full jitter: anything from zero to `ceiling`.
fn uniform(ceiling: Duration, random: u64) -> Duration {
    let nanos = (ceiling.as_nanos() * u128::from(random)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_spans_zero_to_the_ceiling() {
        assert_eq!(delay(Ended::Lost, CAP, 0), Duration::ZERO);
        assert_eq!(delay(Ended::Lost, CAP, u64::MAX / 2 + 1), CAP / 2);
        assert!(delay(Ended::Lost, CAP, u64::MAX) < CAP);
    }

    #[test]
    fn the_hub_is_not_called_before_it_asked_for() {
        let after = Duration::from_secs(7);
        assert_eq!(delay(Ended::RetryAfter(after), BASE, 0), after);
        assert!(delay(Ended::RetryAfter(after), BASE, u64::MAX) < after + BASE);
    }

    #[test]
    fn a_restarted_hub_gets_its_fleet_back_spread_out() {
        let longest = |fleet| {
            let retry_after = Duration::ZERO;
            delay(Ended::Restarting { fleet, retry_after }, BASE, u64::MAX).as_millis() + 1
        };
        assert_eq!(longest(1), 1_000);
        assert_eq!(longest(10_000), 8_000);
        assert_eq!(longest(1_000_000), 30_000);
    }
}
