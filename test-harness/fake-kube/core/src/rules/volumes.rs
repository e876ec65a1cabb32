//! What the volumes of pods are made of, and where they are mounted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::names::complaint_of_label;
use super::places::{self, Place};
use super::references;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath, Problem};

/// Kinds of volumes in the order in which they are looked at; the first that is given counts. Those for hardware and
/// clouds are not looked into.
const SOURCES: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];

const NO_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// What is wrong with the volumes of a pod's spec, and the names of the others.
pub(super) fn check(
    kind: &Kind,
    object: &Value,
    (path, spec): &Place<'_>,
) -> (BTreeSet<String>, Vec<FieldError>) {
    let mut names = BTreeSet::new();
    let mut errors = Vec::new();
    let volumes = spec.map(|spec| volumes(kind, object, spec)).unwrap_or_default();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.field("volumes").index(index);
        let mut found = check_source(&path, volume);
        let name = text(&volume["name"]);
        let place = path.field("name");
        if name.is_empty() {
            found.push(FieldError::required(place.clone(), ""));
        } else {
            let complaint = complaint_of_label(name);
            found.extend(complaint.map(|why| FieldError::invalid(place.clone(), name, why)));
        }
        if names.contains(name) {
            found.push(FieldError::duplicate(place, name));
        }
        if found.is_empty() {
            names.insert(name.to_owned());
        }
        errors.extend(found);
    }
    (names, errors)
}

/// The volumes of a spec. Those of the claims that a stateful set makes come first, and instead of others of their names.
fn volumes(kind: &Kind, object: &Value, spec: &Value) -> Vec<Value> {
    let own = spec["volumes"].as_array().into_iter().flatten();
    if !kind.is("apps", "StatefulSet") {
        return own.cloned().collect();
    }
    let templates = object["spec"]["volumeClaimTemplates"]
        .as_array()
        .into_iter()
        .flatten();
    let claims: BTreeSet<&str> = templates.map(|claim| text(&claim["metadata"]["name"])).collect();
    let others = own
        .filter(|volume| !claims.contains(text(&volume["name"])))
        .cloned();
    let made = claims
        .iter()
        .map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
    made.chain(others).collect()
}

fn check_source(path: &FieldPath, volume: &Value) -> Vec<FieldError> {
    let given = SOURCES.iter().filter(|source| volume[**source].is_object());
    let mut given = given.copied();
    let Some(first) = given.next() else {
        return vec![FieldError::required(path.clone(), "must specify a volume type")];
    };
    let (place, source) = (path.field(first), &volume[first]);
    let mut errors = match first {
        "configMap" => check_files(&place, "name", source),
        "secret" => check_files(&place, "secretName", source),
        "emptyDir" => check_size(&place, source),
        "hostPath" => check_host_path(&place, source),
        "persistentVolumeClaim" => require(&place, source, "claimName"),
        "downwardAPI" => check_downward(&place, source),
        "projected" => check_projected(&place, source),
        _ => Vec::new(),
    };
    errors.extend(given.map(|source| {
        // The server misspells these.
        let name = match source {
            "cephfs" => "cephFS",
            "downwardAPI" => "downwarAPI",
            name => name,
        };
        FieldError::forbidden(path.field(name), "may not specify more than 1 volume type")
    }));
    errors
}

fn require(path: &FieldPath, value: &Value, field: &str) -> Vec<FieldError> {
    let is_missing = text(&value[field]).is_empty();
    let error = is_missing.then(|| FieldError::required(path.field(field), ""));
    error.into_iter().collect()
}

fn check_size(path: &FieldPath, source: &Value) -> Vec<FieldError> {
    let is_negative = text(&source["sizeLimit"]).starts_with('-');
    let detail = "SizeLimit field must be a valid resource quantity";
    let error = is_negative.then(|| FieldError::forbidden(path.field("sizeLimit"), detail));
    error.into_iter().collect()
}

