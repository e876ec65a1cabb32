//! How many requests the API server gets at once, learned from its answers.
//!
//! The window begins small and grows by one for each good answer, until the server says "too many requests" or takes
//! long: then it halves, and grows by one for each window of good answers (RFC 5681, section 3.1, has the reasons). While there are no answers at all, one request at a time asks whether it is back. Driven by whoever
//! sends: [`Pace::may_send`] before, [`Pace::sent`], then [`Pace::answered`].

use core::time::Duration;
use std::time::Instant;

/// The most requests under way: at 64 a bare loop of server-side applies is at its fastest, and a real API server's
/// own limit is 400 for all of its clients.
const MOST: f64 = 64.0;

/// The window to begin with. A busy server is found out within a few answers.
const FIRST: f64 = 16.0;

/// An answer that took longer tells of a server with more to do than it can.
const SLOW: Duration = Duration::from_secs(2);

/// The wait after "too many requests" without a time.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits between questions to a server that does not answer: doubled from the first to the last.
const FIRST_PROBE: Duration = Duration::from_millis(100);
const LAST_PROBE: Duration = Duration::from_secs(2);

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer, whatever it said about the object.
    Answered,
    /// Too many requests; come back after this time.
    Overload(Option<Duration>),
    /// No answer.
    Unreachable,
}

/// The window.
#[derive(Debug)]
pub struct Pace {
    window: f64,
    /// Up to here it grows by one for each answer: half of what was too much.
    threshold: f64,
    under_way: usize,
    paused_until: Option<Instant>,
    /// Failed questions since the last answer.
    unanswered: u32,
    last_cut: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            window: FIRST,
            threshold: MOST,
            under_way: 0,
            paused_until: None,
            unanswered: 0,
            last_cut: None,
        }
    }
}

impl Pace {
    /// Whether one more request may go out. A pause that is over is forgotten here.
    pub fn may_send(&mut self, now: Instant) -> bool {
        self.paused_until = self.paused_until.filter(|until| now < *until);
        self.paused_until.is_none() && self.under_way < self.room()
    }

    /// When a pause ends. Not in the past for whoever has asked [`Pace::may_send`].
    pub fn deadline(&self) -> Option<(Instant, &'static str)> {
        self.paused_until.map(|until| (until, "the API server's pause"))
    }

    /// One more is under way.
    pub fn sent(&mut self) {
        self.under_way += 1;
    }

    /// One that was under way has ended. Returns whether the server is back after it did not answer.
    pub fn answered(&mut self, outcome: Outcome, took: Duration, now: Instant) -> bool {
        self.under_way = self.under_way.saturating_sub(1);
        let was_away = self.unanswered > 0;
        match outcome {
            Outcome::Answered => {
                self.unanswered = 0;
                self.paused_until = self.paused_until.filter(|until| *until > now && !was_away);
                if took > SLOW {
                    self.cut(now);
                } else {
                    self.grow();
                }
                return was_away;
            }
            Outcome::Overload(retry_after) => {
                self.unanswered = 0;
                self.cut(now);
                self.pause(now + retry_after.unwrap_or(PAUSE));
            }
            Outcome::Unreachable => {
                // Those that were under way together fail together: that is one failed question.
                if self.paused_until.is_none_or(|until| until <= now) {
                    self.pause(now + probe(self.unanswered));
                    self.unanswered += 1;
                }
            }
        }
        false
    }

    fn room(&self) -> usize {
        if self.unanswered > 0 {
            return 1;
        }
        // The window is between 1 and `MOST`.
        self.window as usize
    }

    fn grow(&mut self) {
        let by = match self.window < self.threshold {
            true => 1.0,
            false => 1.0 / self.window,
        };
        self.window = (self.window + by).min(MOST);
    }

    /// Halves the window, once for all that were sent under the old one.
    fn cut(&mut self, now: Instant) {
        if self.last_cut.is_some_and(|last| now < last + PAUSE) {
            return;
        }
        self.last_cut = Some(now);
        self.window = (self.window / 2.0).max(1.0);
        self.threshold = self.window;
    }

    fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }
}

fn probe(unanswered: u32) -> Duration {
    FIRST_PROBE
        .saturating_mul(1 << unanswered.min(10))
        .min(LAST_PROBE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(2);

    /// How many requests fit at once.
    fn room(pace: &mut Pace, now: Instant) -> usize {
        match pace.may_send(now) {
            true => pace.room() - pace.under_way,
            false => 0,
        }
    }

    fn answer(pace: &mut Pace, outcome: Outcome, now: Instant) -> bool {
        pace.sent();
        pace.answered(outcome, FAST, now)
    }

    #[test]
    fn good_answers_open_the_window_to_its_limit() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(room(&mut pace, now), 16);
        (0..50).for_each(|_| {
            answer(&mut pace, Outcome::Answered, now);
        });
        assert_eq!(room(&mut pace, now), 64);
    }

    #[test]
    fn above_half_of_what_was_too_much_it_opens_slowly() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let mut answers = |count: usize, outcome: Outcome| {
            (0..count).for_each(|_| {
                answer(&mut pace, outcome, now);
            });
            room(&mut pace, now + PAUSE)
        };
        assert_eq!(answers(50, Outcome::Answered), 64);
        assert_eq!(answers(1, Outcome::Overload(None)), 32);
        assert_eq!(answers(33, Outcome::Answered), 33);
    }

    #[test]
    fn too_many_requests_halve_it_once_and_retry_after_is_kept() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let wait = Duration::from_secs(3);
        for _ in 0..4 {
            answer(&mut pace, Outcome::Overload(Some(wait)), now);
        }
        assert_eq!(room(&mut pace, now), 0);
        assert_eq!(pace.deadline().unwrap().0, now + wait);
        assert_eq!(room(&mut pace, now + wait), 8);
    }

    #[test]
    fn a_server_that_does_not_answer_is_asked_by_one_request_at_a_time() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        (0..10).for_each(|_| pace.sent());
        for _ in 0..10 {
            assert!(!pace.answered(Outcome::Unreachable, FAST, now));
        }
        assert_eq!(pace.deadline().unwrap().0, now + FIRST_PROBE);
        for _ in 0..10 {
            now = pace.deadline().unwrap().0;
            assert_eq!(room(&mut pace, now), 1);
            answer(&mut pace, Outcome::Unreachable, now);
        }
        assert_eq!(pace.deadline().unwrap().0, now + LAST_PROBE);
        now += LAST_PROBE;
        assert!(answer(&mut pace, Outcome::Answered, now), "the server is back");
        assert!(room(&mut pace, now) > 1);
    }

    #[test]
    fn a_pause_that_is_over_is_no_deadline_while_its_question_hangs() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        (0..32).for_each(|_| pace.sent());
        pace.answered(Outcome::Unreachable, FAST, now);
        let later = now + Duration::from_secs(1);
        assert!(!pace.may_send(later), "those under way are questions enough");
        assert_eq!(pace.deadline(), None);
    }

    #[test]
    fn slow_answers_make_the_window_smaller() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.sent();
        pace.answered(Outcome::Answered, SLOW * 2, now);
        assert_eq!(room(&mut pace, now), 8);
    }
}
