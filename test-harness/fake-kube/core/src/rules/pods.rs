//! What the parts of a pod's spec must have to do with each other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::metadata;
use super::places::{self, Place};
use crate::kind::Kind;
use crate::schema::{FieldError, Problem};

/// What a probe or a hook may do: one of these.
const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// What is wrong with the spec of pods beside single fields.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let Some(spec) = places::pod_spec(kind, object) else {
        return Vec::new();
    };
    let volumes: BTreeSet<&str> = places::all(spec.clone(), "volumes[].name")
        .iter()
        .filter_map(|(_, name)| name.and_then(Value::as_str))
        .collect();
    let mut taken = BTreeSet::new();
    let mut errors = check_labels(kind, object);
    for list in ["containers[]", "initContainers[]"] {
        for container in places::all(spec.clone(), list) {
            let is_first = list == "containers[]";
            errors.extend(check_taken(&container, is_first, &mut taken));
            errors.extend(check_mounts(&container, &volumes));
            errors.extend(check_env(&container));
            errors.extend(check_ports(&container));
            if list == "initContainers[]" && !goes_on(&container) {
                errors.extend(check_no_hooks(&container));
            } else {
                errors.extend(PROBES.iter().flat_map(|probe| check_probe(&container, probe)));
            }
        }
    }
    errors
}

/// Labels and annotations of a template are said to be of the template itself.
fn check_labels(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let Some((path, Some(template))) = places::pod_template(kind, object) else {
        return Vec::new();
    };
    let metadata = &template["metadata"];
    let mut errors = metadata::check_labels(&metadata["labels"], &path.field("labels"));
    errors.extend(metadata::check_annotations(
        &metadata["annotations"],
        &path.field("annotations"),
    ));
    errors
}

/// No two containers share a name. Having none is one that init containers share only with others.
fn check_taken<'a>(
    container: &Place<'a>,
    is_first: bool,
    taken: &mut BTreeSet<&'a str>,
) -> Option<FieldError> {
    let (path, container) = container;
    let name = container
        .and_then(|container| container["name"].as_str())
        .unwrap_or_default();
    let is_taken = taken.contains(name);
    if is_first || !name.is_empty() {
        taken.insert(name);
    }
    is_taken.then(|| FieldError::duplicate(path.field("name"), name))
}

/// What is mounted is there, and each at a place of its own.
fn check_mounts(container: &Place<'_>, volumes: &BTreeSet<&str>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut places = BTreeSet::new();
    for (path, mount) in places::all(container.clone(), "volumeMounts[]") {
        let text = |field: &str| mount.and_then(|mount| mount[field].as_str()).unwrap_or_default();
        if !volumes.contains(text("name")) {
            let value = text("name").into();
            errors.push(FieldError {
                path: path.field("name"),
                problem: Problem::NotFound { value },
            });
        }
        if !places.insert(text("mountPath").to_owned()) {
            errors.push(FieldError::invalid(
                path.field("mountPath"),
                text("mountPath"),
                "must be unique",
            ));
        }
    }
    errors
}

/// A variable has a value or one source of it.
fn check_env(container: &Place<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (path, variable) in places::all(container.clone(), "env[]") {
        let Some(variable) = variable.filter(|variable| variable["valueFrom"].is_object()) else {
            continue;
        };
        let sources = variable["valueFrom"].as_object().map_or(0, serde_json::Map::len);
        let has_value = variable["value"].as_str().is_some_and(|value| !value.is_empty());
        let detail = match sources {
            0 => {
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            }
            _ if has_value => "may not be specified when `value` is not empty",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        errors.push(FieldError::invalid(path.field("valueFrom"), "", detail));
    }
    errors
}

/// No two ports of a container share a name.
fn check_ports(container: &Place<'_>) -> Vec<FieldError> {
    let mut names = BTreeSet::new();
    let ports = places::all(container.clone(), "ports[].name").into_iter();
    let again = ports.filter_map(|(path, name)| {
        let name = name?.as_str().filter(|name| !name.is_empty())?;
        (!names.insert(name.to_owned())).then(|| FieldError::duplicate(path, name))
    });
    again.collect()
}

/// Whether an init container stays beside the others.
fn goes_on(container: &Place<'_>) -> bool {
    container
        .1
        .is_some_and(|container| container["restartPolicy"] == "Always")
}

/// What ends before the others start is neither probed nor told of its end.
fn check_no_hooks((path, container): &Place<'_>) -> Vec<FieldError> {
    let fields = ["lifecycle"].into_iter().chain(PROBES);
    let given = fields.filter(|field| container.is_some_and(|container| container[*field].is_object()));
    given
        .map(|field| {
            let detail = "may not be set for init containers without restartPolicy=Always";
            FieldError::forbidden(path.field(field), detail)
        })
        .collect()
}

/// A probe does one thing.
fn check_probe(container: &Place<'_>, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (path, probe) in places::all(container.clone(), field) {
        let Some(probe) = probe else { continue };
        let given: Vec<&str> = HANDLERS
            .into_iter()
            .filter(|handler| !probe[handler].is_null())
            .collect();
        if given.is_empty() {
            errors.push(FieldError::required(path, "must specify a handler type"));
            continue;
        }
        for handler in &given[1..] {
            let detail = "may not specify more than 1 handler type";
            errors.push(FieldError::forbidden(path.field(handler), detail));
        }
    }
    errors
}
