//! Messages of the control stream: one enum per direction.
//!
//! The agent opens the stream and says [`AgentMessage::Hello`]; the hub answers [`HubMessage::Welcome`] or
//! [`HubMessage::Refused`]. After that both talk freely. The order of variants and fields is the byte form: add
//! only in a new protocol version. A variant at the end of an enum leaves the bytes of all others as they are, so that
//! older peers need no types of their own: it is only said in sessions of the version that has it.

use core::time::Duration;

use bincode::{Decode, Encode};

use crate::content::Content;
use crate::digest::Digest;
use crate::head::{Head, Key, Version};
use crate::ids::{Epoch, Term};
use crate::policy::Policy;
use crate::report::Report;
use crate::root::Root;
use crate::witness::Vouched;

/// From the agent to the hub.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum AgentMessage {
    /// The first message.
    Hello(Hello),
    /// These heads are stored on the plane (or older than what it stores): the hub may announce as many more.
    Acknowledge(Vec<Held>),
    /// State of a resource's objects.
    Report(Report),
    /// Everything of a removed or left resource is gone from the plane. Repeated until [`HubMessage::Settled`].
    Gone(Held),
    /// The plane holds something newer than what was announced, or the same version with other content.
    HubBehind {
        /// What the plane holds.
        held: Held,
        /// Digest of that content.
        digest: Digest,
    },
    /// The observed root, when it was not known yet at the hello.
    Observed(Root),
    /// What the plane holds and a complete announcement did not name.
    Orphans(Orphans),
    /// The policy of the plane's owner changed.
    Policy(Policy),
    /// Whether the plane knows its hub by another witness, and waits for somebody to confirm the one that it heard. From
    /// version 2 on.
    Unconfirmed(bool),
}

/// From the hub to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum HubMessage {
    /// The session stands.
    Welcome(Welcome),
    /// No session; the connection closes.
    Refused(Refused),
    /// Heads for the plane, oldest edit first.
    Announce(Announce),
    /// The hub has recorded the plane in the resource: its content may now be applied.
    Recorded(Held),
    /// The hub has let the resource go: the plane may stop saying [`AgentMessage::Gone`].
    Settled(Held),
    /// Observed hashes as the hub knows them. The agent answers those that differ with whole reports.
    Observed {
        /// One chunk, at most [`crate::limits::CHUNK`].
        hashes: Vec<(Key, Digest)>,
        /// Whether it is the last: then what the agent holds and no chunk named differs too.
        complete: bool,
    },
    /// The hub lost track of a resource's reports and wants a whole one.
    ReportWanted(Key),
    /// The hub is about to close the connection.
    Closing(Closing),
    /// Which control plane speaks. From version 2 on: right after the welcome, and when somebody has confirmed it.
    Vouched(Vouched),
}

/// Who dials, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// Version of the agent's build, for people.
    pub agent_version: String,
    /// `gitVersion` of the plane's API server; empty while it is away.
    pub kubernetes_version: String,
    /// Random id of the agent's process: tells a handover from a copied identity.
    pub instance: [u8; 16],
    /// Orders the sessions of this plane.
    pub term: Term,
    /// Highest epoch that the plane has taken a head from.
    pub epoch: Epoch,
    /// Root over its recorded heads, orphans left out.
    pub desired: Root,
    /// Root over its last reports; none while the agent has not looked at its cluster yet.
    pub observed: Option<Root>,
    /// What it holds that no hub has named.
    pub orphans: Orphans,
    /// The policy of the plane's owner.
    pub policy: Policy,
}

/// Resources that a plane keeps although its hub does not know them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Orphans {
    /// The first of them by key, at most [`crate::limits::ORPHANS`].
    pub keys: Vec<Key>,
    /// How many there are.
    pub total: u64,
}

/// The hub accepts the session.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Welcome {
    /// The hub's epoch.
    pub epoch: Epoch,
    /// How many planes the hub serves; the first redial after its restart is spread over them.
    pub fleet: u32,
    /// Whether the desired roots are equal; if not, the hub announces every head.
    pub converged: bool,
}

/// The hub refuses the session.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Refused {
    /// Why.
    pub reason: RefusedReason,
    /// The same for people.
    pub message: String,
    /// When to come back, in milliseconds.
    pub retry_after_ms: u64,
}

/// Why a session is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum RefusedReason {
    /// The hub has not read all its resources yet.
    NotReady,
    /// The plane is revoked, or its resource is gone.
    Revoked,
    /// The certificate's key is not the one recorded for the plane.
    KeyUnknown,
    /// A session with a newer term exists.
    Superseded,
    /// The hello breaks a limit.
    HelloInvalid,
    /// Another process uses the plane's stored identity at the same time.
    IdentityCopied,
}

/// Heads, oldest edit first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Announce {
    /// The heads; with those not yet acknowledged at most [`crate::limits::UNACKNOWLEDGED`].
    pub heads: Vec<Announced>,
    /// Set in the last chunk of a complete announcement: what the plane holds and it did not name is orphaned.
    pub complete: bool,
}

/// One head, and what the agent need not ask for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Announced {
    /// The head.
    pub head: Head,
    /// Whether the resource already records this plane. If not, the content is stored and applied only after
    /// [`HubMessage::Recorded`].
    pub recorded: bool,
    /// The content, where it is at most [`crate::limits::INLINE_BYTES`].
    pub content: Option<Content>,
}

/// One version of one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Held {
    /// The resource.
    pub key: Key,
    /// Its version.
    pub version: Version,
}

/// The connection is about to close.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Closing {
    /// Why.
    pub reason: ClosingReason,
    /// When to come back at the earliest, in milliseconds.
    pub retry_after_ms: u64,
}

/// Why the hub closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum ClosingReason {
    /// It restarts; the first redial is spread over the fleet.
    Restarting,
    /// Another session of this plane is newer.
    Superseded,
    /// The plane was revoked.
    Revoked,
}

impl Closing {
    /// When to come back at the earliest.
    pub fn retry_after(&self) -> Duration {
        Duration::from_millis(self.retry_after_ms)
    }
}

impl Refused {
    /// When to come back at the earliest.
    pub fn retry_after(&self) -> Duration {
        Duration::from_millis(self.retry_after_ms)
    }
}
