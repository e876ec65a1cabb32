//! Ports of a Service: several need names to tell them apart.

use serde_json::Value;

use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath, Problem};

/// What is wrong with the ports of a Service.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    if !kind.id.group.is_empty() || &*kind.name != "Service" {
        return Vec::new();
    }
    let path = FieldPath::root().field("spec").field("ports");
    let ports = object["spec"]["ports"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let name = |port: &Value| port["name"].as_str().unwrap_or_default().to_owned();
    let mut errors = Vec::new();
    for (index, port) in ports.iter().enumerate().filter(|_| ports.len() > 1) {
        let path = path.index(index).field("name");
        let problem = match name(port) {
            none if none.is_empty() => Problem::Required {
                detail: String::new(),
            },
            taken if ports[..index].iter().any(|other| name(other) == taken) => {
                Problem::Duplicate { value: taken.into() }
            }
            _ => continue,
        };
        errors.push(FieldError { path, problem });
    }
    errors
}
