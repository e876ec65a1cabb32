//! What an Ingress must say.

use std::net::IpAddr;

use serde_json::Value;

use super::fields::complaints_of_port;
use super::names::{complaint_of_host, complaint_of_label, complaint_of_segment, complaint_of_subdomain};
use super::places;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];
/// What a path that is compared may not have inside, and how it may not end.
const TWISTS: [&str; 5] = ["//", "/./", "/../", "%2f", "%2F"];
const ENDS: [&str; 2] = ["/..", "/."];

/// What is wrong with an Ingress beside the types of its fields.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    if !kind.is("networking.k8s.io", "Ingress") {
        return Vec::new();
    }
    let spec = &object["spec"];
    let path = FieldPath::root().field("spec");
    let rules = places::items((path.field("rules"), Some(&spec["rules"])));
    let mut errors = Vec::new();
    if rules.is_empty() && spec["defaultBackend"].is_null() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        errors.push(FieldError::invalid(path.clone(), spec["rules"].clone(), detail));
    }
    if spec["defaultBackend"].is_object() {
        errors.extend(check_backend(
            &path.field("defaultBackend"),
            &spec["defaultBackend"],
        ));
    }
    for (path, rule) in rules {
        let Some(rule) = rule else { continue };
        errors.extend(check_host(&path.field("host"), &rule["host"]));
        if rule["http"].is_object() {
            errors.extend(check_paths(
                &path.field("http").field("paths"),
                &rule["http"]["paths"],
            ));
        }
    }
    for (path, tls) in places::items((path.field("tls"), Some(&spec["tls"]))) {
        errors.extend(tls.into_iter().flat_map(|tls| check_tls(&path, tls)));
    }
    let class = text(&spec["ingressClassName"]);
    let place = path.field("ingressClassName");
    if spec["ingressClassName"].is_string() {
        errors.extend(complaint_of_subdomain(class).map(|why| FieldError::invalid(place, class, why)));
    }
    errors
}

fn check_host(path: &FieldPath, host: &Value) -> Vec<FieldError> {
    let host = text(host);
    if host.is_empty() {
        return Vec::new();
    }
    let is_address = host.parse::<IpAddr>().is_ok();
    let address = is_address.then(|| "must be a DNS name, not an IP address".to_owned());
    let complaints = address.into_iter().chain(complaint_of_host(host));
    complaints
        .map(|why| FieldError::invalid(path.clone(), host, why))
        .collect()
}

fn check_tls(path: &FieldPath, tls: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (path, host) in places::items((path.field("hosts"), Some(&tls["hosts"]))) {
        let host = host.map_or("", text);
        errors.extend(complaint_of_host(host).map(|why| FieldError::invalid(path, host, why)));
    }
    let secret = text(&tls["secretName"]);
    let path = path.field("secretName");
    if !secret.is_empty() {
        errors.extend(complaint_of_subdomain(secret).map(|why| FieldError::invalid(path, secret, why)));
    }
    errors
}

fn check_paths(path: &FieldPath, paths: &Value) -> Vec<FieldError> {
    let paths = places::items((path.clone(), Some(paths)));
    if paths.is_empty() {
        return vec![FieldError::required(path.clone(), "")];
    }
    let there = paths.into_iter().filter_map(|(path, entry)| Some((path, entry?)));
    there.flat_map(|(path, entry)| check_path(&path, entry)).collect()
}

fn check_path(path: &FieldPath, entry: &Value) -> Vec<FieldError> {
    let wrong = |why: String| FieldError::invalid(path.field("path"), text(&entry["path"]), why);
    let mut errors = Vec::new();
    match entry["pathType"].as_str() {
        None => {
            let detail = "pathType must be specified";
            return vec![FieldError::required(path.field("pathType"), detail)];
        }
        Some("Exact" | "Prefix") => {
            errors.extend(complaints_of_path(text(&entry["path"])).into_iter().map(wrong));
        }
        Some("ImplementationSpecific") => {
            let given = text(&entry["path"]);
            if !given.is_empty() && !given.starts_with('/') {
                errors.push(wrong(NOT_ABSOLUTE.to_owned()));
            }
        }
        Some(other) => errors.push(FieldError::unsupported(
            path.field("pathType"),
            other,
            &PATH_TYPES,
        )),
    }
    errors.extend(check_backend(&path.field("backend"), &entry["backend"]));
    errors
}

const NOT_ABSOLUTE: &str = "must be an absolute path";

fn complaints_of_path(path: &str) -> Vec<String> {
    let absolute = (!path.starts_with('/')).then(|| NOT_ABSOLUTE.to_owned());
    let twists = TWISTS.iter().filter(|twist| path.contains(**twist));
    let ends = ENDS.iter().filter(|end| path.ends_with(**end));
    absolute
        .into_iter()
        .chain(twists.map(|twist| format!("must not contain '{twist}'")))
        .chain(ends.map(|end| format!("cannot end with '{end}'")))
        .collect()
}

fn check_backend(path: &FieldPath, backend: &Value) -> Vec<FieldError> {
    let none = |detail| vec![FieldError::invalid(path.clone(), "", detail)];
    match (backend["resource"].is_object(), backend["service"].is_object()) {
        (true, true) => none("cannot set both resource and service backends"),
        (true, false) => check_resource(&path.field("resource"), &backend["resource"]),
        (false, true) => check_service(path, &backend["service"]),
        (false, false) => none("resource or service backend is required"),
    }
}

fn check_resource(path: &FieldPath, resource: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(group) = resource["apiGroup"].as_str() {
        let place = path.field("apiGroup");
        errors.extend(complaint_of_subdomain(group).map(|why| FieldError::invalid(place, group, why)));
    }
    for field in ["kind", "name"] {
        match text(&resource[field]) {
            "" => errors.push(FieldError::required(path.field(field), "")),
            name => errors.extend(
                complaint_of_segment(name).map(|why| FieldError::invalid(path.field(field), name, why)),
            ),
        }
    }
    errors
}

fn check_service(path: &FieldPath, service: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let place = path.field("service").field("name");
    let name = text(&service["name"]);
    if name.is_empty() {
        errors.push(FieldError::required(place, ""));
    } else {
        errors.extend(complaint_of_label(name).map(|why| FieldError::invalid(place, name, why)));
    }
    let port = path.field("service").field("port");
    let (name, number) = (
        text(&service["port"]["name"]),
        service["port"]["number"].as_i64().unwrap_or(0),
    );
    match (name, number) {
        ("", 0) => errors.push(FieldError::required(
            path.clone(),
            "port name or number is required",
        )),
        ("", 1..=65_535) => {}
        ("", number) => {
            let detail = "must be between 1 and 65535, inclusive";
            errors.push(FieldError::invalid(port.field("number"), number, detail));
        }
        (name, 0) => {
            let complaints = complaints_of_port(name).into_iter();
            errors.extend(complaints.map(|why| FieldError::invalid(port.field("name"), name, why)));
        }
        (_, _) => {
            let detail = "cannot set both port name & port number";
            errors.push(FieldError::invalid(path.clone(), "", detail));
        }
    }
    errors
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
