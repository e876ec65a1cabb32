//! Planes as resources: who may connect, and the one condition that says whether somebody is.

use core::time::Duration;

use outhaul_hub_resources::conditions::{CONNECTED, status};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::message::ClosingReason;

use super::{Fleet, Owner};
use crate::condition::{self, Said};
use crate::delivery::retry;
use crate::now::Now;
use crate::output::{Change, Outcome, Output, Subject, Write, WriteId};
use crate::plane::{Judgement, PlaneRecord};
use crate::reason;

/// How long a plane may be away before its condition says so. After a crash of the hub agents notice within the
/// keep-alive of 20 s and come back spread over up to 30 s: within this time nothing is written.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// What a revoked agent waits before it tries again.
const REVOKED_MS: u64 = 60_000;

impl Fleet {
    /// A Plane was seen.
    pub fn plane(&mut self, record: PlaneRecord, now: Now) {
        let name = record.name.clone();
        let admits = Some(record.admits.clone());
        let state = self.planes.entry(name.clone()).or_default();
        let known = state.record.replace(record);
        let admits_changed = known.as_ref().map(|known| &known.admits) != admits.as_ref();
        if admits_changed {
            self.routing.set_plane(name.clone(), admits);
            self.rerouted(now);
        }
        self.end_if_refused(&name);
        self.reconcile_plane(&name, now);
        self.changed(&name, None);
    }

    /// A Plane does not exist any more: its agent is refused, and keeps what it holds.
    pub fn plane_vanished(&mut self, name: &PlaneName, now: Now) {
        if let Some(state) = self.planes.get_mut(name) {
            state.record = None;
        }
        self.routing.set_plane(name.clone(), None);
        self.end(name, ClosingReason::Revoked, REVOKED_MS);
        self.rerouted(now);
        self.changed(name, None);
        if self.planes.get(name).is_some_and(|state| state.keys().len() == 0) {
            self.planes.remove(name);
        }
    }

    /// Planes that have a resource.
    pub(super) fn planes_known(&self) -> usize {
        self.planes
            .values()
            .filter(|plane| plane.record.is_some())
            .count()
    }

    /// Writes the first key of a Plane that has none. It counts from now on in this hub.
    pub(super) fn record_key(&mut self, name: &PlaneName, key: Digest) {
        let Some(record) = self.planes.get_mut(name).and_then(|plane| plane.record.as_mut()) else {
            return;
        };
        record.enrolled = Some(key.to_string());
        self.write_plane(name, Change::PlaneKey(key.to_string()));
    }

    /// Brings the condition of a Plane in line with its session, at once or when the grace time is over.
    pub(super) fn reconcile_plane(&mut self, name: &PlaneName, now: Now) {
        let connected = self.live.contains_key(name);
        let Some(state) = self.planes.get(name).filter(|_| self.synced) else {
            return;
        };
        let Some(record) = state
            .record
            .as_ref()
            .filter(|_| state.condition.pending.is_none())
        else {
            return;
        };
        let known = condition::get(&record.conditions, CONNECTED).map(|condition| condition.status.as_str());
        let due = match (connected, known) {
            (true, Some(status::TRUE)) | (false, None | Some(status::FALSE)) => return,
            (true, _) => Duration::ZERO,
            (false, _) => state.lost + GRACE,
        };
        let due = due.max(state.condition.not_before);
        if due > now.uptime {
            self.due.insert((due, Owner::Plane(name.clone())));
            return;
        }
        let mut conditions = record.conditions.clone();
        condition::set(&mut conditions, said(connected), now.wall);
        let id = self.write_plane(name, Change::PlaneConditions(conditions));
        if let Some(state) = self.planes.get_mut(name) {
            state.condition.pending = id;
        }
    }

    pub(super) fn plane_written(&mut self, name: &PlaneName, outcome: Outcome, now: Now) {
        let Some(state) = self.planes.get_mut(name) else {
            return;
        };
        let writes = &mut state.condition;
        writes.pending = None;
        match outcome {
            Outcome::Done(_) | Outcome::PlaneDone => writes.failures = 0,
            Outcome::Gone | Outcome::Outdated | Outcome::Failed { .. } => {
                writes.not_before = now.uptime + retry(writes.failures);
                writes.failures = writes.failures.saturating_add(1);
                self.reconcile_plane(name, now);
            }
        }
    }

    fn write_plane(&mut self, name: &PlaneName, change: Change) -> Option<WriteId> {
        let uid = self.planes.get(name)?.record.as_ref()?.uid.clone();
        let id = WriteId(self.next_id());
        self.writing.insert(id, Owner::Plane(name.clone()));
        let subject = Subject::Plane(name.clone(), uid);
        self.outputs
            .push_back(Output::Write(Write { id, subject, change }));
        Some(id)
    }

    fn end_if_refused(&mut self, name: &PlaneName) {
        let Some(live) = self.live.get(name) else {
            return;
        };
        let key = live.dialer.key;
        let record = self.planes.get(name).and_then(|plane| plane.record.as_ref());
        match record.map(|record| record.judge(&key)) {
            // A Plane read before our own write of its first key.
            Some(Judgement::Accepted | Judgement::First) => {}
            Some(Judgement::Revoked | Judgement::KeyUnknown) | None => {
                self.end(name, ClosingReason::Revoked, REVOKED_MS);
            }
        }
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
