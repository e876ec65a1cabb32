//! The agent's way to the hub: dials, again and again, and hands what arrives to the session.
//!
//! How a goodbye becomes a wait ([`Uplink::hear`], [`Uplink::wait`]) is the runner's decision, written again: here any
//! replica may be dialled next, and the ceiling doubles after the goodbye of a hub that restarts as well.

use core::time::Duration;

use outhaul_agent_core::plane;
use outhaul_protocol_session::agent::{Dial, Plane as _, Session, Store, StoreContent};
use outhaul_protocol_session::redial::{self, BASE, CAP, Ended};
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::head::{Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Generation, Term};
use outhaul_protocol_wire::limits::CONTROL_FRAME;
use outhaul_protocol_wire::message::{AgentMessage, ClosingReason, HubMessage};

use super::{AgentEvent, Connected};
use crate::broken::Broken;
use crate::link::LinkId;
use crate::schedule::{HUBS, Moment, PLANES};
use crate::world::{Event, World};

/// When to dial again, and what is known for it.
#[derive(Debug)]
pub(super) struct Uplink {
    pub(super) dials: u64,
    ceiling: Duration,
    fleet: u32,
    ended: Ended,
}

impl Default for Uplink {
    fn default() -> Self {
        Self {
            dials: 0,
            ceiling: BASE,
            fleet: 1,
            ended: Ended::Lost,
        }
    }
}

impl Uplink {
    pub(super) fn welcomed(&mut self, fleet: u32) {
        self.fleet = fleet;
        self.ceiling = BASE;
    }

    /// What matters for the next dial.
    fn hear(&mut self, message: &HubMessage) {
        match message {
            HubMessage::Refused(refused) => self.ended = Ended::RetryAfter(refused.retry_after()),
            HubMessage::Closing(closing) => {
                let retry_after = closing.retry_after();
                self.ended = match closing.reason {
                    ClosingReason::Restarting => Ended::Restarting {
                        fleet: self.fleet,
                        retry_after,
                    },
                    ClosingReason::Superseded | ClosingReason::Revoked => Ended::RetryAfter(retry_after),
                };
            }
            _ => {}
        }
    }

    fn wait(&mut self, random: u64) -> Duration {
        let ceiling = self.ceiling;
        self.ceiling = (ceiling * 2).min(CAP);
        redial::delay(core::mem::replace(&mut self.ended, Ended::Lost), ceiling, random)
    }
}

impl World {
    /// Dials any replica, as behind one address.
    pub(super) fn dial(&mut self, number: usize) {
        let now = self.agenda.now();
        let plane = &mut self.planes[number];
        let run = plane.run;
        let Some(running) = &mut plane.running else { return };
        running.uplink.dials += 1;
        let first = plane.dice.below(HUBS as u64);
        let hub = usize::try_from(first).unwrap_or_default();
        let reachable = plane.network.cut_until <= now && self.hubs[hub].serves();
        let wait = match reachable {
            true => plane.dice.between(1, 20),
            false => plane.dice.between(20, 3_000),
        };
        let event = AgentEvent::Connected(run, reachable.then_some(hub));
        self.agenda
            .after(Duration::from_millis(wait), Event::Agent(number, event));
    }

    pub(super) fn dialled(&mut self, number: usize, hub: Option<usize>) {
        let Some(hub) = hub.filter(|hub| self.hubs[*hub].serves()) else {
            return self.dial_later(number);
        };
        let now = self.instant();
        let link = self.connect(number, hub);
        let boot = self.planes[number].boot;
        let run = self.planes[number].run;
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        running.plane.advance(now);
        let dial = Dial {
            agent_version: "sim".to_owned(),
            kubernetes_version: "v1.37.0".to_owned(),
            instance: u128::from(run).to_be_bytes(),
            term: Term {
                boot,
                dial: running.uplink.dials,
            },
        };
        let session = Session::open(dial, &running.plane, now);
        running.connected = Some(Connected { link, session });
    }

    fn dial_later(&mut self, number: usize) {
        let plane = &mut self.planes[number];
        let (run, random) = (plane.run, plane.dice.draw());
        let Some(running) = &mut plane.running else { return };
        let wait = running.uplink.wait(random);
        self.agenda
            .after(wait, Event::Agent(number, AgentEvent::Dial(run)));
    }

