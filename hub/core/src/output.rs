//! What the fleet wants done, and what comes back.

use core::fmt;
use core::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use outhaul_hub_resources::{DeliveryStatus, OrphanDecision, PlanePolicy, SessionTerm};
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::{Epoch, PlaneName, Uid};
use outhaul_protocol_wire::message::Closing;

use crate::plane::PlaneRecord;
use crate::resource::Around;
use crate::view::BundleName;

/// One connection of an agent that was admitted. Never used twice while the hub runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// One write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// Something for the driver to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Make a write, and tell the [`Outcome`].
    Write(Write),
    /// Read a resource from the API server itself, not from a cache, and tell what it is, or [`Fleet::unread`]. One read
    /// of a resource at a time.
    ///
    /// [`Fleet::unread`]: crate::Fleet::unread
    Read(Key),
    /// Read the hub's epoch where it is stored, since a plane knows this higher one, and tell [`Fleet::epoch_read`]. One
    /// read at a time.
    ///
    /// [`Fleet::epoch_read`]: crate::Fleet::epoch_read
    ReadEpoch(Epoch),
    /// Read what a resource is in from the API server itself, its namespace and the definition of its kind, and tell
    /// [`Fleet::surroundings`]. One read of a resource at a time.
    ///
    /// [`Fleet::surroundings`]: crate::Fleet::surroundings
    LookAround(Key),
    /// Say this and close the connection.
    Goodbye(SessionId, Closing),
    /// Publish an Event.
    Note(Note),
    /// What is shown of a plane changed: of one resource there, or of the plane itself.
    Changed(PlaneName, Option<BundleName>),
}

/// A write. Writes to one subject's `status` come one at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Names it in its outcome.
    pub id: WriteId,
    /// What is written to.
    pub subject: Subject,
    /// What is written.
    pub change: Change,
}

/// What a write or an Event is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A Release or Bundle.
    Bundle(Key),
    /// A Plane.
    Plane(PlaneName, Uid),
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Our finalizer is added to whichever there are.
    AddFinalizer,
    /// Our finalizer is taken off.
    RemoveFinalizer {
        /// Finalizers as they are known.
        finalizers: Vec<String>,
        /// When the resource was deleted: a control plane may go back to a time before that.
        deleted: Option<Timestamp>,
        /// Where the status must still say that the resource is; its term may move on.
        known: Option<Known>,
    },
    /// The whole `status` of a Release or Bundle.
    Status {
        /// What it becomes.
        status: Box<DeliveryStatus>,
        /// What it must still say.
        known: Option<Known>,
    },
    /// Conditions of a Plane.
    PlaneConditions {
        /// What they become.
        conditions: Vec<Condition>,
        /// The Plane's resourceVersion as it is known.
        known: u64,
    },
    /// All finalizers of a Plane.
    PlaneFinalizers {
        /// What they become.
        finalizers: Vec<String>,
        /// The Plane's resourceVersion as it is known.
        known: u64,
    },
    /// What is still to become of a Plane's orphans.
    PlaneDecisions {
        /// What they become.
        decisions: Vec<OrphanDecision>,
        /// The Plane's resourceVersion as it is known.
        known: u64,
    },
    /// What a Plane says of the policy of the plane's owner.
    PlanePolicy {
        /// What it becomes.
        policy: Option<PlanePolicy>,
        /// The Plane's resourceVersion as it is known.
        known: u64,
    },
    /// The first key of a Plane that has none.
    PlaneKey {
        /// The key.
        key: String,
        /// The Plane's resourceVersion as it is known.
        known: u64,
    },
}

/// Who wrote a status last, as far as is known, or that nobody did. If that is no longer so, another hub wrote, and its
/// word is read first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The plane.
    pub plane: Option<String>,
    /// How often it moved.
    pub moved: Option<i64>,
    /// The session that reported.
    pub term: Option<SessionTerm>,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done; what surrounds the spec now.
    Done(Box<Around>),
    /// Done; the Plane now.
    PlaneDone(Box<PlaneRecord>),
    /// The subject does not exist any more.
    Gone,
    /// It is not as it was known: it has to be read again.
    Outdated,
    /// The API server does not take such a status.
    Invalid {
        /// Which fields are wrong.
        message: String,
    },
    /// Not done.
    Failed {
        /// When to try again at the earliest, if the API server said so.
        retry_after: Option<Duration>,
    },
}

/// An Event about a subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// What it is about.
    pub subject: Subject,
    /// Whether somebody should look.
    pub warning: bool,
    /// Why, in a word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(key) => key.fmt(f),
            Self::Plane(name, _) => write!(f, "Plane {name}"),
        }
    }
}
