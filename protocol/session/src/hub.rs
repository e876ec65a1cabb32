//! The hub's end of one session.
//!
//! Driven by the hub's state of one plane: [`Session::open`] with the hello of an agent that was admitted, then
//! [`Session::handle`] for each of its messages, and [`Session::poll_transmit`] whenever the stream has room. When the
//! plane's queue changes, the session is told which key: [`Session::announce`], [`Session::recorded`],
//! [`Session::settle`]. It reads the newest state of that key through [`Queue`] when the message is built, so an edit
//! of a resource replaces one that was not announced yet.

mod announcing;
mod hashes;
mod list;
mod queue;
mod staging;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Term};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{
    AgentMessage, Announce, Closing, Held, Hello, HubMessage, Orphans, Refused, RefusedReason, Welcome,
};
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::Report;
use outhaul_protocol_wire::root::{self, Root};
use outhaul_protocol_wire::witness::Vouched;

pub use list::{Merge, Reported};
pub use queue::{Queue, Queued};

use self::announcing::Announcing;
use self::hashes::Hashes;
use self::staging::Staging;
use crate::term::Claim;
use crate::violation::{Violation, at_most};

/// The most `Settled` that wait for one agent: more than an honest one leaves unread, and a few hundred kilobytes.
pub const SETTLED: usize = 1024;

/// What the hub tells every agent about itself.
#[derive(Debug, Clone, Copy)]
pub struct Hub {
    /// Its epoch.
    pub epoch: Epoch,
    /// How many planes it serves.
    pub fleet: u32,
    /// Which control plane it speaks for, where the agent speaks a version in which that is said.
    pub vouched: Option<Vouched>,
}

/// The hub's end of one session.
#[derive(Debug)]
pub struct Session {
    claim: Claim,
    converged: bool,
    welcome: Option<Welcome>,
    vouched: Option<Vouched>,
    announcing: Announcing,
    /// Keys whose recording the agent waits for, with the version that was announced as unrecorded.
    unrecorded: BTreeMap<Key, Version>,
    recorded: VecDeque<Held>,
    settled: BTreeMap<Key, Version>,
    hashes: Option<Hashes>,
    staging: Staging,
    wanted: Wanted,
    closing: Ending,
}

/// What a message means for the hub's state of the plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These heads are now stored on the plane.
    Acknowledged(Vec<Held>),
    /// State of objects; one complete report, to be merged with [`Reported::merge`].
    Reported(Report),
    /// Everything of the resource is gone from the plane. Answered with [`Session::settle`], once the resource is let
    /// go or if it is not there any more.
    Gone(Held),
    /// The plane holds something newer than the hub announced, or the same version with other content.
    HubBehind {
        /// What the plane holds.
        held: Held,
        /// Digest of that content.
        digest: Digest,
    },
    /// What the plane keeps although the hub does not know it. Replaces what the hello said.
    Orphans(Orphans),
    /// The policy of the plane's owner. Replaces what the hello said.
    Policy(Policy),
    /// Whether the plane waits for somebody to confirm this control plane.
    Unconfirmed(bool),
}

/// Keys whose whole report the hub asked for.
#[derive(Debug, Default)]
struct Wanted {
    to_ask: BTreeSet<Key>,
    asked: BTreeSet<Key>,
}

#[derive(Debug)]
enum Ending {
    Open,
    Closing(Closing),
    Closed,
}

impl Session {
    /// Opens the session of an agent that the hub admits. What it has to say begins with a [`Welcome`].
    ///
    /// # Errors
    /// The hello breaks a limit; the answer says so.
    pub fn open(hello: &Hello, queue: &impl Queue, hub: Hub) -> Result<Self, Refused> {
        check(hello)?;
        let converged = hello.desired == desired_root(queue);
        let mut session = Self {
            claim: Claim {
                term: hello.term,
                instance: Some(hello.instance),
            },
            converged,
            welcome: Some(Welcome {
                epoch: hub.epoch,
                fleet: hub.fleet,
                converged,
            }),
            vouched: hub.vouched,
            announcing: match converged {
                true => Announcing::changes(unrecorded(queue)),
                false => Announcing::everything(keys(queue)),
            },
            unrecorded: BTreeMap::new(),
            recorded: VecDeque::new(),
            settled: BTreeMap::new(),
            hashes: None,
            staging: Staging::default(),
            wanted: Wanted::default(),
            closing: Ending::Open,
        };
        if let Some(root) = hello.observed {
            session.compare_observed(root, queue);
        }
        Ok(session)
    }

