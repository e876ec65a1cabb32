//! What the controllers have done, one request at a time, and what came of it.

use core::time::Duration;

use outhaul_hub_resources::Release;
use outhaul_protocol_wire::digest::Digest;
use serde_json::Value;

use super::{Commit, Id, NotPushed, Pushed, Sight};

/// One request to the API server. Every write is refused there if the object is no longer what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Read all of a Release: its objects are not kept here.
    Read(Id),
    /// Create an object.
    Create {
        /// Which.
        id: Id,
        /// All of it.
        object: Value,
        /// Digest of what is made, for [`Outcome`]s.
        content: Digest,
    },
    /// Write an object over the one of the resourceVersion that is in it.
    Replace {
        /// Which.
        id: Id,
        /// All of it.
        object: Value,
        /// Digest of what is written, for [`Outcome`]s.
        content: Digest,
    },
    /// Delete an object, if it is still this one.
    Delete {
        /// Which.
        id: Id,
        /// Its uid.
        uid: String,
        /// Its resourceVersion.
        version: u64,
    },
    /// Merge a patch into an object's status, if it is still this one.
    Status {
        /// Which.
        id: Id,
        /// The patch; uid and resourceVersion are in it.
        patch: Value,
        /// Digest of what is said, for [`Outcome`]s.
        content: Digest,
    },
    /// Have a commit in its branch. This is no request to the API server.
    Commit(Box<Commit>),
}

impl Step {
    /// The object that it is about.
    pub fn id(&self) -> &Id {
        match self {
            Self::Read(id)
            | Self::Create { id, .. }
            | Self::Replace { id, .. }
            | Self::Delete { id, .. }
            | Self::Status { id, .. } => id,
            Self::Commit(commit) => &commit.id,
        }
    }
}

/// A step, on behalf of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The key.
    pub key: Id,
    /// The step.
    pub step: Step,
    /// What people are told when it is done.
    pub notes: Vec<Note>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was written, and is now this.
    Written(Box<Sight>),
    /// The Release, all of it.
    Read(Box<Release>),
    /// The commit is in its branch, or not.
    Committed(Result<Pushed, NotPushed>),
    /// It is deleted, or will be.
    Deleted,
    /// The object is not what the step was made from, or is gone, in the API server's words. A watch tells.
    Outdated(String),
    /// The API server does not take it, and says why.
    Refused(String),
    /// There was no such answer.
    Failed {
        /// What the API server says instead, where that may last.
        said: Option<String>,
        /// How long the API server wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// An Event about an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// What it is about.
    pub about: Id,
    /// The uid of that.
    pub uid: String,
    /// Whether somebody should look.
    pub warning: bool,
    /// Why, in a word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}
