//! Sessions: who may have one, which of two counts, what is said in it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use outhaul_hub_resources::SessionTerm;
use outhaul_protocol_session::Violation;
use outhaul_protocol_session::hub::{Hub, Session};
use outhaul_protocol_session::term::{Claim, Precedence, precedence};
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::message::{
    AgentMessage, Closing, ClosingReason, Hello, HubMessage, Refused, RefusedReason,
};
use outhaul_protocol_wire::witness::Vouched;

use super::{Fleet, Live};
use crate::now::Now;
use crate::output::{Note, Output, SessionId, Subject};
use crate::plane::{Judgement, PlaneQueue};
use crate::{reason, status};

/// How long an agent waits after a refusal that time may cure.
pub(super) const SOON_MS: u64 = 1_000;

/// How long it waits where the hub may not have heard of a fresh enrolment yet.
const A_WHILE_MS: u64 = 5_000;

/// How long it waits after one that needs an operator.
const LATER_MS: u64 = 60_000;

/// Who dials: what the connection proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialer {
    /// The plane in its certificate.
    pub plane: PlaneName,
    /// SHA-256 of its public key.
    pub key: Digest,
    /// When its certificate expires.
    pub certificate_expires: Timestamp,
    /// Where it dials from, for people.
    pub remote: String,
}

impl Fleet {
    /// Opens a session.
    ///
    /// # Errors
    /// The agent may not have one now; the answer says why.
    pub fn open(&mut self, dialer: Dialer, hello: &Hello, now: Now) -> Result<SessionId, Refused> {
        if !self.synced {
            return Err(refused(RefusedReason::NotReady, "the hub is starting", SOON_MS));
        }
        self.admit(&dialer)?;
        self.check_epoch(hello.epoch)?;
        self.precede(&dialer.plane, hello)?;
        let hub = Hub {
            epoch: self.settings.epoch,
            fleet: u32::try_from(self.routing.planes()).unwrap_or(u32::MAX),
            vouched: self.vouched(&dialer.plane),
        };
        let queue = PlaneQueue {
            plane: self.planes.entry(dialer.plane.clone()).or_default(),
            deliveries: &self.deliveries,
        };
        let session = Session::open(hello, &queue, hub)?;
        self.end(&dialer.plane, ClosingReason::Superseded, SOON_MS, now);
        Ok(self.begin(dialer, session, hello, hub.vouched, now))
    }

    /// Takes a message.
    ///
    /// # Errors
    /// The agent broke the protocol: close the connection.
    pub fn message(&mut self, id: SessionId, message: AgentMessage, now: Now) -> Result<(), Violation> {
        let Some(plane) = self.sessions.get(&id).cloned() else {
            return Ok(()); // said before it learnt that its session is over
        };
        let (Some(live), Some(of)) = (self.live.get_mut(&plane), self.planes.get(&plane)) else {
            return Ok(());
        };
        let queue = PlaneQueue {
            plane: of,
            deliveries: &self.deliveries,
        };
        let event = live.session.handle(message, &queue)?;
        self.talking.insert(id);
        if let Some(event) = event {
            self.heard(&plane, event, now);
        }
        Ok(())
    }

    /// A connection ended.
    pub fn closed(&mut self, id: SessionId, now: Now) {
        let Some(plane) = self.sessions.remove(&id) else {
            return;
        };
        self.talking.remove(&id);
        self.live.remove(&plane);
        if let Some(state) = self.planes.get_mut(&plane) {
            state.lost = Some(now.uptime);
        }
        self.reconcile_plane(&plane, now);
        self.changed(&plane, None);
    }

    /// Sessions that may have something to say since this was last asked.
    pub fn take_talking(&mut self) -> BTreeSet<SessionId> {
        core::mem::take(&mut self.talking)
    }

    /// The next message of a session, built from the newest state.
    pub fn poll_transmit(&mut self, id: SessionId) -> Option<HubMessage> {
        let plane = self.sessions.get(&id)?;
        let queue = PlaneQueue {
            plane: self.planes.get(plane)?,
            deliveries: &self.deliveries,
        };
        self.live.get_mut(plane)?.session.poll_transmit(&queue)
    }

    /// Content for a session: only what is in the queue of its plane.
    pub fn fetch(&mut self, id: SessionId, digest: Digest, now: Now) -> Fetched {
        let content = || {
            let plane = self.planes.get(self.sessions.get(&id)?)?;
            let entry = self
                .deliveries
                .get(plane.with_content(digest)?)?
                .queued
                .as_ref()?;
            entry.content().cloned()
        };
        match content() {
            Some(content) => Fetched::Content(content),
            None => {
                self.lost_content(id, digest, now);
                Fetched::NotQueued
            }
        }
    }

    /// Says goodbye to every session: the hub restarts, and the agents spread their return over the fleet.
    pub fn close_all(&mut self, now: Now) {
        for plane in self.live.keys().cloned().collect::<Vec<_>>() {
            self.end(&plane, ClosingReason::Restarting, 0, now);
        }
    }

