//! What the parts of a Service must have to do with each other.

use serde_json::{Value, json};

use super::metadata::check_labels;
use super::names::complaint_of_subdomain;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// What is wrong with a Service beside single fields.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    if !kind.is("", "Service") {
        return Vec::new();
    }
    let spec = &object["spec"];
    let path = FieldPath::root().field("spec");
    let ports = spec["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut errors = Vec::new();
    if spec["type"] == "ExternalName" {
        errors.extend(check_external_name(spec, &path));
    } else if ports.is_empty() && spec["clusterIP"] != "None" {
        errors.push(FieldError::required(path.field("ports"), ""));
    }
    if spec["type"] != "ExternalName" && spec["internalTrafficPolicy"].is_null() && is_known_type(spec) {
        errors.push(FieldError::required(path.field("internalTrafficPolicy"), ""));
    }
    errors.extend(check_labels(&spec["selector"], &path.field("selector")));
    errors.extend(check_names(ports, &path.field("ports")));
    errors.extend(check_duplicates(ports, &path.field("ports")));
    errors
}

fn is_known_type(spec: &Value) -> bool {
    ["ClusterIP", "LoadBalancer", "NodePort"]
        .iter()
        .any(|known| spec["type"] == *known)
}

fn check_external_name(spec: &Value, path: &FieldPath) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        let is_set = match &spec[field] {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            _ => true,
        };
        if is_set {
            let detail = "may not be set for ExternalName services";
            errors.push(FieldError::forbidden(path.field(field), detail));
        }
    }
    let path = path.field("externalName");
    let given = spec["externalName"].as_str().unwrap_or_default();
    let name = given.strip_suffix('.').unwrap_or(given);
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        errors.extend(complaint_of_subdomain(name).map(|detail| FieldError::invalid(path, name, detail)));
    }
    errors
}

/// Several ports need names to tell them apart.
fn check_names(ports: &[Value], path: &FieldPath) -> Vec<FieldError> {
    let name = |port: &Value| port["name"].as_str().unwrap_or_default().to_owned();
    let mut errors = Vec::new();
    for (index, port) in ports.iter().enumerate().filter(|_| ports.len() > 1) {
        let path = path.index(index).field("name");
        let taken = name(port);
        if taken.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if ports[..index].iter().any(|other| name(other) == taken) {
            errors.push(FieldError::duplicate(path, taken));
        }
    }
    errors
}

/// Two ports of one protocol and number are one. The server shows them as it has them itself.
fn check_duplicates(ports: &[Value], path: &FieldPath) -> Vec<FieldError> {
    let key = |port: &Value| (port["protocol"].clone(), port["port"].clone());
    let again = ports
        .iter()
        .enumerate()
        .filter(|(index, port)| ports[..*index].iter().any(|other| key(other) == key(port)));
    let errors = again.map(|(index, port)| {
        let value = json!({
            "AppProtocol": null, "Name": "", "NodePort": 0, "Port": port["port"].as_i64().unwrap_or(0), "Protocol": port["protocol"],
            "TargetPort": 0,
        });
        FieldError::duplicate(path.index(index), value)
    });
    errors.collect()
}
