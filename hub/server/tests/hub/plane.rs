//! An agent without a cluster behind it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use outhaul_hub_resources::Release;
use outhaul_protocol_transport::control::Control;
use outhaul_protocol_transport::dialer::{Dialer, EnrolError, Enrolled};
use outhaul_protocol_transport::identity::Identity;
use outhaul_protocol_transport::link::HubLink;
use outhaul_protocol_transport::pki::PrivateKey;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Key};
use outhaul_protocol_wire::ids::{Epoch, Term, Uid};
use outhaul_protocol_wire::message::{AgentMessage, Held, Hello, HubMessage, Orphans};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::{self, Health, ObjectReport, RawStatus, Report};
use outhaul_protocol_wire::root;
use outhaul_protocol_wire::token::Token;
use tokio::time::timeout;

use crate::rig::{PATIENCE, Rig};

/// What a plane keeps between sessions.
pub(crate) struct Plane {
    pub(crate) enrolled: Enrolled,
    identity: Identity,
    term: Term,
    pub(crate) heads: BTreeMap<Key, Head>,
    pub(crate) observed: BTreeMap<Key, Digest>,
}

/// One session of it.
pub(crate) struct Session {
    pub(crate) link: HubLink,
    pub(crate) control: Control<HubMessage, AgentMessage>,
}

pub(crate) async fn enrol(token: &Token, key: &PrivateKey) -> Result<Enrolled, EnrolError> {
    let address = token.hub.parse().unwrap();
    let dialer = Dialer::udp(address).unwrap();
    dialer.enrol(address, token, key, SystemTime::now()).await
}

impl Plane {
    /// A plane that has just enrolled.
    pub(crate) async fn enrol<K>(rig: &Rig<K>, name: &str) -> Self {
        let token = rig.token(name).await.token;
        let key = PrivateKey::generate().unwrap();
        let enrolled = enrol(&token, &key).await.unwrap();
        Self {
            identity: Identity {
                chain: enrolled.chain.clone(),
                key,
            },
            enrolled,
            term: Term { boot: 1, dial: 0 },
            heads: BTreeMap::new(),
            observed: BTreeMap::new(),
        }
    }

    /// Dials, and says hello.
    pub(crate) async fn dial<K>(&mut self, rig: &Rig<K>) -> Session {
        self.term.dial += 1;
        let mut session = self.dial_silently(rig).await;
        session.say(AgentMessage::Hello(self.hello())).await;
        session
    }

    /// Dials, and says nothing.
    pub(crate) async fn dial_silently<K>(&self, rig: &Rig<K>) -> Session {
        let address = rig.hub.agents();
        let dialer = Dialer::udp(address).unwrap();
        let link = dialer
            .dial(address, &self.enrolled.trust(), &self.identity)
            .await
            .unwrap();
        let control = link.open_control().await.unwrap();
        Session { link, control }
    }

    pub(crate) fn hello(&self) -> Hello {
        Hello {
            agent_version: "test".into(),
            kubernetes_version: "v1.37.0".into(),
            instance: [1; 16],
            term: self.term,
            epoch: Epoch(1),
            desired: root::desired(self.heads.values()),
            observed: Some(root::observed(&self.observed)),
            orphans: Orphans::default(),
            policy: Policy::default(),
        }
    }

    /// Dials and waits for the welcome.
    pub(crate) async fn connect<K>(&mut self, rig: &Rig<K>) -> Session {
        let mut session = self.dial(rig).await;
        let message = session.hear().await;
        assert!(matches!(message, HubMessage::Welcome(_)), "{message:?}");
        session
    }

    /// Takes messages until a head of this key is announced and recorded; acknowledges it.
    pub(crate) async fn take(&mut self, session: &mut Session, name: &str) -> Head {
        let mut recorded = false;
        let mut taken = None;
        while !(recorded && taken.is_some()) {
            match session.hear().await {
                HubMessage::Announce(announce) => {
                    for announced in announce.heads {
                        let head = announced.head;
                        session.say(AgentMessage::Acknowledge(vec![held(&head)])).await;
                        self.heads.insert(head.key.clone(), head.clone());
                        if head.key.name == name {
                            recorded |= announced.recorded;
                            taken = Some(head);
                        }
                    }
                }
                HubMessage::Recorded(held) if held.key.name == name => recorded = true,
                _ => {}
            }
        }
        taken.unwrap()
    }

    /// Reports the one ConfigMap of a Release.
    pub(crate) async fn report(&mut self, session: &mut Session, head: &Head, health: Health) {
        let object = ObjectRef {
            group: String::new(),
            version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: "shop".into(),
            name: head.key.name.clone(),
        };
        let objects = vec![observed("config", object, health)];
        self.report_objects(session, head, objects).await;
    }

    /// Reports every object of a Release.
    pub(crate) async fn report_all(
        &mut self,
        session: &mut Session,
        head: &Head,
        release: &Release,
        health: Health,
    ) {
        let objects = release.spec.resources.iter().map(|resource| {
            let text = |path| {
                let value = resource.object.pointer(path).and_then(|value| value.as_str());
                value.unwrap_or_default().to_owned()
            };
            let api_version = text("/apiVersion");
            let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
            let object = ObjectRef {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: text("/kind"),
                namespace: text("/metadata/namespace"),
                name: text("/metadata/name"),
            };
            observed(&resource.id, object, health)
        });
        self.report_objects(session, head, objects.collect()).await;
    }

    async fn report_objects(&mut self, session: &mut Session, head: &Head, objects: Vec<ObjectReport>) {
        let observed = report::observed(&objects, &[]);
        self.observed.insert(head.key.clone(), observed);
        let report = Report {
            key: head.key.clone(),
            version: head.version,
            whole: true,
            objects,
            leftovers: Vec::new(),
            observed: Some(observed),
        };
        session.say(AgentMessage::Report(report)).await;
    }
}

fn observed(id: &str, object: ObjectRef, health: Health) -> ObjectReport {
    ObjectReport {
        id: id.to_owned(),
        object,
        uid: Some(Uid::new("live").unwrap()),
        health,
        status: RawStatus::Absent,
        blocker: None,
    }
}

impl Session {
    pub(crate) async fn say(&mut self, message: AgentMessage) {
        self.control.writer.write(&message).await.unwrap();
    }

    /// The next message of the hub.
    pub(crate) async fn hear(&mut self) -> HubMessage {
        let message = timeout(PATIENCE, self.control.reader.read()).await;
        let message = message.expect("the hub says something in time");
        message
            .expect("the link holds")
            .expect("the hub has not finished")
    }

    /// Takes messages until one is as wanted.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&HubMessage) -> bool) -> HubMessage {
        loop {
            let message = self.hear().await;
            if wanted(&message) {
                return message;
            }
        }
    }
}

pub(crate) fn held(head: &Head) -> Held {
    Held {
        key: head.key.clone(),
        version: head.version,
    }
}
