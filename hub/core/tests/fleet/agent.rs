//! An agent that keeps heads as a plane does, and says what a test has it say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use outhaul_hub_core::{Dialer, SessionId};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, HeadState, Key};
use outhaul_protocol_wire::ids::{Epoch, Term, Uid};
use outhaul_protocol_wire::message::{AgentMessage, Held, Hello, HubMessage, Orphans, Refused};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::{
    self, Blocker, BlockerReason, Health, Leftover, ObjectReport, RawStatus, Report,
};
use outhaul_protocol_wire::root;

use crate::world::{World, agent_key};

pub(crate) struct Agent {
    pub(crate) plane: &'static str,
    pub(crate) session: SessionId,
    pub(crate) term: Term,
    pub(crate) heads: BTreeMap<Key, Head>,
    pub(crate) recorded: BTreeMap<Key, bool>,
    pub(crate) observed: BTreeMap<Key, Digest>,
    pub(crate) policy: Policy,
    /// Messages of the hub in this session.
    pub(crate) heard: Vec<HubMessage>,
}

impl Agent {
    /// An agent with nothing, in its first session.
    pub(crate) fn connect(world: &mut World, plane: &'static str) -> Self {
        let mut agent = Self {
            plane,
            session: SessionId(0),
            term: Term { boot: 1, dial: 0 },
            heads: BTreeMap::new(),
            recorded: BTreeMap::new(),
            observed: BTreeMap::new(),
            policy: Policy::default(),
            heard: Vec::new(),
        };
        agent.dial(world).unwrap();
        agent
    }

    /// An agent of plane `eu`, where the Release `cart` is and its one object is healthy.
    pub(crate) fn with_cart(world: &mut World) -> (Self, Key) {
        let mut agent = Self::connect(world, "eu");
        let key = world.create("cart");
        agent.listen(world);
        agent.report(world, &key, &[Health::Healthy]);
        agent.listen(world);
        (agent, key)
    }

    /// Dials again with what it holds.
    pub(crate) fn dial(&mut self, world: &mut World) -> Result<(), Refused> {
        self.term.dial += 1;
        let hello = self.hello();
        self.session = world.fleet.open(self.dialer(), &hello, world.now)?;
        self.heard.clear();
        self.listen(world);
        Ok(())
    }

    pub(crate) fn dialer(&self) -> Dialer {
        Dialer {
            plane: World::plane(self.plane),
            key: agent_key(),
            certificate_expires: Timestamp::MAX,
            remote: "192.0.2.1:1".into(),
        }
    }

    pub(crate) fn hello(&self) -> Hello {
        let recorded = self.heads.values().filter(|head| self.recorded[&head.key]);
        Hello {
            agent_version: "test".into(),
            kubernetes_version: "v1.37.0".into(),
            instance: [1; 16],
            term: self.term,
            epoch: Epoch(1),
            desired: root::desired(recorded),
            observed: Some(root::observed(&self.observed)),
            orphans: Orphans::default(),
            policy: self.policy.clone(),
        }
    }

    /// Has everything settle: writes are made, messages are taken, heads acknowledged.
    pub(crate) fn listen(&mut self, world: &mut World) {
        for _ in 0..100 {
            world.run();
            let messages = world.sent.remove(&self.session).unwrap_or_default();
            if messages.is_empty() {
                return;
            }
            for message in messages {
                self.take(world, &message);
                self.heard.push(message);
            }
        }
        panic!("the hub talks without end: {:?}", self.heard.last());
    }

    /// Takes what was sent so far, without any write being answered.
    pub(crate) fn overhear(&mut self, world: &mut World) {
        world.poll();
        for message in world.sent.remove(&self.session).unwrap_or_default() {
            self.take(world, &message);
            self.heard.push(message);
        }
    }