    /// Who holds the session, for [`crate::term::precedence`].
    pub fn claim(&self) -> Claim {
        self.claim
    }

    /// Term of the session.
    pub fn term(&self) -> Term {
        self.claim.term
    }

    /// Whether the plane held at the hello what the hub wanted it to hold.
    pub fn was_converged(&self) -> bool {
        self.converged
    }

    /// Heads that were announced and not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.announcing.in_flight()
    }

    /// Keys that wait to be announced.
    pub fn waiting(&self) -> usize {
        self.announcing.waiting()
    }

    /// Takes a message of the agent.
    ///
    /// # Errors
    /// The agent broke the protocol: close the connection with the text.
    pub fn handle(&mut self, message: AgentMessage, queue: &impl Queue) -> Result<Option<Event>, Violation> {
        match message {
            AgentMessage::Hello(_) => Err(Violation::OutOfOrder {
                message: "a hello",
                when: "in a session that stands",
            }),
            AgentMessage::Acknowledge(held) => {
                at_most("acknowledgement", held.len(), limits::CHUNK)?;
                let news = self.announcing.acknowledge(held);
                Ok((!news.is_empty()).then_some(Event::Acknowledged(news)))
            }
            AgentMessage::Report(frame) => self.report(frame),
            AgentMessage::Gone(held) => Ok(Some(Event::Gone(held))),
            AgentMessage::HubBehind { held, digest } => {
                self.announcing.acknowledge([held.clone()]);
                Ok(Some(Event::HubBehind { held, digest }))
            }
            AgentMessage::Observed(root) => {
                self.compare_observed(root, queue);
                Ok(None)
            }
            AgentMessage::Orphans(orphans) => {
                at_most("list of orphans", orphans.keys.len(), limits::ORPHANS)?;
                Ok(Some(Event::Orphans(orphans)))
            }
            AgentMessage::Policy(policy) => {
                check_policy(&policy)?;
                Ok(Some(Event::Policy(policy)))
            }
            AgentMessage::Unconfirmed(unconfirmed) => Ok(Some(Event::Unconfirmed(unconfirmed))),
        }
    }

    /// The head of `key` changed, or is new: announce it.
    pub fn announce(&mut self, key: Key) {
        self.announcing.add(key);
    }

    /// The resource now records this plane, and [`Queue::head`] says so.
    pub fn recorded(&mut self, key: &Key) {
        if let Some(version) = self.unrecorded.remove(key) {
            let key = key.clone();
            self.recorded.push_back(Held { key, version });
        }
    }

    /// The hub has let the resource go; it is no longer in the queue.
    ///
    /// An agent may name as many keys as it likes and read no answer. So at most [`SETTLED`] answers wait; what is dropped
    /// beyond, an honest agent says again in its next session.
    pub fn settle(&mut self, held: Held) {
        self.forget(&held.key);
        if self.settled.len() < SETTLED || self.settled.contains_key(&held.key) {
            self.settled.insert(held.key, held.version);
        }
    }

    /// The key has left the queue without a word to the plane (its resource is gone from the control plane).
    pub fn forget(&mut self, key: &Key) {
        self.announcing.forget(key);
        self.unrecorded.remove(key);
        self.wanted.to_ask.remove(key);
        self.wanted.asked.remove(key);
    }

    /// A report did not fit the list it belongs to: ask for a whole one.
    pub fn want_report(&mut self, key: Key) {
        if !self.wanted.asked.contains(&key) {
            self.wanted.to_ask.insert(key);
        }
    }

    /// What was said of the control plane at the begin of the session is otherwise now. Only where something was said.
    pub fn vouch(&mut self, vouched: Vouched) {
        self.vouched = Some(vouched);
    }

    /// Says goodbye: after this message nothing more is sent.
    pub fn close(&mut self, closing: Closing) {
        self.closing = Ending::Closing(closing);
    }

    /// The next message to send, built from the newest state in `queue`.
    pub fn poll_transmit(&mut self, queue: &impl Queue) -> Option<HubMessage> {
        match core::mem::replace(&mut self.closing, Ending::Open) {
            Ending::Open => {}
            Ending::Closing(closing) => {
                self.closing = Ending::Closed;
                return Some(HubMessage::Closing(closing));
            }
            Ending::Closed => {
                self.closing = Ending::Closed;
                return None;
            }
        }
        // Short words that somebody waits for go before long lists.
        if let Some(welcome) = self.welcome.take() {
            return Some(HubMessage::Welcome(welcome));
        }
        // Before any head: what it lets go is judged by it.
        if let Some(vouched) = self.vouched.take() {
            return Some(HubMessage::Vouched(vouched));
        }
        if let Some(held) = self.recorded.pop_front() {
            return Some(HubMessage::Recorded(held));
        }
        if let Some((key, version)) = self.settled.pop_first() {
            return Some(HubMessage::Settled(Held { key, version }));
        }
        if let Some(key) = self.wanted.to_ask.pop_first() {
            self.wanted.asked.insert(key.clone());
            return Some(HubMessage::ReportWanted(key));
        }
        if let Some(announce) = self.announcing.next(queue) {
            self.remember_unrecorded(&announce);
            return Some(HubMessage::Announce(announce));
        }
        let (hashes, complete) = self.hashes.as_mut()?.chunk();
        if complete {
            self.hashes = None;
        }
        Some(HubMessage::Observed { hashes, complete })
    }

    fn remember_unrecorded(&mut self, announce: &Announce) {
        for announced in &announce.heads {
            let Head { key, version, .. } = &announced.head;
            match announced.recorded {
                true => self.unrecorded.remove(key),
                false => self.unrecorded.insert(key.clone(), *version),
            };
        }
    }

    fn report(&mut self, frame: Report) -> Result<Option<Event>, Violation> {
        let Some(report) = self.staging.frame(frame)? else {
            return Ok(None);
        };
        if report.whole {
            self.wanted.asked.remove(&report.key);
        }
        Ok(Some(Event::Reported(report)))
    }

    fn compare_observed(&mut self, root: Root, queue: &impl Queue) {
        let differs = root != root::observed(queue.observed());
        self.hashes = differs.then(|| Hashes::new(queue.observed()));
    }
}

