//! An answer that is no success, as hub and agent read it.

use kube::core::Status;
use kube::core::response::StatusDetails;
use outhaul_agent_core::blocker::{self, Failure};

use super::Place;

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// Its reason, in a word.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// The kind that it names, in the plural.
    pub kind: String,
    /// The object that it names.
    pub name: String,
}

impl Refusal {
    pub(crate) fn new(code: u16, reason: &'static str, place: &Place) -> Self {
        Self {
            code,
            reason,
            message: format!("{place}: {reason}"),
            kind: place.plural(),
            name: place.name.clone(),
        }
    }

    pub(super) fn not_found(place: &Place) -> Self {
        Self::new(404, "NotFound", place)
    }

    pub(super) fn conflict(place: &Place) -> Self {
        Self::new(409, "Conflict", place)
    }

    /// The answer of a server that does not know the kind: it names no object.
    pub(super) fn unserved() -> Self {
        Self {
            code: 404,
            reason: "NotFound",
            message: "404 page not found".to_owned(),
            kind: String::new(),
            name: String::new(),
        }
    }

    /// As the hub reads it.
    pub(crate) fn status(&self) -> Status {
        Status {
            code: self.code,
            reason: self.reason.to_owned(),
            message: self.message.clone(),
            details: Some(StatusDetails {
                name: self.name.clone(),
                kind: self.kind.clone(),
                group: String::new(),
                uid: String::new(),
                causes: Vec::new(),
                retry_after_seconds: 0,
            }),
            ..Status::default()
        }
    }

    /// As the agent reads it.
    pub(crate) fn failure(&self) -> Failure {
        if self.code == 404 && self.kind.is_empty() {
            return Failure::KindUnknown("this kind".to_owned());
        }
        Failure::from(blocker::Refusal {
            code: self.code,
            reason: self.reason.to_owned(),
            message: self.message.clone(),
            name: self.name.clone(),
            kind: self.kind.clone(),
            ..blocker::Refusal::default()
        })
    }
}
