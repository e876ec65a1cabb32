//! Connections between agents and hubs: ordered messages in both directions, and an end that each side notices by
//! itself. Messages travel as bytes, so none is larger than its frame.

use core::time::Duration;

use outhaul_hub_core::SessionId;
use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::limits::CONTROL_FRAME;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};

use crate::dice::Dice;
use crate::world::{Event, World};

/// Messages on their way in one direction; then the sender waits, and builds what it says from newer state.
pub(crate) const ROOM: usize = 6;

/// When a silent connection is given up.
const IDLE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// One connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) plane: usize,
    /// Which run of the agent made it.
    pub(crate) agent_run: u64,
    pub(crate) hub: usize,
    pub(crate) hub_run: u64,
    /// The session on it, once the hub has opened one.
    pub(crate) session: Option<SessionId>,
    pub(crate) agent_open: bool,
    pub(crate) hub_open: bool,
    to_hub: Way,
    to_agent: Way,
    dice: Dice,
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    on_the_way: usize,
    last: Duration,
}

#[derive(Debug)]
pub(crate) enum LinkEvent {
    ToHub(Vec<u8>),
    ToAgent(Vec<u8>),
    /// The agent asks for content.
    Ask(outhaul_protocol_wire::digest::Digest),
    /// The hub's answer to that.
    Told(
        outhaul_protocol_wire::digest::Digest,
        outhaul_protocol_wire::content::Fetched,
    ),
    HubLost,
    AgentLost,
}

impl World {
    /// A new connection.
    pub(crate) fn connect(&mut self, plane: usize, hub: usize) -> LinkId {
        self.last_link += 1;
        let id = LinkId(self.last_link);
        let link = Link {
            plane,
            agent_run: self.planes[plane].run,
            hub,
            hub_run: self.hubs[hub].run,
            session: None,
            agent_open: true,
            hub_open: true,
            to_hub: Way::default(),
            to_agent: Way::default(),
            dice: self.dice(&format!("link {plane} {}", self.last_link)),
        };
        self.links.insert(id, link);
        id
    }

    pub(crate) fn room_to_hub(&self, link: LinkId) -> bool {
        self.links
            .get(&link)
            .is_some_and(|link| link.to_hub.on_the_way < ROOM)
    }

    pub(crate) fn room_to_agent(&self, link: LinkId) -> bool {
        self.links
            .get(&link)
            .is_some_and(|link| link.to_agent.on_the_way < ROOM)
    }

    pub(crate) fn say_to_hub(&mut self, link: LinkId, message: &AgentMessage) {
        self.coverage.agent_message(message);
        match frame::encode::<CONTROL_FRAME>(message) {
            Ok(bytes) => self.send(link, LinkEvent::ToHub(bytes), true),
            Err(error) => self.violate("messages fit their frames", format!("{message:?}: {error}")),
        }
    }

    pub(crate) fn say_to_agent(&mut self, link: LinkId, message: &HubMessage) {
        self.coverage.hub_message(message);
        match frame::encode::<CONTROL_FRAME>(message) {
            Ok(bytes) => self.send(link, LinkEvent::ToAgent(bytes), false),
            Err(error) => self.violate("messages fit their frames", format!("{message:?}: {error}")),
        }
    }

    pub(crate) fn send(&mut self, id: LinkId, event: LinkEvent, to_hub: bool) {
        let now = self.agenda.now();
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let network = &self.planes[link.plane].network;
        let most = network.latency(now);
        let delay = Duration::from_micros(link.dice.between(200, most * 1_000));
        let way = match to_hub {
            true => &mut link.to_hub,
            false => &mut link.to_agent,
        };
        way.on_the_way += 1;
        way.last = way.last.max(now + delay).max(network.cut_until);
        let at = way.last;
        self.agenda.at(at, Event::Link(id, event));
    }

    /// The network between a plane and all hubs is gone for a while.
    pub(crate) fn partition(&mut self, plane: usize, time: Duration) {
        let until = self.agenda.now() + time;
        let network = &mut self.planes[plane].network;
        network.cut_until = network.cut_until.max(until);
        if time < IDLE {
            return;
        }
        for id in self.links_of(plane) {
            self.break_link(id, IDLE, IDLE);
        }
    }

    /// A connection breaks, and each side notices after a while.
    pub(crate) fn break_link(&mut self, id: LinkId, agent: Duration, hub: Duration) {
        self.agenda.after(agent, Event::Link(id, LinkEvent::AgentLost));
        self.agenda.after(hub, Event::Link(id, LinkEvent::HubLost));
    }

    /// Until everything that is on its way to the agent has arrived.
    pub(crate) fn after_words(&self, id: LinkId) -> Duration {
        let last = self.links.get(&id).map(|link| link.to_agent.last);
        last.unwrap_or_default().saturating_sub(self.agenda.now())
    }

    pub(crate) fn links_of(&self, plane: usize) -> Vec<LinkId> {
        let links = self.links.iter();
        links
            .filter(|(_, link)| link.plane == plane)
            .map(|(id, _)| *id)
            .collect()
    }

    pub(crate) fn link_event(&mut self, id: LinkId, event: LinkEvent) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (plane, hub) = (link.plane, link.hub);
        let agent_there = link.agent_open && self.planes[plane].run == link.agent_run;
        let hub_there = link.hub_open && self.hubs[hub].run == link.hub_run;
        match event {
            LinkEvent::ToHub(bytes) => {
                link.to_hub.on_the_way -= 1;
                if hub_there {
                    self.hub_hears(id, hub, &bytes);
                }
                if agent_there {
                    self.agent_has_room(plane, id);
                }
            }
            LinkEvent::ToAgent(bytes) => {
                link.to_agent.on_the_way -= 1;
                if agent_there {
                    self.agent_hears(plane, id, &bytes);
                }
                if hub_there {
                    self.hub_has_room(hub, id);
                }
            }
            LinkEvent::Ask(digest) => {
                link.to_hub.on_the_way -= 1;
                let session = link.session;
                if hub_there && let Some(session) = session {
                    let answer = self.hub_fetch(hub, session, digest);
                    self.send(id, LinkEvent::Told(digest, answer), false);
                }
            }
            LinkEvent::Told(digest, answer) => {
                link.to_agent.on_the_way -= 1;
                if agent_there {
                    self.agent_fetched(plane, id, &digest, answer);
                }
            }
            LinkEvent::HubLost => {
                link.hub_open = false;
                let session = link.session.take();
                if hub_there && let Some(session) = session {
                    self.hub_lost(hub, session);
                }
            }
            LinkEvent::AgentLost => {
                link.agent_open = false;
                if agent_there {
                    self.agent_lost(plane, id);
                }
            }
        }
        self.links.retain(|_, link| {
            link.agent_open || link.hub_open || link.to_hub.on_the_way + link.to_agent.on_the_way > 0
        });
    }
}

/// The network in front of one plane.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) cut_until: Duration,
    pub(crate) slow: Option<(u64, Duration)>,
}

impl Network {
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }

    /// How long a message takes at most, in milliseconds.
    fn latency(&self, now: Duration) -> u64 {
        self.slow
            .filter(|(_, until)| *until > now)
            .map_or(4, |(by, _)| by.max(1))
    }
}
