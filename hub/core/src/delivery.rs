//! What the hub knows of one Release or Bundle.

use core::time::Duration;
use std::sync::Arc;

use outhaul_hub_resources::Condition;
use outhaul_hub_resources::conditions::{HELD, READY};
use outhaul_protocol_session::hub::Reported;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Version};
use outhaul_protocol_wire::ids::{PlaneName, Term};
use outhaul_protocol_wire::message::Held;
use outhaul_protocol_wire::report::{Health, ObjectReport};

use crate::bulk::Surroundings;
use crate::condition;
use crate::decision::Decision;
use crate::output::{Note, WriteId};
use crate::pace::Pace;
use crate::resource::{ReadSpec, Resource};

/// First wait after a failed write; doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(100);

/// Longest wait after a failed write: an API server that is back is used within this time.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// One resource.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// As it was last seen.
    pub(crate) resource: Resource,
    /// Its place in a queue.
    pub(crate) queued: Option<Entry>,
    /// What was last decided about it.
    pub(crate) decision: Option<Decision>,
    /// What its plane said; not known after a restart until the plane says it again.
    pub(crate) reported: Option<Reported>,
    /// Hash over what its plane said; known after a restart too.
    pub(crate) observed: Option<Digest>,
    /// The session that said it.
    pub(crate) term: Option<Term>,
    /// The plane's word that nothing of it is left.
    pub(crate) gone: Option<Held>,
    /// Whether an Event has said so.
    pub(crate) gone_said: bool,
    /// What the plane holds, where that is newer than what the API server itself says.
    pub(crate) behind: Option<Behind>,
    /// What it is in, read since it is being deleted.
    pub(crate) surroundings: Option<Surroundings>,
    /// When that may be read; none while it is being read.
    pub(crate) look_after: Option<Duration>,
    /// The head whose content its plane asked for and the hub does not have.
    pub(crate) lost: Option<Version>,
    pub(crate) writes: Writes,
    pub(crate) pace: Pace,
    /// When it is looked at again.
    pub(crate) due: Option<Duration>,
}

/// A place in a plane's queue.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) plane: PlaneName,
    pub(crate) head: Head,
    pub(crate) recorded: bool,
    pub(crate) spec: Arc<ReadSpec>,
    /// Its place in the order of edits.
    pub(crate) place: u64,
    /// When this head came in.
    pub(crate) since: Duration,
    /// The newest version that the plane stored.
    pub(crate) stored: Option<Version>,
}

/// The plane is ahead of the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) held: Held,
    /// Digest of that content.
    pub(crate) digest: Digest,
    /// Whether the API server itself confirmed what the hub knows.
    pub(crate) confirmed: bool,
}

/// Writes to the resource.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    /// The write to finalizers that is under way, and whether it takes ours off.
    pub(crate) finalizer: Option<(WriteId, bool)>,
    pub(crate) status: Option<(WriteId, Vec<Note>)>,
    /// Whether the status may have to be written.
    pub(crate) dirty: bool,
    /// Why the API server does not take what the plane last reported.
    pub(crate) refused: Option<String>,
    failures: u32,
    not_before: Duration,
}

impl Delivery {
    pub(crate) fn new(resource: Resource) -> Self {
        Self {
            resource,
            queued: None,
            decision: None,
            reported: None,
            observed: None,
            term: None,
            gone: None,
            gone_said: false,
            behind: None,
            surroundings: None,
            look_after: Some(Duration::ZERO),
            lost: None,
            writes: Writes {
                dirty: true,
                ..Writes::default()
            },
            pace: Pace::default(),
            due: None,
        }
    }

    /// Whether the plane has not stored the newest head.
    pub(crate) fn is_unacknowledged(&self) -> bool {
        self.queued
            .as_ref()
            .is_some_and(|entry| entry.stored != Some(entry.head.version))
    }

    /// Whether some of its objects are still to come, as far as its plane has said.
    pub(crate) fn is_partial(&self) -> bool {
        let reported = self.reported.as_ref();
        reported.is_some_and(|reported| !reported.objects.iter().all(says_something))
    }

    /// Whether its status says that all is well.
    pub(crate) fn is_ready(&self) -> bool {
        condition::get(&self.resource.around.status.conditions, READY)
            .is_some_and(|ready| ready.status == "True")
    }

    /// Whether an Event can be made about it: not in a namespace that is being deleted.
    pub(crate) fn takes_events(&self) -> bool {
        self.surroundings
            .is_none_or(|surroundings| surroundings.namespace.is_none())
    }

    /// What its status says of objects that wait to be confirmed.
    pub(crate) fn held(&self) -> Option<&Condition> {
        condition::get(&self.resource.around.status.conditions, HELD).filter(|held| held.status == "True")
    }

    /// Forgets what another plane said.
    pub(crate) fn forget_reports(&mut self) {
        self.reported = None;
        self.observed = None;
        self.term = None;
        self.gone = None;
        self.gone_said = false;
        self.behind = None;
        self.lost = None;
        self.writes.refused = None;
        self.pace = Pace::default();
        self.pace.hurry();
    }
}

/// Whether an object has been looked at: until then a report only says that it is expected.
pub(crate) fn says_something(object: &ObjectReport) -> bool {
    object.uid.is_some() || object.blocker.is_some() || object.health != Health::Unknown
}

impl Entry {
    /// Its content, where that is the current spec: of a former generation only the digest is known.
    pub(crate) fn content(&self) -> Option<&Content> {
        let same = self.spec.digest == self.head.digest;
        let deliverable = self.spec.delivery.as_ref().ok().filter(|_| same)?;
        Some(&deliverable.content)
    }
}

impl Writes {
    /// When the next write may be made.
    pub(crate) fn not_before(&self) -> Duration {
        self.not_before
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn failed(&mut self, retry_after: Option<Duration>, now: Duration) {
        self.dirty = true;
        self.not_before = now + retry_after.unwrap_or_default().max(retry(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}

/// How long to wait after a write failed for the `failures + 1`st time.
pub(crate) fn retry(failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.min(16));
    FIRST_RETRY.saturating_mul(factor).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_wait_twice_as_long_each_time_up_to_their_limit() {
        let waits: Vec<u128> = (0..10).map(|failures| retry(failures).as_millis()).collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]
        );
        assert_eq!(retry(u32::MAX), LONGEST_RETRY);
    }
}
