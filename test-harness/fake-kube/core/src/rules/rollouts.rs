//! How many pods a rollout may take away and add, and a disruption take away: numbers or shares.

use serde_json::Value;

use super::places;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const NO_SHARE: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', \
     regex used for validation is '[0-9]+%')";

/// What is wrong with the numbers of a rollout.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let strategy = match (&*kind.id.group, &*kind.name) {
        ("apps", "Deployment") => "strategy",
        ("apps", "DaemonSet" | "StatefulSet") => "updateStrategy",
        _ => return Vec::new(),
    };
    let start = (FieldPath::root().field("spec"), Some(&object["spec"]));
    let Some((path, Some(strategy))) = places::all(start, strategy).pop() else {
        return Vec::new();
    };
    let path = path.field("rollingUpdate");
    let numbers = &strategy["rollingUpdate"];
    match (&*kind.name, strategy["type"].as_str()) {
        ("StatefulSet", Some("OnDelete")) if numbers.is_object() => {
            let detail = "only allowed for updateStrategy 'RollingUpdate'";
            vec![FieldError::invalid(path, quoted(numbers), detail)]
        }
        (name, Some("RollingUpdate")) if numbers.is_object() => match name {
            "Deployment" => check_deployment(&path, numbers),
            "DaemonSet" => check_daemon_set(&path, numbers),
            _ => check_stateful_set(&path, numbers),
        },
        _ => Vec::new(),
    }
}

/// The server shows the whole as it has it itself.
fn quoted(numbers: &Value) -> Value {
    let partition = numbers["partition"].as_i64().unwrap_or_default();
    serde_json::json!({"MaxUnavailable": numbers["maxUnavailable"], "Partition": partition})
}

fn check_deployment(path: &FieldPath, numbers: &Value) -> Vec<FieldError> {
    let (away, more) = (&numbers["maxUnavailable"], &numbers["maxSurge"]);
    let place = path.field("maxUnavailable");
    let mut errors = check_sign(&place, away);
    errors.extend(check_sign(&path.field("maxSurge"), more));
    if amount(away) == 0 && amount(more) == 0 {
        let detail = "may not be 0 when `maxSurge` is 0";
        errors.push(FieldError::invalid(place.clone(), shown(away), detail));
    }
    errors.extend(check_whole(&place, away));
    errors
}

fn check_daemon_set(path: &FieldPath, numbers: &Value) -> Vec<FieldError> {
    let (away, more) = (&numbers["maxUnavailable"], &numbers["maxSurge"]);
    let (place, other) = (path.field("maxUnavailable"), path.field("maxSurge"));
    let mut errors = check_share(&place, away);
    errors.extend(check_share(&other, more));
    match (amount(away), amount(more)) {
        (0, 0) => errors.push(FieldError::required(place, "cannot be 0 when maxSurge is 0")),
        (0, _) | (_, 0) => {}
        _ => {
            let detail = "may not be set when maxUnavailable is non-zero";
            errors.push(FieldError::invalid(other, shown(more), detail));
        }
    }
    errors
}

fn check_stateful_set(path: &FieldPath, numbers: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(partition) = numbers["partition"].as_i64().filter(|number| *number < 0) {
        let detail = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(path.field("partition"), partition, detail));
    }
    let away = &numbers["maxUnavailable"];
    let place = path.field("maxUnavailable");
    if !away.is_null() {
        errors.extend(check_share(&place, away));
        if amount(away) == 0 {
            errors.push(FieldError::invalid(place, shown(away), "cannot be 0"));
        }
    }
    errors
}

/// What is wrong with a number that is not negative, or a share that is not more than all.
pub(super) fn check_share(path: &FieldPath, value: &Value) -> Vec<FieldError> {
    let mut errors = check_sign(path, value);
    errors.extend(check_whole(path, value));
    errors
}

fn check_sign(path: &FieldPath, value: &Value) -> Vec<FieldError> {
    let detail = match value {
        Value::String(text) if share(text).is_none() => NO_SHARE,
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
            "must be greater than or equal to 0"
        }
        _ => return Vec::new(),
    };
    vec![FieldError::invalid(path.clone(), value.clone(), detail)]
}

fn check_whole(path: &FieldPath, value: &Value) -> Option<FieldError> {
    let share = value.as_str().and_then(share)?;
    let detail = "must not be greater than 100%";
    (share > 100).then(|| FieldError::invalid(path.clone(), value.clone(), detail))
}

/// What is not there is zero to the server.
fn shown(value: &Value) -> Value {
    if value.is_null() { 0.into() } else { value.clone() }
}

/// The number, or that of the share. A text without a share may hold a number.
fn amount(value: &Value) -> i64 {
    match value {
        Value::String(text) => share(text).unwrap_or_else(|| text.parse().unwrap_or(0)),
        other => other.as_i64().unwrap_or(0),
    }
}

fn share(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%').filter(|digits| !digits.is_empty())?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(i64::MAX))
}
