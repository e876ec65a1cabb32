//! How containers are probed, and told of their start and end.

use serde_json::Value;

use super::fields::complaints_of_port;
use super::places::Place;
use crate::schema::{FieldError, FieldPath};

/// What a probe or a hook may do: one of these.
const OF_PROBES: &[&str] = &["exec", "httpGet", "tcpSocket", "grpc"];
const OF_HOOKS: &[&str] = &["exec", "httpGet", "tcpSocket", "sleep"];

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
const SCHEMES: [&str; 2] = ["HTTP", "HTTPS"];

const NO_HEADER: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', \
     regex used for validation is '[-A-Za-z0-9]+')";

/// What is wrong with the probes and hooks of a container that may have them, in a pod that has so many seconds to end.
pub(super) fn check((path, container): &Place<'_>, grace: Option<i64>) -> Vec<FieldError> {
    let Some(container) = container else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    for hook in ["postStart", "preStop"] {
        let place = path.field("lifecycle").field(hook);
        let hook = &container["lifecycle"][hook];
        if hook.is_object() {
            errors.extend(check_handler(&place, hook, OF_HOOKS, grace));
        }
    }
    for probe in PROBES {
        if container[probe].is_object() {
            errors.extend(check_probe(&path.field(probe), probe, &container[probe], grace));
        }
    }
    errors
}

/// What ends before the others start is neither probed nor told of its end.
pub(super) fn check_none((path, container): &Place<'_>) -> Vec<FieldError> {
    let fields = ["lifecycle"].into_iter().chain(PROBES);
    let given = fields.filter(|field| container.is_some_and(|container| container[*field].is_object()));
    given
        .map(|field| {
            let detail = "may not be set for init containers without restartPolicy=Always";
            FieldError::forbidden(path.field(field), detail)
        })
        .collect()
}

fn check_probe(path: &FieldPath, name: &str, probe: &Value, grace: Option<i64>) -> Vec<FieldError> {
    let mut errors = check_handler(path, probe, OF_PROBES, grace);
    let invalid =
        |field: &str, value: i64, detail: &str| FieldError::invalid(path.field(field), value, detail);
    for field in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        let negative = probe[field].as_i64().filter(|number| *number < 0);
        errors.extend(negative.map(|number| invalid(field, number, "must be greater than or equal to 0")));
    }
    let field = "terminationGracePeriodSeconds";
    let is_of_readiness = name == "readinessProbe";
    if let Some(seconds) = probe[field].as_i64() {
        errors.extend((seconds <= 0).then(|| invalid(field, seconds, "must be greater than 0")));
        errors
            .extend(is_of_readiness.then(|| invalid(field, seconds, "must not be set for readinessProbes")));
    }
    let successes = probe["successThreshold"].as_i64().unwrap_or(0);
    if !is_of_readiness && successes != 1 {
        errors.push(invalid("successThreshold", successes, "must be 1"));
    }
    errors
}

/// It does one thing.
fn check_handler(path: &FieldPath, handler: &Value, known: &[&str], grace: Option<i64>) -> Vec<FieldError> {
    let mut given = known.iter().filter(|name| handler[**name].is_object());
    let Some(first) = given.next() else {
        return vec![FieldError::required(path.clone(), "must specify a handler type")];
    };
    let (place, action) = (path.field(first), &handler[*first]);
    let mut errors = match *first {
        "exec" => {
            let is_empty = action["command"].as_array().is_none_or(Vec::is_empty);
            let missing = is_empty.then(|| FieldError::required(place.field("command"), ""));
            missing.into_iter().collect()
        }
        "httpGet" => check_http(&place, action),
        "sleep" => check_sleep(&place, action, grace).into_iter().collect(),
        _ => check_port(&place.field("port"), &action["port"]),
    };
    errors.extend(given.map(|name| {
        let detail = "may not specify more than 1 handler type";
        FieldError::forbidden(path.field(name), detail)
    }));
    errors
}

fn check_http(path: &FieldPath, action: &Value) -> Vec<FieldError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut errors = check_port(&path.field("port"), &action["port"]);
    if text(&action["path"]).is_empty() {
        errors.push(FieldError::required(path.field("path"), ""));
    }
    let scheme = text(&action["scheme"]);
    if !SCHEMES.contains(&&*scheme) {
        errors.push(FieldError::unsupported(path.field("scheme"), scheme, &SCHEMES));
    }
    // The server does not say which of them.
    let headers = action["httpHeaders"].as_array().into_iter().flatten();
    errors.extend(headers.map(|header| text(&header["name"])).filter_map(|name| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_name = !name.is_empty() && name.bytes().all(fits);
        (!is_name).then(|| FieldError::invalid(path.field("httpHeaders"), name, NO_HEADER))
    }));
    errors
}

/// What is not there is the port 0 to the server.
fn check_port(path: &FieldPath, port: &Value) -> Vec<FieldError> {
    if let Value::String(name) = port {
        let complaints = complaints_of_port(name).into_iter();
        return complaints
            .map(|why| FieldError::invalid(path.clone(), &**name, why))
            .collect();
    }
    let number = port.as_i64().unwrap_or(0);
    let detail = "must be between 1 and 65535, inclusive";
    let is_port = (1..=65_535).contains(&number);
    let error = (!is_port).then(|| FieldError::invalid(path.clone(), number, detail));
    error.into_iter().collect()
}

fn check_sleep(path: &FieldPath, action: &Value, grace: Option<i64>) -> Option<FieldError> {
    let (seconds, grace) = (action["seconds"].as_i64().unwrap_or(0), grace?);
    let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
    (!(0..=grace).contains(&seconds)).then(|| FieldError::invalid(path.clone(), seconds, detail))
}
