//! Planes as resources: who may connect, and the one condition that says whether somebody is.

use core::time::Duration;

use outhaul_hub_resources::conditions::{CONNECTED, status};
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::message::ClosingReason;
use outhaul_protocol_wire::policy::Policy;

use super::{Fleet, Origin, Owner, orphans};
use crate::condition::{self, Said};
use crate::delivery::retry;
use crate::now::Now;
use crate::output::{Change, Outcome, Output, Subject, Write, WriteId};
use crate::plane::{Judgement, PlaneRecord};
use crate::verdict::shortened;
use crate::{policy, reason};

/// How long a plane may be away before its condition says so. After a crash of the hub agents notice within the
/// keep-alive of 20 s and come back spread over up to 30 s: within this time nothing is written.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// What a revoked agent waits before it tries again.
const REVOKED_MS: u64 = 60_000;

impl Fleet {
    /// A Plane was seen.
    pub fn plane(&mut self, record: PlaneRecord, origin: Origin, now: Now) {
        let name = record.name.clone();
        let admits = Some(record.admits.clone());
        let state = self.planes.entry(name.clone()).or_default();
        let newest = state.record.as_ref().filter(|known| known.uid == record.uid);
        // What enrolment was answered is told at once; the watch may still be behind it.
        if origin == Origin::Watch
            && newest.is_some_and(|known| record.resource_version < known.resource_version)
        {
            return;
        }
        if state.record.is_none() {
            state.lost = Some(now.uptime);
        }
        // Of what was on it before a list, nobody knows whether it was so in this control plane.
        if origin == Origin::List {
            state.writes.empty = None;
        }
        // Nobody but a hub with a session says so. To contradict it would go back and forth without end.
        let news = is_connected(&record) && newest.is_some_and(|known| !is_connected(known));
        if news && !self.live.contains_key(&name) {
            state.lost = None;
        }
        state.done.retain(|key| orphans::decides(&record, key));
        let going = record.going();
        let (deleting, kept) = (record.deleting, record.has_finalizer());
        let known = state.record.replace(record);
        let admits_changed = known.as_ref().map(|known| &known.admits) != admits.as_ref();
        let going_changed = known.and_then(|known| known.going()) != going;
        if admits_changed {
            self.routing.set_plane(name.clone(), admits);
        }
        if going_changed {
            self.routing.set_going(name.clone(), going);
        }
        let kept_changed = self.routing.set_kept(&name, kept);
        match deleting {
            true => self.leaving.insert(name.clone()),
            false => self.leaving.remove(&name),
        };
        if admits_changed || going_changed {
            self.rerouted(now);
        } else if kept_changed {
            self.reconcile_on(&name, now);
        }
        self.end_if_refused(&name, now);
        self.vouch(&name);
        self.decide_orphans(&name);
        self.reconcile_plane(&name, now);
        self.changed(&name, None);
    }

    /// A Plane does not exist any more: its agent is refused, and keeps what it holds.
    pub fn plane_vanished(&mut self, name: &PlaneName, now: Now) {
        if let Some(state) = self.planes.get_mut(name) {
            state.record = None;
        }
        self.routing.set_plane(name.clone(), None);
        self.routing.set_going(name.clone(), None);
        self.routing.set_kept(name, false);
        self.leaving.remove(name);
        self.end(name, ClosingReason::Revoked, REVOKED_MS, now);
        self.rerouted(now);
        self.changed(name, None);
        if self.planes.get(name).is_some_and(|state| state.keys().len() == 0) {
            self.planes.remove(name);
        }
    }

    fn reconcile_on(&mut self, name: &PlaneName, now: Now) {
        let keys = self.planes.get(name).map(|state| state.keys().cloned().collect());
        let keys: Vec<_> = keys.unwrap_or_default();
        for key in keys {
            self.reconcile(&key, now);
        }
    }

    /// Brings a Plane in line with its session and with what is on it: the first key and the finalizer at once, the
    /// condition at once or when the grace time is over. One write at a time: each needs the resourceVersion that the one
    /// before left.
    pub(super) fn reconcile_plane(&mut self, name: &PlaneName, now: Now) {
        if !self.synced {
            return;
        }
        self.note_empty(name, now);
        let Some(state) = self.planes.get(name) else {
            return;
        };
        let Some(record) = state.record.as_ref().filter(|_| state.writes.pending.is_none()) else {
            return;
        };
        let dialer = self.live.get(name).map(|live| live.dialer.key);
        let first = dialer.filter(|key| record.judge(key) == Judgement::First);
        let known = record.resource_version;
        let key = first.map(|key| Change::PlaneKey {
            key: key.to_string(),
            known,
        });
        let now_or_never = key
            .or_else(|| self.finalizer_due(name, now))
            .or_else(|| state.decisions_due(record, |key| self.deliveries.contains_key(key)))
            .or_else(|| self.policy_due(name, record))
            .or_else(|| self.confirmation_due(name, record, now));
        let due = match now_or_never {
            Some(_) => Some(Duration::ZERO),
            None => condition_due(record, dialer.is_some(), state.lost),
        };
        let Some(due) = due.map(|due| due.max(state.writes.not_before)) else {
            return;
        };
        if due > now.uptime {
            self.due.insert((due, Owner::Plane(name.clone())));
            return;
        }
        let change = now_or_never.unwrap_or_else(|| {
            let mut conditions = record.conditions.clone();
            condition::set(&mut conditions, said(dialer.is_some()), now.wall);
            Change::PlaneConditions { conditions, known }
        });
        self.note_in_use(name, &change);
        self.write_plane(name, change);
    }

