//! Conditions whose times change only when they do.

use serde_json::{Value, json};

use crate::moment::Moment;

/// Replaces or adds a condition in the conditions of `status`, keeping its transition time while its status stays.
pub(super) fn set(status: &mut Value, kind: &str, value: bool, reason: &str, message: &str, moment: &Moment) {
    let value = if value { "True" } else { "False" };
    let since = moment.timestamp();
    let mut condition = json!({"type": kind, "status": value, "lastTransitionTime": since, "reason": reason, "message": message});
    if reason.is_empty() {
        condition = json!({"type": kind, "status": value, "lastTransitionTime": since});
    }
    let conditions = &mut status["conditions"];
    let Some(list) = conditions.as_array_mut() else {
        *conditions = json!([condition]);
        return;
    };
    match list.iter_mut().find(|known| known["type"] == kind) {
        Some(known) => {
            if known["status"] == value {
                condition["lastTransitionTime"] = known["lastTransitionTime"].clone();
            }
            *known = condition;
        }
        None => list.push(condition),
    }
}

/// Whether a condition is true.
pub(super) fn holds(object: &Value, kind: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|c| c["type"] == kind && c["status"] == "True"))
}