    /// Ends the session of a plane, if it has one.
    pub(super) fn end(&mut self, plane: &PlaneName, reason: ClosingReason, retry_after_ms: u64, now: Now) {
        if let Some(live) = self.live.remove(plane) {
            if let Some(state) = self.planes.get_mut(plane) {
                state.lost = Some(now.uptime);
            }
            self.sessions.remove(&live.id);
            self.talking.remove(&live.id);
            let closing = Closing {
                reason,
                retry_after_ms,
            };
            self.outputs.push_back(Output::Goodbye(live.id, closing));
            self.changed(plane, None);
        }
    }

    /// Somebody wrote this term into the status of a resource on this plane. If it is newer than that of our session,
    /// another hub has the plane now.
    pub(super) fn drop_superseded(&mut self, plane: &PlaneName, written: SessionTerm, now: Now) {
        let ours = self.live.get(plane).map(|live| live.session.term());
        if ours.is_some_and(|ours| written > status::session_term(ours)) {
            self.end(plane, ClosingReason::Superseded, SOON_MS, now);
            if let Some(state) = self.planes.get_mut(plane) {
                state.lost = None;
            }
        }
    }

    fn admit(&self, dialer: &Dialer) -> Result<(), Refused> {
        let judgement = self.judge(&dialer.plane, &dialer.key);
        // The first key counts from the moment it has a session, written or not.
        let taken = self
            .live
            .get(&dialer.plane)
            .is_some_and(|live| live.dialer.key != dialer.key);
        match judgement.unwrap_or(Judgement::Revoked) {
            Judgement::Accepted => Ok(()),
            Judgement::First if !taken => Ok(()),
            Judgement::Revoked => Err(refused(
                RefusedReason::Revoked,
                "the plane is revoked on the hub, or its Plane does not exist",
                LATER_MS,
            )),
            Judgement::Forgotten => Err(refused(
                RefusedReason::Revoked,
                "the plane was forgotten on the hub: what it holds stays as it is and is managed no more; to serve it \
                 again, set spec.forgotten of its Plane to false",
                LATER_MS,
            )),
            Judgement::First | Judgement::KeyUnknown => Err(refused(
                RefusedReason::KeyUnknown,
                "the hub knows another key for this plane: enrol with a new token, or add the key to spec.keys of the Plane",
                A_WHILE_MS,
            )),
        }
    }

    fn precede(&mut self, plane: &PlaneName, hello: &Hello) -> Result<(), Refused> {
        let Some(live) = self.live.get(plane) else {
            return Ok(());
        };
        let newcomer = Claim {
            term: hello.term,
            instance: Some(hello.instance),
        };
        match precedence(live.session.claim(), newcomer) {
            Precedence::NewcomerWins => Ok(()),
            Precedence::IncumbentStays => Err(refused(
                RefusedReason::Superseded,
                "a newer session of this plane exists",
                SOON_MS,
            )),
            Precedence::IdentityCopied => {
                self.note_plane(
                    plane,
                    reason::IDENTITY_COPIED,
                    "two agents use the identity of this plane at the same time: revoke it and enrol again",
                );
                Err(refused(
                    RefusedReason::IdentityCopied,
                    "another agent uses this plane's identity at the same time",
                    LATER_MS,
                ))
            }
        }
    }

    fn begin(
        &mut self,
        dialer: Dialer,
        session: Session,
        hello: &Hello,
        vouched: Option<Vouched>,
        now: Now,
    ) -> SessionId {
        let id = SessionId(self.next_id());
        let plane = dialer.plane.clone();
        let converged = session.was_converged();
        let live = Live {
            id,
            session,
            dialer,
            agent_version: hello.agent_version.clone(),
            kubernetes_version: hello.kubernetes_version.clone(),
            since: now.wall,
            unqueued_settled: 0,
            policy: hello.policy.clone(),
            vouched,
            unconfirmed: None,
        };
        self.live.insert(plane.clone(), live);
        self.sessions.insert(id, plane.clone());
        self.talking.insert(id);
        if let Some(state) = self.planes.get_mut(&plane) {
            state.orphans = hello.orphans.clone();
            state.decided.clear();
        }
        self.decide_orphans(&plane);
        self.catch_up(&plane, converged);
        self.note_policy(&plane);
        self.reconcile_plane(&plane, now);
        self.changed(&plane, None);
        id
    }

    /// Publishes a warning about a Plane.
    pub(super) fn note_plane(&mut self, plane: &PlaneName, reason: &str, message: &str) {
        let record = self.planes.get(plane).and_then(|plane| plane.record.as_ref());
        if let Some(record) = record {
            self.outputs.push_back(Output::Note(Note {
                subject: Subject::Plane(plane.clone(), record.uid.clone()),
                warning: true,
                reason: reason.to_owned(),
                message: message.to_owned(),
            }));
        }
    }
}

pub(super) fn refused(reason: RefusedReason, message: &str, retry_after_ms: u64) -> Refused {
    Refused {
        reason,
        message: message.to_owned(),
        retry_after_ms,
    }
}
