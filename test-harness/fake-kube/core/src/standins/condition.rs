//! Conditions, in the shapes that kinds give them; their times change only when they do.

use serde_json::{Value, json};

use crate::moment::Moment;

/// A condition with what all of them have. Reason and message are left out where they are empty.
pub(crate) fn new(kind: &str, value: bool, reason: &str, message: &str, moment: &Moment) -> Value {
    let value = if value { "True" } else { "False" };
    let mut condition = json!({"type": kind, "status": value, "lastTransitionTime": moment.timestamp()});
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition[field] = text.into();
        }
    }
    condition
}

/// A condition of a pod.
pub(super) fn of_pod(kind: &str, value: bool, reason: &str, message: &str, moment: &Moment) -> Value {
    let mut condition = new(kind, value, reason, message, moment);
    condition["lastProbeTime"] = Value::Null;
    condition
}

/// A condition of a Job.
pub(super) fn of_job(kind: &str, value: bool, reason: &str, message: &str, moment: &Moment) -> Value {
    let mut condition = new(kind, value, reason, message, moment);
    condition["lastProbeTime"] = condition["lastTransitionTime"].clone();
    condition
}

/// A condition of a Deployment.
pub(super) fn of_deployment(kind: &str, value: bool, reason: &str, message: &str, moment: &Moment) -> Value {
    let mut condition = new(kind, value, reason, message, moment);
    condition["lastUpdateTime"] = condition["lastTransitionTime"].clone();
    condition
}

/// Replaces or adds a condition in its place among those of `status`.
pub(crate) fn put(status: &mut Value, mut condition: Value) {
    let list = list(status);
    match list.iter_mut().find(|known| known["type"] == condition["type"]) {
        Some(known) => {
            keep_transition(known, &mut condition);
            *known = condition;
        }
        None => list.push(condition),
    }
}

/// Adds a condition at the end, instead of the one there was; one with the same status and reason stays as it is.
pub(super) fn append(status: &mut Value, condition: Value) {
    let list = list(status);
    let known = list.iter().find(|known| known["type"] == condition["type"]);
    let is_news = known
        .is_none_or(|known| known["status"] != condition["status"] || known["reason"] != condition["reason"]);
    if is_news {
        renew(status, condition);
    }
}

/// Adds a condition at the end, instead of the one there was, whatever that said.
pub(super) fn renew(status: &mut Value, mut condition: Value) {
    let list = list(status);
    if let Some(at) = list.iter().position(|known| known["type"] == condition["type"]) {
        keep_transition(&list.remove(at), &mut condition);
    }
    list.push(condition);
}

fn list(status: &mut Value) -> &mut Vec<Value> {
    let conditions = &mut status["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    conditions.as_array_mut().expect("made a list above")
}

fn keep_transition(known: &Value, condition: &mut Value) {
    if known["status"] == condition["status"] {
        condition["lastTransitionTime"] = known["lastTransitionTime"].clone();
    }
}

/// A condition of an object, if it has it.
pub(super) fn find<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    find_in(&object["status"], kind)
}

/// A condition in a status, if it is there.
pub(super) fn find_in<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = status["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)
}

/// Whether a condition of an object is true.
pub(super) fn holds(object: &Value, kind: &str) -> bool {
    holds_in(&object["status"], kind)
}

/// Whether a condition in a status is true.
pub(super) fn holds_in(status: &Value, kind: &str) -> bool {
    find_in(status, kind).is_some_and(|condition| condition["status"] == "True")
}
