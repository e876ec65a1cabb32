//! A copy of a plane's identity: another process that dials as the agent of the same start. It listens and says nothing
//! more; what it would say of another cluster, nobody could tell from the truth.

use core::time::Duration;

use outhaul_protocol_session::agent::{Dial, Session};
use outhaul_protocol_wire::ids::Term;

use super::{AgentEvent, Plane};
use crate::link::{Link, LinkId};
use crate::schedule::HUBS;
use crate::world::{Event, World};

/// How often it looks whether it has a connection.
const LOOK: Duration = Duration::from_secs(1);

/// As which run of an agent it connects: the agent itself never comes so far.
const RUN: u64 = u64::MAX;

/// The other process.
#[derive(Debug)]
pub(crate) struct Copy {
    until: Duration,
    boot: u64,
    dials: u64,
    link: Option<LinkId>,
}

impl Link {
    /// Whether a copy dialled.
    pub(crate) fn is_copys(&self) -> bool {
        self.agent_run == RUN
    }
}

impl Plane {
    /// The agent of this plane is copied as it is now. Where none runs there is nothing to copy.
    fn copied(&self, until: Duration) -> Option<Copy> {
        let dials = self.running.as_ref()?.uplink.dials;
        Some(Copy {
            until,
            boot: self.boot,
            dials,
            link: None,
        })
    }
}

impl World {
    /// Somebody uses the identity of a plane's agent for a while.
    pub(crate) fn copy_identity(&mut self, number: usize, time: Duration) {
        let until = self.agenda.now() + time;
        let plane = &mut self.planes[number];
        if let Some(copy) = &mut plane.copy {
            copy.until = copy.until.max(until);
            return;
        }
        plane.copy = plane.copied(until);
        if plane.copy.is_some() {
            self.copy_goes_on(number);
        }
    }

    /// Dials if it has no connection, until its time is over.
    pub(super) fn copy_goes_on(&mut self, number: usize) {
        let now = self.agenda.now();
        let Some(copy) = &self.planes[number].copy else {
            return;
        };
        if copy.until <= now {
            return self.end_copy(number);
        }
        let open = |link: &LinkId| self.links.get(link).is_some_and(|link| link.agent_open);
        if copy.link.as_ref().is_none_or(|link| !open(link)) {
            self.dial_as_copy(number);
        }
        self.agenda.after(LOOK, Event::Agent(number, AgentEvent::Copied));
    }

    /// It is gone.
    pub(crate) fn end_copy(&mut self, number: usize) {
        if let Some(Copy { link: Some(link), .. }) = self.planes[number].copy.take() {
            self.break_link(link, Duration::ZERO, Duration::ZERO);
        }
    }

    fn dial_as_copy(&mut self, number: usize) {
        let now = self.instant();
        let plane = &mut self.planes[number];
        let hub = usize::try_from(plane.dice.below(HUBS as u64)).unwrap_or_default();
        let (Some(copy), Some(running)) = (&mut plane.copy, &plane.running) else {
            return;
        };
        if !self.hubs[hub].serves() {
            return;
        }
        copy.dials += 1;
        let dial = Dial {
            agent_version: "sim".to_owned(),
            kubernetes_version: "v1.37.0".to_owned(),
            instance: u128::MAX.to_be_bytes(),
            term: Term {
                boot: copy.boot,
                dial: copy.dials,
            },
        };
        let hello = Session::open(dial, &running.plane, now).poll_transmit(&running.plane);
        let link = self.connect(number, hub);
        if let Some(copy) = &mut self.planes[number].copy {
            copy.link = Some(link);
        }
        if let Some(it) = self.links.get_mut(&link) {
            it.agent_run = RUN;
        }
        self.say_to_hub(link, &hello.expect("a session begins with a hello"));
    }
}
