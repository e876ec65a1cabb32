//! One look at one key: everything that it is decided from, and what is decided.

use core::time::Duration;

use outhaul_hub_render::{AsOpenChoreo, Change};
use outhaul_hub_resources::{Condition, Release};
use outhaul_protocol_wire::digest::Digest;
use serde::Serialize;
use serde_json::{Value, json};

use super::index::Index;
use super::memory::{Attempt, Memory, Refused, Unsaid, Written};
use super::status::Words;
use super::{Id, Note, Sight, Step, Stores, Watched, sight};
use crate::routing::Routing;
use crate::{Now, condition};

/// What is decided.
#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    /// All is well, or a watch will tell.
    Nothing,
    /// It is looked at again then.
    Rest(Duration),
    /// This is to be done.
    Step(Box<Step>, Vec<Note>),
}

/// What is to be done about a write that a key wants.
pub(super) enum Write {
    /// It is written already.
    Settled,
    /// It was refused just now, in these words.
    Held(Attempt, String),
    /// It is to be made.
    Due(Step),
}

/// What is looked at.
pub(super) struct Look<'a> {
    pub(super) key: &'a Id,
    pub(super) stores: &'a Stores,
    pub(super) routing: &'a Routing,
    /// Which component each binding is of.
    pub(super) runs: &'a Index,
    /// Whether it is known who else runs the key's component.
    pub(super) knows_twins: bool,
    pub(super) as_openchoreo: AsOpenChoreo,
    /// The environment of first bindings.
    pub(super) first_environment: &'a str,
    /// Hosts end in what DataPlanes say.
    pub(super) plane_hosts: bool,
    /// Many writes are under way: what says little may wait for them.
    pub(super) is_busy: bool,
    /// Every Component and Project is known.
    pub(super) owners_listed: bool,
    /// The key's Release with all that it says, where it was asked for.
    pub(super) read: Option<&'a Release>,
    pub(super) memory: &'a mut Memory,
    pub(super) now: Now,
}

impl Look<'_> {
    /// The write of a child of the key's name.
    pub(super) fn write<C: Watched + Serialize>(&self, change: &Change<C>) -> Write {
        let id = self.key.beside(C::KIND);
        match change {
            Change::Keep => Write::Settled,
            Change::Create(wanted) => {
                let object = without_status(wanted);
                let content = content(&object);
                self.attempt(Attempt::Create(content), Step::Create { id, object, content })
            }
            Change::Update(wanted) => {
                let object = without_status(wanted);
                let content = content(&object);
                let stored = self.stores.sight(&id).map(|sight| sight.version);
                let taken = |written: &Written| {
                    written.id == id && written.content == content && Some(written.version) == stored
                };
                if self.memory.written.as_ref().is_some_and(taken) {
                    // The API server keeps it otherwise than it was written: writing it again changes nothing.
                    return Write::Settled;
                }
                self.attempt(Attempt::Replace(content), Step::Replace { id, object, content })
            }
        }
    }

    /// The deletion of the key's Release, of which this is known.
    pub(super) fn delete(&self, release: &Sight) -> Write {
        let step = Step::Delete {
            id: release.id.clone(),
            uid: release.uid.clone(),
            version: release.version,
        };
        self.attempt(Attempt::Delete, step)
    }

    /// The write of a status. What the API server did not keep is not said again: its definition of the kind may be older
    /// than this hub.
    pub(super) fn patch(&self, status: Value, notes: Vec<Note>) -> Plan {
        let Some(sight) = self.stores.sight(self.key) else {
            return Plan::Nothing;
        };
        let content = statement(&status);
        let taken = |said: &Written| said.content == content && said.version == sight.version;
        if self.memory.said.as_ref().is_some_and(taken) {
            return Plan::Nothing;
        }
        let held = |unsaid: &&Unsaid| unsaid.content == content && self.now.uptime < unsaid.until;
        if let Some(unsaid) = self.memory.unsaid.as_ref().filter(held) {
            return Plan::Rest(unsaid.until);
        }
        let metadata = json!({"resourceVersion": sight.version.to_string(), "uid": sight.uid});
        let step = Step::Status {
            id: self.key.clone(),
            patch: json!({"metadata": metadata, "status": status}),
            content,
        };
        Plan::Step(Box::new(step), notes)
    }

    /// An Event about the key.
    pub(super) fn note(&self, reason: &str, message: String) -> Option<Note> {
        let sight = self.stores.sight(self.key)?;
        Some(Note {
            about: self.key.clone(),
            uid: sight.uid.clone(),
            warning: true,
            reason: reason.to_owned(),
            message,
        })
    }

    /// The generation that is looked at.
    pub(super) fn generation(&self) -> Option<u64> {
        self.stores.generation(self.key)
    }

    /// What is wrong is told when it is new. What goes on by itself is no news.
    pub(super) fn notes(&self, words: Words, former: &[Condition]) -> Vec<Note> {
        let known = condition::get(former, outhaul_hub_resources::conditions::READY)
            .is_some_and(|known| known.reason == words.reason && known.message == words.message);
        match known || !words.is_complaint() {
            true => Vec::new(),
            false => self.note(&words.reason, words.message).into_iter().collect(),
        }
    }

    /// The same write, if it was refused just now.
    pub(super) fn held(&self, attempt: &Attempt) -> Option<Write> {
        let held = |refused: &&Refused| refused.attempt == *attempt && self.now.uptime < refused.until;
        let refused = self.memory.refused.as_ref().filter(held)?;
        Some(Write::Held(attempt.clone(), refused.message.clone()))
    }

    fn attempt(&self, attempt: Attempt, step: Step) -> Write {
        self.held(&attempt).unwrap_or(Write::Due(step))
    }
}

/// Digest of an object that is to be written.
pub(super) fn content_of<C: Serialize>(object: &C) -> Digest {
    content(&without_status(object))
}

fn without_status<C: Serialize>(object: &C) -> Value {
    let mut object = serde_json::to_value(object).expect("our types are maps with text keys");
    if let Value::Object(fields) = &mut object {
        fields.remove("status");
    }
    object
}

/// Digest of what a status says. Since when it is so is no part of it.
fn statement(status: &Value) -> Digest {
    let mut status = status.clone();
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        condition.remove("lastTransitionTime");
    }
    sight::digest(&status)
}

/// Digest of what is written. The resourceVersion says over what, not what.
fn content(object: &Value) -> Digest {
    let mut object = object.clone();
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("resourceVersion");
    }
    sight::digest(&object)
}