/// Files of a ConfigMap or Secret, which has this field for its name.
fn check_files(path: &FieldPath, name: &str, source: &Value) -> Vec<FieldError> {
    let mut errors = require(path, source, name);
    errors.extend(check_mode(path.field("defaultMode"), &source["defaultMode"]));
    errors.extend(check_items(path, source));
    errors
}

fn check_items(path: &FieldPath, source: &Value) -> Vec<FieldError> {
    let items = places::items((path.field("items"), Some(&source["items"])));
    let mut errors = Vec::new();
    for (path, item) in items {
        let Some(item) = item else { continue };
        errors.extend(require(&path, item, "key"));
        errors.extend(require(&path, item, "path"));
        errors.extend(check_inner_path(&path.field("path"), text(&item["path"])));
        errors.extend(check_mode(path.field("mode"), &item["mode"]));
    }
    errors
}

fn check_mode(path: FieldPath, mode: &Value) -> Option<FieldError> {
    let mode = mode.as_i64().filter(|mode| !(0..=0o777).contains(mode))?;
    Some(FieldError::invalid(path, mode, NO_MODE))
}

fn check_host_path(path: &FieldPath, source: &Value) -> Vec<FieldError> {
    let mut errors = require(path, source, "path");
    if !errors.is_empty() {
        return errors;
    }
    errors.extend(check_steps(&path.field("path"), text(&source["path"])));
    if let Some(given) = source["type"]
        .as_str()
        .filter(|given| !HOST_PATH_TYPES.contains(given))
    {
        errors.push(FieldError::unsupported(
            path.field("type"),
            given,
            &HOST_PATH_TYPES,
        ));
    }
    errors
}

fn check_downward(path: &FieldPath, source: &Value) -> Vec<FieldError> {
    let mode = check_mode(path.field("defaultMode"), &source["defaultMode"]);
    let files = source["items"].as_array().into_iter().flatten();
    let errors = files.flat_map(|file| check_downward_file(path, file));
    mode.into_iter().chain(errors).collect()
}

/// A file about the pod itself. The server does not say which of them.
fn check_downward_file(path: &FieldPath, file: &Value) -> Vec<FieldError> {
    let mut errors = require(path, file, "path");
    errors.extend(check_inner_path(&path.field("path"), text(&file["path"])));
    let (field, resource) = (&file["fieldRef"], &file["resourceFieldRef"]);
    match (field.is_object(), resource.is_object()) {
        (true, has_both) => {
            errors.extend(references::check_field(
                &path.field("fieldRef"),
                field,
                references::IN_FILES,
            ));
            let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
            errors.extend(has_both.then(|| FieldError::invalid(path.clone(), "resource", detail)));
        }
        (false, true) => {
            errors.extend(references::check_resource(
                &path.field("resourceFieldRef"),
                resource,
                true,
            ));
        }
        (false, false) => {
            let detail = "one of fieldRef and resourceFieldRef is required";
            errors.push(FieldError::required(path.clone(), detail));
        }
    }
    errors.extend(check_mode(path.field("mode"), &file["mode"]));
    errors
}

fn check_projected(path: &FieldPath, volume: &Value) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = check_mode(path.field("defaultMode"), &volume["defaultMode"])
        .into_iter()
        .collect();
    let mut taken = BTreeSet::new();
    let mut take = |file: &Value, owner: &str| {
        let place = text(&file["path"]);
        let is_taken = !place.is_empty() && !taken.insert(place.to_owned());
        let value = if owner.is_empty() { place } else { owner };
        is_taken.then(|| FieldError::invalid(path.clone(), value, "conflicting duplicate paths"))
    };
    for (place, source) in places::items((path.field("sources"), Some(&volume["sources"]))) {
        let Some(source) = source else { continue };
        for field in ["secret", "configMap"] {
            let (place, files) = (place.field(field), &source[field]);
            if files.is_object() {
                errors.extend(require(&place, files, "name"));
                errors.extend(check_items(&place, files));
                let items = files["items"].as_array().into_iter().flatten();
                errors.extend(items.filter_map(|item| take(item, text(&files["name"]))));
            }
        }
        if source["downwardAPI"].is_object() {
            for file in source["downwardAPI"]["items"].as_array().into_iter().flatten() {
                errors.extend(check_downward_file(&place.field("downwardAPI"), file));
                errors.extend(take(file, ""));
            }
        }
        let token = &source["serviceAccountToken"];
        if token.is_object() {
            errors.extend(check_token(&place.field("serviceAccountToken"), token));
            // The server takes these for fields of the volume.
            errors.extend(require(path, token, "path"));
            errors.extend(check_inner_path(&path.field("path"), text(&token["path"])));
        }
        let given = source.as_object().into_iter().flatten();
        if given.filter(|(_, source)| source.is_object()).count() > 1 {
            let detail = "may not specify more than 1 volume type per source";
            errors.push(FieldError::forbidden(place, detail));
        }
    }
    errors
}

