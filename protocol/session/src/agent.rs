//! The agent's end of one session.
//!
//! Driven by whoever owns the agent's state: [`Session::open`] for each connection, then [`Session::handle`] for each
//! message of the hub, [`Session::poll_transmit`] whenever the stream has room, and [`Session::poll_fetch`] for
//! content to fetch. The driver says what happened on the plane ([`Session::stored`], [`Session::changed`],
//! [`Session::gone`]); the session reads the plane's newest state through [`Plane`] when a message is built.
//!
//! Nothing here applies or deletes. Absence never becomes a statement: what a complete announcement did not name
//! comes back as [`Event::Orphaned`] and nothing else.

mod acknowledging;
mod plane;
mod reporting;
mod resync;
mod taking;

use std::collections::BTreeMap;
use std::time::Instant;

use outhaul_protocol_wire::content::{Content, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Term};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{
    AgentMessage, Announce, Announced, Closing, Held, Hello, HubMessage, Orphans, Refused, Welcome,
};
use outhaul_protocol_wire::root;
use outhaul_protocol_wire::witness::Vouched;

pub use plane::{Holding, Plane, ReportView, Standing};

use self::acknowledging::Acknowledging;
use self::reporting::Reporting;
use self::resync::{Unmatched, Unnamed};
use self::taking::{Judgement, Taking};
use crate::term::Instance;
use crate::violation::{Violation, at_most};

/// Content that is fetched at once: enough to hide the round trip of small bundles behind each other, and at most
/// 8 MiB of large ones.
pub const FETCHES: usize = 8;

/// Who dials.
#[derive(Debug, Clone)]
pub struct Dial {
    /// Version of the agent's build.
    pub agent_version: String,
    /// `gitVersion` of the plane's API server; empty while it is away.
    pub kubernetes_version: String,
    /// The agent's process.
    pub instance: Instance,
    /// Boot and dial number.
    pub term: Term,
}

/// The agent's end of one session.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    hello: Option<Hello>,
    acknowledging: Acknowledging,
    taking: Taking,
    behind: BTreeMap<Key, (Version, Digest)>,
    gone: BTreeMap<Key, Version>,
    unnamed: Option<Unnamed>,
    unmatched: Option<Unmatched>,
    reporting: Reporting,
    tell_observed: bool,
    tell_orphans: bool,
    tell_policy: bool,
    tell_unconfirmed: bool,
}

#[derive(Debug)]
enum Phase {
    /// The hub has not answered the hello.
    Greeting {
        deadline: Instant,
    },
    Standing,
    /// The hub has said goodbye.
    Over,
}

/// What the agent has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The session stands.
    Welcomed(Welcome),
    /// No session. Dial again as it says.
    Refused(Refused),
    /// Store this, then call [`Session::stored`]; apply it once it is recorded.
    Store(Store),
    /// This version of the key, which is stored or being stored, is now recorded: store that too, and apply.
    Recorded(Held),
    /// The hub knows nothing of these: keep them, mark them [`Standing::Orphaned`], and call
    /// [`Session::orphans_changed`]. One that is [`Standing::Unrecorded`] was never applied: it may be dropped instead.
    Orphaned(Vec<Key>),
    /// The hub has let the resource go: mark it [`Standing::Settled`].
    Settled(Held),
    /// The hub is about to close the connection. Dial again as it says.
    Closing(Closing),
    /// Which control plane speaks: before any head of it comes, and when somebody confirmed it. If this plane knows it by
    /// another witness, hold what it must not have lost, and call [`Session::unconfirmed_changed`].
    Vouched(Vouched),
}

/// A head to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The head; newer than what the plane holds for its key.
    pub head: Head,
    /// Whether it may be applied once it is stored.
    pub recorded: bool,
    /// Its content.
    pub content: StoreContent,
}

/// Where the content of a head to store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreContent {
    /// Here. Whether it has the head's digest shows when it is decompressed.
    New(Content),
    /// The plane has it, or needs none: it holds the same digest for this key, or the head says left, or says removed
    /// and the plane knows what goes.
    Kept,
}

impl Session {
    /// Opens a session on a connection that was just made. What it has to say begins with the hello.
    pub fn open(dial: Dial, plane: &impl Plane, now: Instant) -> Self {
        let gone = |holding: &Holding| holding.standing == Standing::Gone;
        Self {
            phase: Phase::Greeting {
                deadline: now + limits::HANDSHAKE_TIME,
            },
            hello: Some(hello(dial, plane)),
            acknowledging: Acknowledging::default(),
            taking: Taking::default(),
            behind: BTreeMap::new(),
            gone: plane
                .holdings()
                .filter(|holding| gone(holding))
                .map(|holding| (holding.head.key.clone(), holding.head.version))
                .collect(),
            unnamed: None,
            unmatched: None,
            reporting: Reporting::default(),
            tell_observed: false,
            tell_orphans: false,
            tell_policy: false,
            tell_unconfirmed: false,
        }
    }

