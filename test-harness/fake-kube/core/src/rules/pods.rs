//! What the parts of a pod's spec must have to do with each other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::places::{self, Place};
use super::{limits, metadata, probes, scheduling, security, variables, volumes};
use crate::kind::Kind;
use crate::schema::FieldError;

/// What is wrong with the spec of pods beside single fields.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let Some(spec) = places::pod_spec(kind, object) else {
        return Vec::new();
    };
    let (volumes, mut errors) = volumes::check(kind, object, &spec);
    let grace = spec
        .1
        .and_then(|spec| spec["terminationGracePeriodSeconds"].as_i64());
    let mut taken = BTreeSet::new();
    errors.extend(check_labels(kind, object));
    errors.extend(scheduling::check(kind, &spec));
    errors.extend(security::check(&spec));
    for list in ["containers[]", "initContainers[]"] {
        for container in places::all(spec.clone(), list) {
            let is_first = list == "containers[]";
            errors.extend(check_taken(&container, is_first, &mut taken));
            errors.extend(volumes::check_mounts(&container, &volumes));
            errors.extend(variables::check(&container));
            errors.extend(limits::check(&container));
            errors.extend(security::check(&container));
            errors.extend(check_ports(&container));
            if list == "initContainers[]" && !goes_on(&container) {
                errors.extend(probes::check_none(&container));
            } else {
                errors.extend(probes::check(&container, grace));
            }
        }
    }
    if kind.is("", "Pod") {
        errors.extend(check_pod(&spec));
    }
    errors
}

/// What is asked of pods and not of templates.
fn check_pod(spec: &Place<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let has_account = spec.1.is_some_and(|spec| {
        spec["serviceAccountName"]
            .as_str()
            .is_some_and(|name| !name.is_empty())
    });
    if !has_account {
        let tokens = places::all(spec.clone(), "volumes[].projected.sources[].serviceAccountToken");
        let given = tokens
            .into_iter()
            .filter(|(_, token)| token.is_some_and(Value::is_object));
        let detail = "must not be specified when serviceAccountName is not set";
        errors.extend(given.map(|(path, _)| FieldError::forbidden(path, detail)));
    }
    for list in ["containers[].image", "initContainers[].image"] {
        let images = places::all(spec.clone(), list).into_iter();
        errors.extend(images.filter_map(|(path, image)| {
            let image = image?.as_str()?;
            let detail = "must not have leading or trailing whitespace";
            (image.trim() != image).then(|| FieldError::invalid(path, image, detail))
        }));
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
