//! Ways in which the API can be made to misbehave, and to which requests.
//!
//! What happens to the n-th request that a rule is about follows from the seed, the rule's place and n
//! ([`decision`]), so a run with the same requests in the same order meets the same faults.

mod decision;
mod draw;
mod rule;

pub(crate) use decision::{Decision, Faults, Then, WatchEnd, WatchFaults};
pub(crate) use draw::Draw;
pub use rule::FaultRule;

use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The answer is 429 with this many seconds in `Retry-After`.
    TooManyRequests {
        /// Seconds.
        retry_after: u32,
    },
    /// The answer is 403, as when a role lacks the verb.
    Forbidden,
    /// The answer is 404, as when the kind is not served any more. Discovery goes on to name it, as a client knows it that
    /// read it before.
    NotServed,
    /// The answer to a write is 409, as when somebody else was faster.
    Conflict,
    /// The answer is 500.
    InternalError,
    /// The request waits before it is looked at.
    Delay(Duration),
    /// The request waits before it is looked at, for a time between these.
    Latency(Duration, Duration),
    /// Only writes wait, for a time between these, as when a webhook is slow. They wait before the object is read. A real
    /// server reads first, and again when another write came between, so to clients that is the same: a write that names a
    /// version is refused if there was one, any other is made to what is there.
    SlowAdmission(Duration, Duration),
    /// Nothing is done and no answer comes; the client has to give up.
    NoAnswer,
    /// What was asked for is done, and the connection breaks before the answer.
    LostAnswer,
    /// What was asked for is done, and the answer waits for a time between these: watches tell of a write long before who
    /// made it knows, and what is read may have changed since.
    LateAnswer(Duration, Duration),
    /// A get or list that names a resourceVersion shows the state so many writes ago, as an API server that lags behind;
    /// never older than that version. One that names none is answered by a quorum, as ever.
    StaleRead {
        /// Writes.
        versions: u64,
    },
    /// A watch breaks off within a line, after at most so many deliveries.
    CutWatch {
        /// Deliveries.
        within: u32,
    },
    /// A watch ends in good order, after at most so many deliveries.
    EndWatch {
        /// Deliveries.
        within: u32,
    },
    /// A watch ends with `Expired`, after at most so many deliveries.
    ExpireWatch {
        /// Deliveries.
        within: u32,
    },
    /// A watch breaks off after a time between these, whether anything happens or not.
    LoseWatch(Duration, Duration),
    /// A watch stays open and tells nothing any more, after at most so many deliveries, until its own time is over.
    MuteWatch {
        /// Deliveries.
        within: u32,
    },
    /// Each delivery of a watch waits for a time between these.
    DelayWatch(Duration, Duration),
}

/// All that may go wrong with lists and watches, and how likely it is where much goes wrong.
pub(crate) fn of_reads() -> [(f64, Fault); 13] {
    let millis = Duration::from_millis;
    [
        (0.3, Fault::Latency(millis(1), millis(300))),
        (0.3, Fault::LateAnswer(millis(1), millis(300))),
        (0.5, Fault::DelayWatch(millis(0), millis(200))),
        (0.1, Fault::InternalError),
        (0.1, Fault::TooManyRequests { retry_after: 1 }),
        (0.05, Fault::LostAnswer),
        (0.02, Fault::NoAnswer),
        (0.5, Fault::StaleRead { versions: 20 }),
        (0.4, Fault::CutWatch { within: 6 }),
        (0.4, Fault::ExpireWatch { within: 6 }),
        (0.3, Fault::LoseWatch(millis(500), millis(20_000))),
        // Only its own time, or the patience of whoever listens, ends such a watch.
        (0.05, Fault::MuteWatch { within: 6 }),
        // No watch lives long: one that nothing ended would see to it alone that nothing is missed.
        (1.0, Fault::EndWatch { within: 12 }),
    ]
}