    /// When to give up on the hub, and on what.
    pub fn deadline(&self) -> Option<(Instant, &'static str)> {
        match self.phase {
            Phase::Greeting { deadline } => Some((deadline, "the hub's answer to the hello")),
            Phase::Standing | Phase::Over => None,
        }
    }

    /// Whether the hub has accepted the session, and has not ended it.
    pub fn stands(&self) -> bool {
        matches!(self.phase, Phase::Standing)
    }

    /// Takes a message of the hub.
    ///
    /// # Errors
    /// The hub broke the protocol: close the connection with the text.
    pub fn handle(&mut self, message: HubMessage, plane: &impl Plane) -> Result<Vec<Event>, Violation> {
        self.check_order(&message)?;
        match message {
            HubMessage::Welcome(welcome) => Ok(self.welcomed(welcome, plane)),
            HubMessage::Refused(refused) => {
                self.phase = Phase::Over;
                Ok(vec![Event::Refused(refused)])
            }
            HubMessage::Announce(announce) => self.announced(announce, plane),
            HubMessage::Recorded(held) => Ok(self.taking.recorded(held, plane).into_iter().collect()),
            HubMessage::Settled(held) => Ok(self.settled(held, plane).into_iter().collect()),
            HubMessage::Observed { hashes, complete } => {
                at_most("chunk of hashes", hashes.len(), limits::CHUNK)?;
                self.compare_observed(&hashes, complete, plane);
                Ok(Vec::new())
            }
            HubMessage::ReportWanted(key) => {
                self.reporting.whole(key);
                Ok(Vec::new())
            }
            HubMessage::Closing(closing) => {
                self.phase = Phase::Over;
                Ok(vec![Event::Closing(closing)])
            }
            HubMessage::Vouched(vouched) => {
                self.tell_unconfirmed |= vouched.asks;
                Ok(vec![Event::Vouched(vouched)])
            }
        }
    }

    /// The plane now holds this version of `key`, durably, and [`Plane::holding`] says so.
    pub fn stored(&mut self, key: &Key, version: Version) {
        self.taking.stored(key, version);
        self.acknowledging.held(Held {
            key: key.clone(),
            version,
        });
    }

    /// The next content to fetch, while fewer than [`FETCHES`] are under way.
    pub fn poll_fetch(&mut self) -> Option<Digest> {
        self.taking.poll_fetch()
    }

    /// The hub's answer to a fetch. Heads whose content it has no more are acknowledged and not taken: newer ones
    /// follow, and until then nothing is stored or removed because of them.
    pub fn fetched(&mut self, digest: &Digest, answer: Fetched) -> Vec<Event> {
        let outcome = self.taking.fetched(digest, answer);
        for held in outcome.superseded {
            self.acknowledging.held(held);
        }
        outcome.events
    }

    /// The fetch did not come to an answer: it is tried again.
    pub fn fetch_failed(&mut self, digest: &Digest) {
        self.taking.fetch_failed(digest);
    }

    /// State of the object with this id changed.
    pub fn changed(&mut self, key: &Key, id: &str) {
        self.reporting.object(key, id);
    }

    /// What is left over of `key` changed, and no object of its spec.
    pub fn leftovers_changed(&mut self, key: &Key) {
        self.reporting.leftovers(key);
    }

    /// All of `key` may have changed.
    pub fn changed_whole(&mut self, key: Key) {
        self.reporting.whole(key);
    }

    /// Everything of a removed or left resource is gone, and [`Plane::holding`] says so. A later session says it again
    /// by itself until the hub settles it.
    pub fn gone(&mut self, held: Held) {
        self.gone.insert(held.key, held.version);
    }

    /// [`Plane::observed`] has become known after the hello.
    pub fn observed_known(&mut self) {
        self.tell_observed = true;
        self.reporting.looked();
    }

    /// The set of orphans changed.
    pub fn orphans_changed(&mut self) {
        self.tell_orphans = true;
    }

    /// [`Plane::policy`] changed.
    pub fn policy_changed(&mut self) {
        self.tell_policy = true;
    }

    /// [`Plane::is_unconfirmed`] changed, or is so in this session too.
    pub fn unconfirmed_changed(&mut self) {
        self.tell_unconfirmed = true;
    }

    /// The next message to send, built from the newest state of `plane`.
    pub fn poll_transmit(&mut self, plane: &impl Plane) -> Option<AgentMessage> {
        if let Some(hello) = self.hello.take() {
            return Some(AgentMessage::Hello(hello));
        }
        // Until the hub's answer an agent says nothing more: it may be refused.
        if !self.stands() {
            return None;
        }
        if let Some(held) = self.acknowledging.chunk() {
            return Some(AgentMessage::Acknowledge(held));
        }
        if let Some((key, (version, digest))) = self.behind.pop_first() {
            let held = Held { key, version };
            return Some(AgentMessage::HubBehind { held, digest });
        }
        if let Some((key, version)) = self.gone.pop_first() {
            return Some(AgentMessage::Gone(Held { key, version }));
        }
        // It says why, before the reports that say what.
        if core::mem::take(&mut self.tell_policy) {
            return Some(AgentMessage::Policy(plane.policy()));
        }
        if core::mem::take(&mut self.tell_unconfirmed) {
            return Some(AgentMessage::Unconfirmed(plane.is_unconfirmed()));
        }
        if core::mem::take(&mut self.tell_orphans) {
            return Some(AgentMessage::Orphans(orphans(plane)));
        }
        // Before the reports, so that a plane that never rests is compared all the same.
        if core::mem::take(&mut self.tell_observed)
            && let Some(observed) = plane.observed()
        {
            return Some(AgentMessage::Observed(root::observed(observed)));
        }
        self.reporting.next(plane).map(AgentMessage::Report)
    }