    /// The policy of the plane's owner changed.
    pub(super) fn governed(&mut self, name: &PlaneName, policy: Policy, now: Now) {
        let Some(live) = self.live.get_mut(name) else {
            return;
        };
        live.policy = policy;
        self.note_policy(name);
        self.reconcile_plane(name, now);
        self.changed(name, None);
    }

    /// Publishes what is wrong with the policy of a plane, unless the Plane says it already.
    pub(super) fn note_policy(&mut self, name: &PlaneName) {
        let problem = self
            .live
            .get(name)
            .and_then(|live| live.policy.problem.as_deref());
        let record = self.planes.get(name).and_then(|state| state.record.as_ref());
        let said = record.and_then(|record| record.policy.as_ref()?.problem.as_deref());
        if let Some(problem) = problem.filter(|_| said != problem) {
            let message = format!(
                "the policy of the plane's owner cannot be read, and what could be read last is in force: {}",
                shortened(problem)
            );
            self.note_plane(name, reason::POLICY_MALFORMED, &message);
        }
    }

    /// The write that says which policy a plane is under; nobody but a hub with a session knows.
    fn policy_due(&self, name: &PlaneName, record: &PlaneRecord) -> Option<Change> {
        let policy = policy::shown(&self.live.get(name)?.policy);
        (policy != record.policy).then_some(Change::PlanePolicy {
            policy,
            known: record.resource_version,
        })
    }

    pub(super) fn plane_written(&mut self, name: &PlaneName, id: WriteId, outcome: Outcome, now: Now) {
        let Some(state) = self.planes.get_mut(name) else {
            return;
        };
        let writes = &mut state.writes;
        writes.pending.take_if(|pending| *pending == id);
        match outcome {
            Outcome::PlaneDone(record) => {
                writes.failures = 0;
                // Meanwhile the watch may have said that this Plane is gone.
                if state.record.as_ref().is_some_and(|known| known.uid == record.uid) {
                    return self.plane(*record, Origin::Watch, now);
                }
            }
            // Outdated: the watch brings what is there now.
            Outcome::Done(_)
            | Outcome::Gone
            | Outcome::Outdated
            | Outcome::Invalid { .. }
            | Outcome::Failed { .. } => {
                writes.not_before = now.uptime + retry(writes.failures);
                writes.failures = writes.failures.saturating_add(1);
            }
        }
        self.reconcile_plane(name, now);
    }

    fn write_plane(&mut self, name: &PlaneName, change: Change) {
        let id = WriteId(self.next_id());
        let Some(state) = self.planes.get_mut(name) else {
            return;
        };
        let Some(record) = &state.record else { return };
        let subject = Subject::Plane(name.clone(), record.uid.clone());
        state.writes.pending = Some(id);
        self.writing.insert(id, Owner::Plane(name.clone()));
        self.outputs
            .push_back(Output::Write(Write { id, subject, change }));
    }

    fn end_if_refused(&mut self, name: &PlaneName, now: Now) {
        let Some(live) = self.live.get(name) else {
            return;
        };
        let key = live.dialer.key;
        let record = self.planes.get(name).and_then(|plane| plane.record.as_ref());
        match record.map(|record| record.judge(&key)) {
            // A Plane read before our own write of its first key.
            Some(Judgement::Accepted | Judgement::First) => {}
            Some(Judgement::Revoked | Judgement::Forgotten | Judgement::KeyUnknown) | None => {
                self.end(name, ClosingReason::Revoked, REVOKED_MS, now);
            }
        }
    }
}

fn is_connected(record: &PlaneRecord) -> bool {
    let connected = condition::get(&record.conditions, CONNECTED);
    connected.is_some_and(|connected| connected.status == status::TRUE)
}

/// When the condition has to be written; none if it is right as it is.
fn condition_due(record: &PlaneRecord, connected: bool, lost: Option<Duration>) -> Option<Duration> {
    let known = condition::get(&record.conditions, CONNECTED).map(|condition| condition.status.as_str());
    match (connected, known) {
        (true, Some(status::TRUE)) | (false, None | Some(status::FALSE)) => None,
        (true, _) => Some(Duration::ZERO),
        (false, _) => lost.map(|lost| lost + GRACE),
    }
}

fn said(connected: bool) -> Said {
    let (status, reason, message) = match connected {
        true => (status::TRUE, reason::SESSION_OPEN, "the agent has a session"),
        false => (
            status::FALSE,
            reason::SESSION_LOST,
            "no agent has a session; workloads there run on",
        ),
    };
    Said {
        r#type: CONNECTED,
        status,
        reason: reason.to_owned(),
        message: message.to_owned(),
        generation: None,
    }
}
