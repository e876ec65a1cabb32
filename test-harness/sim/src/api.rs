//! How an API server behaves: how long it takes, and whether it answers at all.

use core::time::Duration;

use crate::cluster::{Place, Refusal};
use crate::dice::Dice;

/// What a client waits for an answer at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// Moods of an API server.
#[derive(Debug)]
pub(crate) struct Api {
    dice: Dice,
    refusing: Option<(u16, Duration)>,
    slow: Option<(u64, Duration)>,
}

/// How one request fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fare {
    /// Until the server does it; none if it never does.
    pub(crate) made: Option<Duration>,
    /// From then, or from the beginning, until the client knows.
    pub(crate) known: Duration,
    /// What the client hears instead of the server's answer.
    pub(crate) instead: Option<Instead>,
}

/// What a client hears instead of an answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instead {
    Code(u16),
    Nothing,
}

impl Api {
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        Self {
            dice: Dice::of(seed, name),
            refusing: None,
            slow: None,
        }
    }

    pub(crate) fn refuse(&mut self, code: u16, until: Duration) {
        self.refusing = Some((code, until));
    }

    pub(crate) fn slow_down(&mut self, by_ms: u64, until: Duration) {
        self.slow = Some((by_ms, until));
    }

    pub(crate) fn heal(&mut self) {
        self.refusing = None;
        self.slow = None;
    }

    /// What becomes of a request that is sent now. What a client gave up on is not done later: servers cancel it.
    pub(crate) fn fare(&mut self, now: Duration) -> Fare {
        let slow = self.slow.filter(|(_, until)| *until > now);
        let wait = match slow {
            Some((by, _)) => self.dice.between(1, by.max(1)),
            None => self.dice.between(1, 8),
        };
        let wait = Duration::from_millis(wait);
        let back = Duration::from_millis(self.dice.between(1, 6));
        let refusing = self.refusing.filter(|(_, until)| *until > now);
        match refusing {
            // Without an answer it may have been done all the same.
            Some((0, _)) => {
                let is_made = self.dice.chance(25);
                let known = PATIENCE.min(Duration::from_millis(self.dice.between(5, 2_000)));
                Fare {
                    made: is_made.then_some(wait.min(known)),
                    known,
                    instead: Some(Instead::Nothing),
                }
            }
            Some((code, _)) if self.dice.chance(70) => Fare {
                made: None,
                known: wait.min(PATIENCE),
                instead: Some(Instead::Code(code)),
            },
            _ if wait + back >= PATIENCE => Fare {
                made: Some(PATIENCE / 2),
                known: PATIENCE / 2,
                instead: Some(Instead::Nothing),
            },
            _ => Fare {
                made: Some(wait),
                known: back,
                instead: None,
            },
        }
    }
}

impl Instead {
    /// As a refusal; none where nothing was heard.
    pub(crate) fn refusal(self, place: &Place) -> Option<Refusal> {
        match self {
            Self::Code(code) => Some(Refusal::new(code, "Refused", place)),
            Self::Nothing => None,
        }
    }
}