    fn check_order(&self, message: &HubMessage) -> Result<(), Violation> {
        let greeting = matches!(message, HubMessage::Welcome(_) | HubMessage::Refused(_));
        let closing = matches!(message, HubMessage::Closing(_));
        let (message, when) = match self.phase {
            Phase::Greeting { .. } if !greeting && !closing => ("a message", "before the hub's welcome"),
            Phase::Standing if greeting => ("a second greeting", "in a session that stands"),
            Phase::Over => ("a message", "after the hub said goodbye"),
            Phase::Greeting { .. } | Phase::Standing => return Ok(()),
        };
        Err(Violation::OutOfOrder { message, when })
    }

    fn welcomed(&mut self, welcome: Welcome, plane: &impl Plane) -> Vec<Event> {
        self.phase = Phase::Standing;
        self.unnamed = (!welcome.converged).then(|| Unnamed::new(plane));
        vec![Event::Welcomed(welcome)]
    }

    /// Only what the plane itself called gone can be settled: nothing else is forgotten at the hub's word.
    fn settled(&mut self, held: Held, plane: &impl Plane) -> Option<Event> {
        let holding = plane.holding(&held.key)?;
        if holding.standing != Standing::Gone || holding.head.version != held.version {
            return None;
        }
        self.gone.remove(&held.key);
        self.reporting.forget(&held.key);
        Some(Event::Settled(held))
    }

    fn announced(&mut self, announce: Announce, plane: &impl Plane) -> Result<Vec<Event>, Violation> {
        let mut events = Vec::new();
        for announced in announce.heads {
            self.named(&announced.head.key);
            self.acknowledging.announced(&announced.head);
            at_most(
                "window of unacknowledged heads",
                self.acknowledging.open(),
                limits::UNACKNOWLEDGED,
            )?;
            self.one_announced(announced, plane, &mut events);
        }
        if announce.complete
            && let Some(orphaned) = self.unnamed.take().and_then(Unnamed::finish)
        {
            events.push(Event::Orphaned(orphaned));
        }
        Ok(events)
    }

    fn one_announced(&mut self, announced: Announced, plane: &impl Plane, events: &mut Vec<Event>) {
        let held = Held {
            key: announced.head.key.clone(),
            version: announced.head.version,
        };
        match self.taking.judge(&announced, plane) {
            Judgement::Take => events.extend(self.taking.take(announced, plane)),
            Judgement::UnderWay => events.extend(self.taking.recorded_if(announced.recorded, held, plane)),
            Judgement::Held { newly_recorded } => {
                if newly_recorded {
                    events.push(Event::Recorded(held.clone()));
                }
                self.acknowledging.held(held);
            }
            Judgement::GoneBefore => {
                self.acknowledging.held(held.clone());
                self.gone(held);
            }
            Judgement::HubBehind { version, digest } => {
                self.acknowledging.answered(&held.key, version);
                self.behind.insert(held.key, (version, digest));
            }
        }
    }

    fn named(&mut self, key: &Key) {
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.named(key);
        }
    }

    fn compare_observed(&mut self, hashes: &[(Key, Digest)], complete: bool, plane: &impl Plane) {
        let unmatched = self.unmatched.get_or_insert_with(|| Unmatched::new(plane));
        for key in unmatched.compare(hashes) {
            self.reporting.whole(key);
        }
        if complete {
            let rest = self.unmatched.take().into_iter().flat_map(Unmatched::finish);
            rest.for_each(|key| self.reporting.whole(key));
        }
    }
}

fn hello(dial: Dial, plane: &impl Plane) -> Hello {
    let heads: Vec<_> = plane.holdings().filter_map(Holding::in_root).collect();
    Hello {
        agent_version: dial.agent_version,
        kubernetes_version: dial.kubernetes_version,
        instance: dial.instance,
        term: dial.term,
        epoch: plane
            .holdings()
            .map(|holding| holding.head.version.epoch)
            .max()
            .unwrap_or(Epoch(0)),
        desired: root::desired(heads.iter().map(AsRef::as_ref)),
        observed: plane.observed().map(root::observed),
        orphans: orphans(plane),
        policy: plane.policy(),
    }
}

fn orphans(plane: &impl Plane) -> Orphans {
    let mut orphans = Orphans::default();
    for holding in plane
        .holdings()
        .filter(|holding| holding.standing == Standing::Orphaned)
    {
        if orphans.keys.len() < limits::ORPHANS {
            orphans.keys.push(holding.head.key.clone());
        }
        orphans.total += 1;
    }
    orphans
}
