//! What is said of the kinds that a platform consists of. Nothing is made of them and nothing goes with them: each names
//! others, and its status says whether those are there and can be used; a ConfigurationGroup names none, and says that
//! nothing reads it.
//!
//! The condition `Ready` says so. Beside it stands what OpenChoreo itself says, which is always the same.

pub(super) mod component;
pub(super) mod configuration_group;
pub(super) mod environment;
pub(super) mod organization;
pub(super) mod pipeline;
pub(super) mod plane;
pub(super) mod project;

use outhaul_hub_render::reason::INVALID_CONFIGURATION;
use outhaul_hub_resources::conditions::status;
use serde_json::{Map, Value};

use super::look::{Look, Plan};
use super::saying::{self, Former, Saying};
use super::status::Words;
use super::{Id, Kind, dependencies};
use crate::condition::Said;

/// What `Ready` says: a reason and the words for it, of what is well or of what is not.
pub(super) type Verdict = Result<Reason, Reason>;

/// A reason and the words for it.
pub(super) type Reason = (&'static str, String);

/// What OpenChoreo says of an object that is there.
pub(super) fn there(r#type: &'static str, reason: &str, message: &str) -> Said {
    Said {
        r#type,
        status: status::TRUE,
        reason: reason.to_owned(),
        message: message.to_owned(),
        generation: None,
    }
}

/// What is said of an object that is there and that nobody can read.
pub(super) fn unreadable(kind: Kind, name: &str, why: &str) -> Reason {
    (
        INVALID_CONFIGURATION,
        format!("{kind} {name:?} cannot be read: {why}"),
    )
}

/// Where an object is that the key names, if it is anywhere.
pub(super) fn find(look: &Look<'_>, kind: Kind, name: &str) -> Option<Id> {
    let mut places = dependencies::places(look.key, kind, name, look.routing);
    places.find(|id| look.stores.sight(id).is_some())
}

/// The write of a status that says this, if any of it is new.
pub(super) fn say(look: &Look<'_>, former: Former<'_>, beside: Vec<Said>, verdict: Verdict) -> Plan {
    say_and_set(look, former, beside, verdict, Map::new())
}

/// The same; `fields` are those beside the conditions that have to be set.
pub(super) fn say_and_set(
    look: &Look<'_>,
    former: Former<'_>,
    beside: Vec<Said>,
    verdict: Verdict,
    fields: Map<String, Value>,
) -> Plan {
    let saying = Saying {
        ready: Some(verdict.into()),
        beside: Some(beside),
        fields,
        again: None,
    };
    saying::say(look, former, saying)
}

impl From<Verdict> for Words {
    fn from(verdict: Verdict) -> Self {
        let ready = verdict.is_ok();
        let (Ok((reason, message)) | Err((reason, message))) = verdict;
        Self {
            ready,
            reason: reason.to_owned(),
            message,
            is_stuck: false,
        }
    }
}
