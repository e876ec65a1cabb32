//! Planes as resources: who may connect, and the one condition that says whether somebody is.

use core::time::Duration;

use outhaul_hub_resources::conditions::{CONNECTED, status};
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::message::ClosingReason;

use super::{Fleet, Origin, Owner};
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

    /// Brings a Plane in line with its session: the first key at once, the condition at once or when the grace time is
    /// over.
    pub(super) fn reconcile_plane(&mut self, name: &PlaneName, now: Now) {
        let Some(state) = self.planes.get(name).filter(|_| self.synced) else {
            return;
        };
        let not_before = state.writes.not_before;
        if not_before > now.uptime {
            self.due.insert((not_before, Owner::Plane(name.clone())));
            return;
        }
        self.write_key(name);
        self.write_condition(name, now);
    }

    /// Writes the first key of a Plane that has none: that of its session.
    fn write_key(&mut self, name: &PlaneName) {
        let (Some(state), Some(live)) = (self.planes.get(name), self.live.get(name)) else {
            return;
        };
        let key = live.dialer.key;
        let wanted = state.record.as_ref().map(|record| record.judge(&key)) == Some(Judgement::First);
        if !wanted || state.writes.key.is_some() {
            return;
        }
        let id = self.write_plane(name, Change::PlaneKey(key.to_string()));
        if let Some(state) = self.planes.get_mut(name) {
            state.writes.key = id.map(|id| (id, key.to_string()));
        }
    }

    fn write_condition(&mut self, name: &PlaneName, now: Now) {
        let connected = self.live.contains_key(name);
        let Some(state) = self.planes.get(name) else {
            return;
        };
        let Some(record) = state
            .record
            .as_ref()
            .filter(|_| state.writes.conditions.is_none())
        else {
            return;
        };
        let known = condition::get(&record.conditions, CONNECTED).map(|condition| condition.status.as_str());
        let due = match (connected, known) {
            (true, Some(status::TRUE)) | (false, None | Some(status::FALSE)) => return,
            (true, _) => Duration::ZERO,
            (false, _) => state.lost + GRACE,
        };
        if due > now.uptime {
            self.due.insert((due, Owner::Plane(name.clone())));
            return;
        }
        let mut conditions = record.conditions.clone();
        condition::set(&mut conditions, said(connected), now.wall);
        let id = self.write_plane(name, Change::PlaneConditions(conditions.clone()));
        if let Some(state) = self.planes.get_mut(name) {
            state.writes.conditions = id.map(|id| (id, conditions));
        }
    }

    pub(super) fn plane_written(&mut self, name: &PlaneName, id: WriteId, outcome: Outcome, now: Now) {
        let Some(state) = self.planes.get_mut(name) else {
            return;
        };
        let writes = &mut state.writes;
        let key = writes.key.take_if(|(pending, _)| *pending == id);
        let conditions = writes.conditions.take_if(|(pending, _)| *pending == id);
        match outcome {
            Outcome::Done(_) | Outcome::PlaneDone => {
                writes.failures = 0;
                // The watch says the same later.
                if let Some(record) = &mut state.record {
                    if let Some((_, key)) = key {
                        record.enrolled = Some(key);
                    }
                    if let Some((_, conditions)) = conditions {
                        record.conditions = conditions;
                    }
                }
            }
            Outcome::Gone | Outcome::Outdated | Outcome::Failed { .. } => {
                writes.not_before = now.uptime + retry(writes.failures);
                writes.failures = writes.failures.saturating_add(1);
            }
        }
        self.reconcile_plane(name, now);
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
