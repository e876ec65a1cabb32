//! The hub's end, by hand: it enrols whoever comes, and says only what the test says.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use outhaul_protocol_transport::control::Control;
use outhaul_protocol_transport::link::PlaneLink;
use outhaul_protocol_transport::listener::Arrival;
use outhaul_protocol_transport::pki::SigningRequest;
use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::content::{Content, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::enrolment::{Answer, Refusal};
use outhaul_protocol_wire::head::{BundleKind, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Generation, PlaneName, Uid};
use outhaul_protocol_wire::message::{AgentMessage, Announce, Announced, Held, Hello, HubMessage, Welcome};
use outhaul_protocol_wire::report::{BlockerReason, Leftover, ObjectReport};
use serde_json::{Value, json};

use super::{PATIENCE, World};

/// A session as the hub sees it.
pub(crate) struct Session {
    pub(crate) hello: Hello,
    pub(crate) acknowledged: BTreeMap<Key, Version>,
    pub(crate) reports: BTreeMap<Key, BTreeMap<String, ObjectReport>>,
    pub(crate) leftovers: BTreeMap<Key, Vec<Leftover>>,
    pub(crate) gone: Vec<Held>,
    link: PlaneLink,
    control: Control<AgentMessage, HubMessage>,
}

impl World {
    /// Waits for the agent, enrols it if it asks for that, and welcomes it.
    pub(crate) async fn session(&self) -> Session {
        let mut session = self.greeted().await;
        session.welcome(true).await;
        session
    }

    /// The same without a welcome.
    pub(crate) async fn greeted(&self) -> Session {
        let greeting = async {
            loop {
                let arriving = self.hub.listener.accept().await.unwrap();
                // An agent that was stopped may have been on its way.
                let Ok(arrival) = arriving.complete(SystemTime::now()).await else {
                    continue;
                };
                match arrival {
                    Arrival::Plane(link) => return Session::greet(link).await,
                    Arrival::Stranger(stranger) => {
                        let enrolling = stranger.request().await.unwrap();
                        let request = SigningRequest::from_der(&enrolling.request.csr).unwrap();
                        let plane = PlaneName::new("plane").unwrap();
                        let (now, validity) = (SystemTime::now(), Duration::from_secs(3600));
                        let chain = self
                            .hub
                            .authority
                            .issue_plane(&request, &plane, now, validity)
                            .unwrap();
                        let chain = chain.iter().map(|it| it.to_vec()).collect();
                        enrolling.answer(&Answer::Enrolled(chain)).await.unwrap();
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, greeting)
            .await
            .expect("the agent comes")
    }

    /// Refuses the next enrolment.
    pub(crate) async fn refuse(&self, refusal: Refusal) {
        let Arrival::Stranger(stranger) = self.hub.arrival().await else {
            panic!("the agent is enrolled");
        };
        let enrolling = stranger.request().await.unwrap();
        enrolling.answer(&Answer::Refused(refusal)).await.unwrap();
    }
}

impl Session {
    async fn greet(link: PlaneLink) -> Self {
        let mut control = link.accept_control().await.unwrap();
        let Some(AgentMessage::Hello(hello)) = control.reader.read().await.unwrap() else {
            panic!("the agent greets first");
        };
        Self {
            hello,
            acknowledged: BTreeMap::new(),
            reports: BTreeMap::new(),
            leftovers: BTreeMap::new(),
            gone: Vec::new(),
            link,
            control,
        }
    }

    pub(crate) async fn welcome(&mut self, converged: bool) {
        let (epoch, fleet) = (Epoch(1), 1);
        self.say(HubMessage::Welcome(Welcome {
            epoch,
            fleet,
            converged,
        }))
        .await;
    }

    /// Waits until the agent ends the session.
    pub(crate) async fn ended(&self) {
        let ended = tokio::time::timeout(PATIENCE, self.link.closed());
        ended.await.expect("the agent ends its session");
    }

    pub(crate) async fn say(&mut self, message: HubMessage) {
        self.control.writer.write(&message).await.unwrap();
    }

    /// Announces a Release with these objects, recorded already.
    pub(crate) async fn release(&mut self, name: &str, generation: u64, objects: &[Value]) -> Key {
        let announced = announced(name, generation, objects);
        let key = announced.head.key.clone();
        self.announce(vec![announced], false).await;
        key
    }

    /// Announces that a Release is being removed.
    pub(crate) async fn remove(&mut self, name: &str, generation: u64) -> Held {
        let mut announced = announced(name, generation, &[]);
        announced.head.state = HeadState::Removed;
        announced.content = None;
        let held = Held {
            key: announced.head.key.clone(),
            version: announced.head.version,
        };
        self.announce(vec![announced], false).await;
        held
    }

    pub(crate) async fn announce(&mut self, heads: Vec<Announced>, complete: bool) {
        self.say(HubMessage::Announce(Announce { heads, complete })).await;
    }

    /// Announces a Release whose content the agent has to ask for, and answers that.
    pub(crate) async fn release_by_fetch(&mut self, name: &str, objects: &[Value]) -> Key {
        let mut announced = announced(name, 1, objects);
        let key = announced.head.key.clone();
        let (digest, content) = (announced.head.digest, announced.content.take().unwrap());
        self.announce(vec![announced], false).await;
        let answering = async {
            let mut fetch = self.link.accept_fetch().await.unwrap();
            assert_eq!(fetch.digest().await.unwrap(), digest);
            fetch.answer(&Fetched::Content(content)).await.unwrap();
        };
        tokio::time::timeout(PATIENCE, answering)
            .await
            .expect("the agent asks");
        key
    }

    /// Listens until it has heard what the test waits for.
    pub(crate) async fn until(&mut self, what: &str, heard: impl Fn(&Self) -> bool) {
        let listening = async {
            while !heard(self) {
                let message = self.control.reader.read().await.unwrap();
                self.hear(message.expect("the agent goes on"));
            }
        };
        if tokio::time::timeout(PATIENCE, listening).await.is_err() {
            panic!(
                "not heard: {what}; reports: {:#?}, leftovers: {:#?}",
                self.reports, self.leftovers
            );
        }
    }

    /// Listens until every object of a Release is healthy.
    pub(crate) async fn until_healthy(&mut self, key: &Key, objects: usize) {
        use outhaul_protocol_wire::report::Health;
        let fine = |it: &ObjectReport| it.health == Health::Healthy && it.blocker.is_none();
        self.until("all objects are healthy", |session| {
            let reports = session.reports.get(key);
            reports.is_some_and(|reports| reports.len() == objects && reports.values().all(fine))
        })
        .await;
    }

    /// Listens until an object has this blocker. Returns its message.
    pub(crate) async fn until_blocked(&mut self, key: &Key, id: &str, reason: BlockerReason) -> String {
        self.until("the blocker", |it| {
            it.blocker(key, id).is_some_and(|(it, _)| it == reason)
        })
        .await;
        self.blocker(key, id).unwrap().1
    }

    pub(crate) fn blocker(&self, key: &Key, id: &str) -> Option<(BlockerReason, String)> {
        let blocker = self.reports.get(key)?.get(id)?.blocker.clone()?;
        Some((blocker.reason, blocker.message))
    }

    /// Waits until the agent closes the connection.
    pub(crate) async fn until_closed(&self) {
        let closed = tokio::time::timeout(PATIENCE, self.link.closed()).await;
        closed.expect("the agent gives it up");
    }

    /// Cuts the connection.
    pub(crate) fn close(self) {
        self.link.close(
            outhaul_protocol_transport::close::Close::Finished,
            "the test is over",
        );
    }

    fn hear(&mut self, message: AgentMessage) {
        match message {
            AgentMessage::Acknowledge(held) => {
                self.acknowledged
                    .extend(held.into_iter().map(|held| (held.key, held.version)));
            }
            AgentMessage::Report(report) => {
                let known = self.reports.entry(report.key.clone()).or_default();
                if report.whole {
                    known.clear();
                }
                known.extend(report.objects.into_iter().map(|it| (it.id.clone(), it)));
                self.leftovers.insert(report.key, report.leftovers);
            }
            AgentMessage::Gone(held) => self.gone.push(held),
            AgentMessage::Hello(_)
            | AgentMessage::HubBehind { .. }
            | AgentMessage::Observed(_)
            | AgentMessage::Orphans(_)
            | AgentMessage::Unconfirmed(_) => {}
            AgentMessage::Policy(policy) => self.hello.policy = policy,
        }
    }
}

/// A Release with these objects; each has its name as its id.
pub(crate) fn announced(name: &str, generation: u64, objects: &[Value]) -> Announced {
    let resources: Vec<Value> = objects
        .iter()
        .map(|object| json!({"id": object["metadata"]["name"], "object": object}))
        .collect();
    let spec = json!({
        "environmentName": "development", "owner": {"projectName": "shop"}, "resources": resources,
    });
    let json = canonical::to_vec(&spec);
    let head = Head {
        key: Key {
            kind: BundleKind::Release,
            namespace: "acme".into(),
            name: name.into(),
            uid: Uid::new(format!("uid-{name}")).unwrap(),
        },
        version: Version {
            epoch: Epoch(1),
            generation: Generation(generation),
            ..Version::default()
        },
        digest: Digest::of(&json),
        state: HeadState::Present,
        confirmed: None,
    };
    let content = Content {
        length: u32::try_from(json.len()).unwrap(),
        zstd: zstd::encode_all(json.as_slice(), 3).unwrap(),
    };
    Announced {
        head,
        recorded: true,
        content: Some(content),
    }
}

pub(crate) fn config_map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"},
        "data": {"value": value},
    })
}

/// Where definitions of kinds are.
pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// An object of a kind that has to be defined first.
pub(crate) fn widget() -> Value {
    json!({
        "apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": "widget", "namespace": "shop"},
    })
}

/// The definition of its kind.
pub(crate) fn widget_definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.dev"},
        "spec": {
            "group": "example.dev", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }},
            }],
        },
    })
}
