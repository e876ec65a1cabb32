//! What the status of a key says: conditions, the generation that they are about, and Events about what is new.
//!
//! `Ready` stands last, since clients of OpenChoreo read the last one. What is said lasts: a hub that takes over finds it
//! and tells nobody again.

use core::time::Duration;
use std::borrow::Borrow;

use outhaul_hub_resources::conditions::{CREDENTIALS_PRESENT, READY, WARNINGS, status};
use outhaul_hub_resources::{Condition, ConditionStatus};
use serde_json::{Map, Value, json};

use super::look::{Look, Plan};
use super::status::{Words, cut};
use super::{Id, Note};
use crate::condition::{self, Said};
use crate::reason::STATUS_REFUSED;

/// A field is accepted and changes nothing.
pub(super) const WITHOUT_EFFECT: &str = "FieldsWithoutEffect";

/// Something is rendered otherwise than one may expect.
pub(super) const RENDERED_OTHERWISE: &str = "RenderedOtherwise";

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

/// What a status is to say.
#[derive(Default)]
pub(super) struct Saying {
    /// Of `Ready`; nothing where silence means that all is well.
    pub(super) ready: Option<Words>,
    /// Beside it. None leaves what was said there.
    pub(super) beside: Option<Vec<Said>>,
    /// Fields beside the conditions that have to be set.
    pub(super) fields: Map<String, Value>,
    /// When there may be more to say; looked at then, where nothing is said now.
    pub(super) again: Option<Duration>,
}

/// That something is not as one may expect, where there is any such thing.
pub(super) fn warnings<S: Borrow<str>>(reason: &str, warnings: &[S]) -> Vec<Said> {
    if warnings.is_empty() {
        return Vec::new();
    }
    vec![Said {
        r#type: WARNINGS,
        status: status::TRUE,
        reason: reason.to_owned(),
        message: cut(&warnings.join("; ")).to_owned(),
        generation: None,
    }]
}

/// The write of a status that says this, if any of it is new.
pub(super) fn say(look: &Look<'_>, former: Former<'_>, saying: Saying) -> Plan {
    let generation = look.generation();
    let Saying {
        ready,
        beside,
        mut fields,
        again,
    } = saying;
    let mut notes: Vec<_> = beside
        .iter()
        .flatten()
        .filter_map(|said| note(look, former, said))
        .collect();
    if let Some(words) = &ready {
        notes.extend(look.notes(words.clone(), former.conditions));
    }
    let mut conditions = former.conditions.to_vec();
    conditions.retain(|known| match known.type_.as_str() {
        READY => ready.is_some(),
        // They go where they are not said.
        CREDENTIALS_PRESENT | WARNINGS => beside
            .as_ref()
            .is_none_or(|beside| beside.iter().any(|said| said.r#type == known.type_)),
        _ => true,
    });
    let beside = beside
        .into_iter()
        .flatten()
        .map(|said| Said { generation, ..said });
    for said in beside.chain(ready.map(|words| words.said(generation))) {
        condition::set(&mut conditions, said, look.now.wall);
    }
    conditions.sort_by_key(|condition| condition.type_ == READY);
    // A status that says nothing is about no generation: nobody keeps it up.
    let observed = generation.filter(|_| !conditions.is_empty() && look.key.kind.observes());
    let observed = observed.and_then(|generation| i64::try_from(generation).ok());
    if fields.is_empty() && conditions == former.conditions && observed == former.observed_generation {
        return again.map_or(Plan::Nothing, Plan::Rest);
    }
    fields.insert("conditions".to_owned(), json!(conditions));
    if look.key.kind.observes() {
        fields.insert("observedGeneration".to_owned(), json!(observed));
    }
    look.patch(Value::Object(fields), notes)
}

/// The write of what is said beside the words of others, which stay as they stand.
pub(super) fn add(
    look: &Look<'_>,
    conditions: &[Condition],
    (beside, again): (Option<Vec<Said>>, Option<Duration>),
) -> Plan {
    let Some(beside) = beside else {
        return again.map_or(Plan::Nothing, Plan::Rest);
    };
    let former = Former {
        conditions,
        observed_generation: None,
    };
    let notes = beside
        .iter()
        .filter_map(|said| note(look, former, said))
        .collect();
    let mut next = conditions.to_vec();
    next.retain(|known| known.type_ != WARNINGS || !beside.is_empty());
    for said in beside {
        let generation = look.generation();
        condition::set(&mut next, Said { generation, ..said }, look.now.wall);
    }
    match next == conditions {
        true => Plan::Nothing,
        false => look.patch(json!({"conditions": next}), notes),
    }
}

/// What has to be looked after beside `Ready` is told once.
fn note(look: &Look<'_>, former: Former<'_>, said: &Said) -> Option<Note> {
    let reason = match said.r#type {
        CREDENTIALS_PRESENT => CREDENTIALS_PRESENT,
        WARNINGS => &said.reason,
        _ => return None,
    };
    let known = condition::get(former.conditions, said.r#type);
    let is_news = known.is_none_or(|known| known.message != said.message);
    is_news.then(|| look.note(reason, said.message.clone()))?
}

/// That the API server does not take a status, and what it was to say: an Event is all that people see of it.
pub(super) fn unsaid(key: &Id, uid: &str, patch: &Value, message: &str) -> Note {
    let Id { kind, name, .. } = key;
    let conditions = patch.pointer("/status/conditions").and_then(Value::as_array);
    let said = conditions.into_iter().flatten().map(|condition| {
        let field = |name: &str| condition[name].as_str().unwrap_or_default();
        let [of, status, reason, message] = ["type", "status", "reason", "message"].map(field);
        format!("{of} {status}, {reason}: {message}")
    });
    let said: Vec<_> = said.collect();
    Note {
        about: key.clone(),
        uid: uid.to_owned(),
        warning: true,
        reason: STATUS_REFUSED.to_owned(),
        message: format!(
            "the API server does not take the status of {kind} {name:?}, so what it says is out of date: {message}: install \
             the definitions and the roles of this hub's chart, or correct the webhook that refuses it; it was to say: {}",
            said.join("; ")
        ),
    }
}
