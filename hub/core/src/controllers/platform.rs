//! What is said of the kinds that a platform consists of. Nothing is made of them and nothing goes with them: each names
//! others, and its status says whether those are there and can be used.
//!
//! The condition `Ready` says so. It stands last, since clients of OpenChoreo read the last one. Beside it stands what
//! OpenChoreo itself says, which is always the same.

pub(super) mod component;
pub(super) mod environment;
pub(super) mod organization;
pub(super) mod pipeline;
pub(super) mod plane;
pub(super) mod project;

use outhaul_hub_render::reason::INVALID_CONFIGURATION;
use outhaul_hub_resources::conditions::{CREDENTIALS_PRESENT, READY, status};
use outhaul_hub_resources::{Condition, ConditionStatus};
use serde_json::{Map, Value, json};

use super::look::{Look, Plan};
use super::status::Words;
use super::{Id, Kind, Note, dependencies};
use crate::condition::{self, Said};

/// What `Ready` says: a reason and the words for it, of what is well or of what is not.
pub(super) type Verdict = Result<Saying, Saying>;

/// A reason and the words for it.
pub(super) type Saying = (&'static str, String);

/// What a status says so far.
#[derive(Clone, Copy)]
pub(super) struct Former<'a> {
    pub(super) conditions: &'a [Condition],
    pub(super) observed_generation: Option<i64>,
}

impl<'a> Former<'a> {
    pub(super) fn of(status: Option<&'a ConditionStatus>) -> Self {
        Self {
            conditions: status.map_or(&[], |status| &status.conditions),
            observed_generation: status.and_then(|status| status.observed_generation),
        }
    }
}

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
pub(super) fn unreadable(kind: Kind, name: &str, why: &str) -> Saying {
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
    mut fields: Map<String, Value>,
) -> Plan {
    let generation = look.generation();
    let words = Words::from(verdict);
    let mut notes = look.notes(words.clone(), former.conditions);
    notes.extend(credentials_note(look, former, &beside));
    let mut conditions = former.conditions.to_vec();
    conditions.retain(|known| {
        known.type_ != CREDENTIALS_PRESENT || beside.iter().any(|said| said.r#type == CREDENTIALS_PRESENT)
    });
    let beside = beside.into_iter().map(|said| Said { generation, ..said });
    for said in beside.chain([words.said(generation)]) {
        condition::set(&mut conditions, said, look.now.wall);
    }
    conditions.sort_by_key(|condition| condition.type_ == READY);
    let observed = generation.and_then(|generation| i64::try_from(generation).ok());
    if fields.is_empty() && conditions == former.conditions && observed == former.observed_generation {
        return Plan::Nothing;
    }
    fields.insert("conditions".to_owned(), json!(conditions));
    fields.insert("observedGeneration".to_owned(), json!(observed));
    look.patch(Value::Object(fields), notes)
}

/// Credentials that are found are told once.
fn credentials_note(look: &Look<'_>, former: Former<'_>, beside: &[Said]) -> Option<Note> {
    let said = beside.iter().find(|said| said.r#type == CREDENTIALS_PRESENT)?;
    let known = condition::get(former.conditions, CREDENTIALS_PRESENT);
    let is_news = known.is_none_or(|known| known.message != said.message);
    is_news.then(|| look.note(CREDENTIALS_PRESENT, said.message.clone()))?
}

impl From<Verdict> for Words {
    fn from(verdict: Verdict) -> Self {
        let ready = verdict.is_ok();
        let (Ok((reason, message)) | Err((reason, message))) = verdict;
        Self {
            ready,
            reason: reason.to_owned(),
            message,
        }
    }
}