    pub(crate) fn agent_hears(&mut self, number: usize, link: LinkId, bytes: &[u8]) {
        if self.crash_agent_at(number, Moment::Heard) {
            return;
        }
        let message = match frame::decode::<HubMessage, CONTROL_FRAME>(&bytes[4..]) {
            Ok(message) => message,
            Err(error) => return self.violate("what is sent can be read", error.to_string()),
        };
        let broken = self.broken;
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        running.uplink.hear(&message);
        let Some(connected) = running.connected.as_mut().filter(|it| it.link == link) else {
            return;
        };
        if broken == Some(Broken::GenerationIgnored) {
            take_whatever_is_older(&mut running.plane, &message);
        }
        if broken == Some(Broken::ForgottenRemoves) {
            remove_if_forgotten(&mut running.plane, &message);
        }
        match connected.session.handle(message, &running.plane) {
            Ok(events) => self.session_events(number, events),
            Err(violation) => self.violate("nobody breaks the protocol", format!("a hub: {violation}")),
        }
        self.progress(number);
    }

    pub(crate) fn agent_fetched(&mut self, number: usize, link: LinkId, digest: &Digest, answer: Fetched) {
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        let Some(connected) = running.connected.as_mut().filter(|it| it.link == link) else {
            return;
        };
        let events = connected.session.fetched(digest, answer);
        self.session_events(number, events);
        self.progress(number);
    }

    /// The agent notices that its connection is over, and dials again after a while.
    pub(crate) fn agent_lost(&mut self, number: usize, link: LinkId) {
        if let Some(running) = &mut self.planes[number].running
            && running.connected.as_ref().is_some_and(|it| it.link == link)
        {
            running.connected = None;
        }
        self.tell(|| format!("agent {} is disconnected", PLANES[number]));
        self.dial_later(number);
    }

    /// A hub that does not answer the hello is given up.
    pub(super) fn check_session_time(&mut self, number: usize) {
        let now = self.instant();
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        let late = |it: &mut Connected| it.session.deadline().is_some_and(|(at, _)| at <= now);
        if let Some(connected) = running.connected.take_if(late) {
            self.break_link(connected.link, Duration::ZERO, Duration::ZERO);
        }
    }
}

/// What of a message is really sent.
pub(super) fn said(message: AgentMessage, broken: Option<Broken>) -> Option<AgentMessage> {
    match message {
        AgentMessage::Hello(mut hello) if broken == Some(Broken::ObservedUntold) => {
            hello.observed = None;
            Some(AgentMessage::Hello(hello))
        }
        AgentMessage::Observed(_) if broken == Some(Broken::ObservedUntold) => None,
        message => Some(message),
    }
}

/// A broken agent removes what a complete announcement did not name.
pub(super) fn remove_absent(plane: &mut plane::Plane, key: &Key) {
    let Some(holding) = plane.holding(key) else { return };
    let Head { version, digest, .. } = holding.head;
    let head = Head {
        key: key.clone(),
        version: Version {
            generation: Generation(version.generation.0 + 1),
            ..version
        },
        digest,
        state: HeadState::Removed,
        confirmed: None,
    };
    let store = Store {
        head,
        recorded: true,
        content: StoreContent::Kept,
    };
    plane.take(store).expect("nothing new comes with it");
}

/// A broken agent takes the word that its plane was forgotten for a word about what it holds.
fn remove_if_forgotten(plane: &mut plane::Plane, message: &HubMessage) {
    let HubMessage::Refused(refused) = message else {
        return;
    };
    let keys: Vec<Key> = match refused.message.contains("forgotten") {
        true => plane.holdings().map(|holding| holding.head.key.clone()).collect(),
        false => Vec::new(),
    };
    keys.iter().for_each(|key| remove_absent(plane, key));
}

/// A broken agent takes heads whatever their version.
fn take_whatever_is_older(plane: &mut plane::Plane, message: &HubMessage) {
    let HubMessage::Announce(announce) = message else {
        return;
    };
    for announced in &announce.heads {
        let known = plane.holding(&announced.head.key);
        let older = known.is_some_and(|known| known.head.version > announced.head.version);
        if let (true, Some(content)) = (older, &announced.content) {
            let store = Store {
                head: announced.head.clone(),
                recorded: announced.recorded,
                content: StoreContent::New(content.clone()),
            };
            plane.take(store).expect("the hub's content is what it says");
        }
    }
}