fn check(hello: &Hello) -> Result<(), Refused> {
    at_most("list of orphans", hello.orphans.keys.len(), limits::ORPHANS)
        .and_then(|()| at_most("agent version", hello.agent_version.len(), limits::MESSAGE_BYTES))
        .and_then(|()| {
            at_most(
                "Kubernetes version",
                hello.kubernetes_version.len(),
                limits::MESSAGE_BYTES,
            )
        })
        .and_then(|()| check_policy(&hello.policy))
        .map_err(|violation| Refused {
            reason: RefusedReason::HelloInvalid,
            message: violation.to_string(),
            retry_after_ms: 60_000,
        })
}

fn check_policy(policy: &Policy) -> Result<(), Violation> {
    let problem = policy.problem.as_ref().map_or(0, String::len);
    at_most("problem of a policy", problem, limits::MESSAGE_BYTES)
}

/// The root over what the plane should hold: recorded heads, in the order of their keys.
fn desired_root(queue: &impl Queue) -> Root {
    let mut heads: Vec<&Head> = queue
        .heads()
        .filter(|queued| queued.recorded)
        .map(|queued| queued.head)
        .collect();
    heads.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    root::desired(heads)
}

fn keys(queue: &impl Queue) -> impl Iterator<Item = Key> {
    queue.heads().map(|queued| queued.head.key.clone())
}

/// Unrecorded heads are outside the roots, so equal roots say nothing about them.
fn unrecorded(queue: &impl Queue) -> impl Iterator<Item = Key> {
    queue
        .heads()
        .filter(|queued| !queued.recorded)
        .map(|queued| queued.head.key.clone())
}