fn check_token(path: &FieldPath, token: &Value) -> Option<FieldError> {
    let place = path.field("expirationSeconds");
    let Some(seconds) = token["expirationSeconds"].as_i64() else {
        return Some(FieldError::required(place, ""));
    };
    let detail = match seconds {
        ..600 => "may not specify a duration less than 10 minutes",
        0x1_0000_0001.. => "may not specify a duration larger than 2^32 seconds",
        _ => return None,
    };
    Some(FieldError::invalid(place, seconds, detail))
}

/// A path of a file in a volume leads further in.
fn check_inner_path(path: &FieldPath, given: &str) -> Vec<FieldError> {
    let mut errors = check_descent(path, given);
    if given.starts_with("..") && !given.starts_with("../") {
        errors.push(FieldError::invalid(
            path.clone(),
            given,
            "must not start with '..'",
        ));
    }
    errors
}

/// A path that stays below where it begins.
pub(super) fn check_descent(path: &FieldPath, given: &str) -> Vec<FieldError> {
    let is_absolute = given.starts_with('/');
    let absolute = is_absolute.then(|| FieldError::invalid(path.clone(), given, "must be a relative path"));
    absolute.into_iter().chain(check_steps(path, given)).collect()
}

fn check_steps(path: &FieldPath, given: &str) -> Option<FieldError> {
    let goes_back = given.split('/').any(|step| step == "..");
    goes_back.then(|| FieldError::invalid(path.clone(), given, "must not contain '..'"))
}

/// What is mounted is there, and each at a place of its own.
pub(super) fn check_mounts((path, container): &Place<'_>, volumes: &BTreeSet<String>) -> Vec<FieldError> {
    let Some(container) = container else {
        return Vec::new();
    };
    let path = path.field("volumeMounts");
    let mut errors = Vec::new();
    let mut places = BTreeSet::new();
    for (place, mount) in places::items((path.clone(), Some(&container["volumeMounts"]))) {
        let Some(mount) = mount else { continue };
        let (name, at) = (text(&mount["name"]), text(&mount["mountPath"]));
        errors.extend(require(&place, mount, "name"));
        if !volumes.contains(name) {
            let problem = Problem::NotFound { value: name.into() };
            let path = place.field("name");
            errors.push(FieldError { path, problem });
        }
        errors.extend(require(&place, mount, "mountPath"));
        if !places.insert(at) {
            errors.push(FieldError::invalid(
                place.field("mountPath"),
                at,
                "must be unique",
            ));
        }
        // The server does not say which mounts these are about.
        errors.extend(check_descent(&path.field("subPath"), text(&mount["subPath"])));
        errors.extend(check_propagation(
            &path.field("mountPropagation"),
            container,
            mount,
        ));
    }
    errors
}

fn check_propagation(path: &FieldPath, container: &Value, mount: &Value) -> Option<FieldError> {
    let given = mount["mountPropagation"].as_str()?;
    if !PROPAGATIONS.contains(&given) {
        return Some(FieldError::unsupported(path.clone(), given, &PROPAGATIONS));
    }
    let is_allowed = given != "Bidirectional" || container["securityContext"]["privileged"] == true;
    let detail = "Bidirectional mount propagation is available only to privileged containers";
    (!is_allowed).then(|| FieldError::forbidden(path.clone(), detail))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