    fn take(&mut self, world: &mut World, message: &HubMessage) {
        match message {
            HubMessage::Announce(announce) => {
                for announced in &announce.heads {
                    let key = announced.head.key.clone();
                    if let Some(newer) = self
                        .heads
                        .get(&key)
                        .filter(|known| known.version > announced.head.version)
                    {
                        let (held, digest) = (held(newer), newer.digest);
                        self.say(world, AgentMessage::HubBehind { held, digest });
                        continue;
                    }
                    self.heads.insert(key.clone(), announced.head.clone());
                    self.recorded.insert(key, announced.recorded);
                }
                let held = announce
                    .heads
                    .iter()
                    .map(|announced| held(&announced.head))
                    .collect();
                self.say(world, AgentMessage::Acknowledge(held));
            }
            HubMessage::Recorded(held) => {
                self.recorded.insert(held.key.clone(), true);
            }
            HubMessage::Settled(held) => {
                self.heads.remove(&held.key);
                self.observed.remove(&held.key);
            }
            HubMessage::Welcome(_)
            | HubMessage::Refused(_)
            | HubMessage::Observed { .. }
            | HubMessage::ReportWanted(_)
            | HubMessage::Vouched(_)
            | HubMessage::Closing(_) => {}
        }
    }

    pub(crate) fn say(&self, world: &mut World, message: AgentMessage) {
        world.fleet.message(self.session, message, world.now).unwrap();
    }

    /// Reports all objects of a resource with these healths.
    pub(crate) fn report(&mut self, world: &mut World, key: &Key, healths: &[Health]) {
        self.report_objects(world, key, objects(healths));
    }

    pub(crate) fn report_objects(&mut self, world: &mut World, key: &Key, objects: Vec<ObjectReport>) {
        self.report_all(world, key, objects, Vec::new());
    }

    pub(crate) fn report_all(
        &mut self,
        world: &mut World,
        key: &Key,
        objects: Vec<ObjectReport>,
        leftovers: Vec<Leftover>,
    ) {
        let observed = report::observed(&objects, &leftovers);
        self.observed.insert(key.clone(), observed);
        let report = Report {
            key: key.clone(),
            version: self.heads[key].version,
            whole: true,
            objects,
            leftovers,
            observed: Some(observed),
        };
        self.say(world, AgentMessage::Report(report));
    }

    pub(crate) fn gone(&self, world: &mut World, key: &Key) {
        self.say(world, AgentMessage::Gone(held(&self.heads[key])));
    }

    pub(crate) fn holds(&self, key: &Key) -> Option<HeadState> {
        self.heads.get(key).map(|head| head.state)
    }

    /// Heads announced in this session.
    pub(crate) fn announced(&self) -> usize {
        let announces = self.heard.iter().map(|message| match message {
            HubMessage::Announce(announce) => announce.heads.len(),
            _ => 0,
        });
        announces.sum()
    }

    pub(crate) fn was_told(&self, wanted: impl Fn(&HubMessage) -> bool) -> bool {
        self.heard.iter().any(wanted)
    }
}

pub(crate) fn held(head: &Head) -> Held {
    Held {
        key: head.key.clone(),
        version: head.version,
    }
}

pub(crate) fn objects(healths: &[Health]) -> Vec<ObjectReport> {
    let objects = healths.iter().enumerate();
    objects.map(|(index, health)| object(index, *health)).collect()
}

pub(crate) fn object(index: usize, health: Health) -> ObjectReport {
    let name = format!("object-{index}");
    ObjectReport {
        id: name.clone(),
        object: ObjectRef {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            namespace: "shop".into(),
            name: name.clone(),
        },
        uid: Some(Uid::new(format!("live-{name}")).unwrap()),
        health,
        status: RawStatus::Json(br#"{"replicas":1}"#.to_vec()),
        blocker: None,
    }
}

pub(crate) fn blocked(index: usize) -> ObjectReport {
    ObjectReport {
        uid: None,
        health: Health::Unknown,
        status: RawStatus::Absent,
        blocker: Some(Blocker {
            reason: BlockerReason::Forbidden,
            message: "the agent may not create deployments".into(),
        }),
        ..object(index, Health::Unknown)
    }
}
