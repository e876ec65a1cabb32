//! One hub, one plane, and a link between them that keeps order and may break.

use std::collections::VecDeque;
use std::time::Instant;

use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::head::{BundleKind, Key};
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::limits::CONTROL_FRAME;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use proptest::prelude::*;

use crate::hub::SimHub;
use crate::plane::SimPlane;

/// Resources that single steps play with.
const FEW: u64 = 5;

/// More resources than the window has places.
const MANY: u64 = 300;

/// Messages on their way in one direction: a slow link holds its sender up.
const LINK: usize = 4;

/// Steps within which everything must come to rest.
const PATIENCE: usize = 20_000;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Create(u64),
    Edit(u64),
    Remove(u64),
    Forget(u64),
    Record(u64),
    CreateMany,
    BackUp,
    Restore,
    Tick(u64, u64),
    Connect,
    Cut,
    RestartHub,
    RestartAgent,
    Look,
    HubSends,
    AgentSends,
    HubReceives,
    AgentReceives,
    Fetch,
    FailFetch,
    Write,
    LetGo,
}

#[derive(Debug)]
pub(crate) struct World {
    hub: SimHub,
    plane: SimPlane,
    to_hub: VecDeque<Vec<u8>>,
    to_agent: VecDeque<Vec<u8>>,
    start: Instant,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let few = 0..FEW;
    prop_oneof![
        4 => few.clone().prop_map(Step::Create),
        4 => few.clone().prop_map(Step::Edit),
        2 => few.clone().prop_map(Step::Remove),
        1 => few.clone().prop_map(Step::Forget),
        4 => few.clone().prop_map(Step::Record),
        1 => Just(Step::BackUp),
        1 => Just(Step::Restore),
        6 => (few, 0..8_u64).prop_map(|(key, object)| Step::Tick(key, object)),
        4 => Just(Step::Connect),
        1 => Just(Step::Cut),
        1 => Just(Step::RestartHub),
        1 => Just(Step::RestartAgent),
        2 => Just(Step::Look),
        12 => Just(Step::HubSends),
        12 => Just(Step::AgentSends),
        12 => Just(Step::HubReceives),
        12 => Just(Step::AgentReceives),
        6 => Just(Step::Fetch),
        1 => Just(Step::FailFetch),
        10 => Just(Step::Write),
        4 => Just(Step::LetGo),
    ]
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            hub: SimHub::default(),
            plane: SimPlane::new(),
            to_hub: VecDeque::new(),
            to_agent: VecDeque::new(),
            start: Instant::now(),
        }
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Create(name) => self.hub.create(&key(*name)),
            Step::Edit(name) => self.hub.edit(&key(*name)),
            Step::Remove(name) => self.hub.remove(&key(*name)),
            Step::Forget(name) => self.hub.forget(&key(*name)),
            Step::Record(name) => self.hub.record(&key(*name)),
            Step::CreateMany => (0..MANY).for_each(|name| self.hub.create(&key(name))),
            Step::BackUp => self.hub.back_up(),
            Step::Restore => {
                self.hub.restore();
                self.cut();
            }
            Step::Tick(name, object) => self.plane.tick(&key(*name), *object),
            Step::Connect => self.connect_if_cut(),
            Step::Cut => self.cut(),
            Step::RestartHub => {
                self.hub.restart();
                self.cut();
            }
            Step::RestartAgent => {
                self.plane.restart();
                self.cut();
            }
            Step::Look => self.plane.look(),
            Step::HubSends => drop(self.hub_sends()),
            Step::AgentSends => drop(self.agent_sends()),
            Step::HubReceives => drop(self.hub_receives()),
            Step::AgentReceives => drop(self.agent_receives()),
            Step::Fetch => drop(self.fetch()),
            Step::FailFetch => self.fail_fetch(),
            Step::Write => drop(self.plane.finish_write()),
            Step::LetGo => self.hub.let_go(),
        }
        self.hub.check();
    }

    /// Heals everything, lets both ends come to rest, and checks what must be true then.
    pub(crate) fn heal_and_check(&mut self) {
        self.plane.look();
        self.hub.record_all();
        self.connect_if_cut();
        self.rest();
        // What a hub forgot without a word shows at the next reconnect.
        self.reconnect();
        self.rest();
        if self.hub.behind {
            // Only an operator can say that the restored hub is right.
            self.cut();
            self.hub.raise_epoch();
            self.connect_if_cut();
            self.rest();
        }
        assert_eq!(self.hub.desired(), self.plane.desired(), "desired roots differ");
        assert_eq!(
            self.hub.observed(),
            self.plane.observed(),
            "observed roots differ"
        );
        for (key, list) in self.hub.lists() {
            assert_eq!(
                Some(list.objects.as_slice()),
                self.plane.objects(key),
                "report of {key}"
            );
        }
        self.check_reconnect();
    }

    /// Absence is no statement: what a plane held it holds, unless the hub said otherwise.
    pub(crate) fn holds(&self, name: u64) -> bool {
        self.plane.holds(&key(name))
    }

    /// A converged reconnect is one message each way.
    fn check_reconnect(&mut self) {
        self.reconnect();
        let (mut from_agent, mut from_hub) = (0, 0);
        while self.agent_sends() || self.hub_sends() {
            from_agent += self.to_hub.len();
            from_hub += self.to_agent.len();
            while self.hub_receives() || self.agent_receives() {}
        }
        assert_eq!(
            (from_agent, from_hub),
            (1, 1),
            "messages of a converged reconnect"
        );
    }

    fn rest(&mut self) {
        for _ in 0..PATIENCE {
            let moved = [
                self.agent_sends(),
                self.hub_sends(),
                self.hub_receives(),
                self.agent_receives(),
                self.fetch(),
                self.plane.finish_write(),
            ];
            self.hub.let_go();
            self.hub.check();
            if !moved.contains(&true) {
                return;
            }
        }
        panic!("no rest after {PATIENCE} steps");
    }

    fn reconnect(&mut self) {
        self.cut();
        self.connect_if_cut();
    }

    fn connect_if_cut(&mut self) {
        if self.plane.session.is_none() {
            self.plane.dial(self.start);
        }
    }

    /// Everything on its way is lost.
    fn cut(&mut self) {
        self.to_hub.clear();
        self.to_agent.clear();
        self.hub.session = None;
        self.plane.disconnect();
    }

    fn agent_sends(&mut self) -> bool {
        let Some(session) = self.plane.session.as_mut().filter(|_| self.to_hub.len() < LINK) else {
            return false;
        };
        let Some(message) = session.poll_transmit(&self.plane.state) else {
            return false;
        };
        self.to_hub.push_back(framed(&message));
        true
    }

    fn hub_sends(&mut self) -> bool {
        let Some(session) = self.hub.session.as_mut().filter(|_| self.to_agent.len() < LINK) else {
            return false;
        };
        let Some(message) = session.poll_transmit(&self.hub.stored) else {
            return false;
        };
        self.to_agent.push_back(framed(&message));
        true
    }

    fn hub_receives(&mut self) -> bool {
        let Some(bytes) = self.to_hub.pop_front() else {
            return false;
        };
        match frame::decode::<AgentMessage, CONTROL_FRAME>(&bytes).expect("a sent message decodes") {
            AgentMessage::Hello(hello) => self.hub.open(&hello),
            message => self.hub.handle(message),
        }
        true
    }

    fn agent_receives(&mut self) -> bool {
        let Some(bytes) = self.to_agent.pop_front() else {
            return false;
        };
        let message = frame::decode::<HubMessage, CONTROL_FRAME>(&bytes).expect("a sent message decodes");
        self.plane.handle(message);
        true
    }

    fn fetch(&mut self) -> bool {
        self.plane.start_fetches();
        let Some(digest) = self.plane.fetching.pop_first() else {
            return false;
        };
        let answer = self.hub.fetch(&digest);
        let session = self.plane.session.as_mut().expect("fetches end with the session");
        let events = session.fetched(&digest, answer);
        self.plane.act(events);
        true
    }

    fn fail_fetch(&mut self) {
        self.plane.start_fetches();
        if let Some(digest) = self.plane.fetching.pop_first() {
            let session = self.plane.session.as_mut().expect("fetches end with the session");
            session.fetch_failed(&digest);
        }
    }
}

fn framed(message: &impl bincode::Encode) -> Vec<u8> {
    let frame = frame::encode::<CONTROL_FRAME>(message).expect("every message fits its frame");
    frame[frame::HEADER..].to_vec()
}

fn key(name: u64) -> Key {
    Key {
        kind: BundleKind::Release,
        namespace: "shop".into(),
        name: format!("r{name}"),
        uid: Uid::new(format!("u{name}")).expect("a short uid"),
    }
}
