//! The Kubernetes Service of a service or web application.

use serde_json::{Map, Value, json};

use crate::{
    binding::Binding,
    container,
    draft::{Draft, Identity},
    merge::{SERVICE, merge},
    name,
    problem::Warning,
};

/// Adds the Service: the class under the ports of the workload, or the stored one where the Deployment behind it stays.
/// Returns the numbers of its ports; without any there is no Service, since Kubernetes takes none.
pub(crate) fn add(draft: &mut Draft<'_>, binding: &Binding<'_>, class: Map<String, Value>) -> Vec<i64> {
    let identity = Identity {
        kind: "Service",
        id: format!("{}-service", binding.name),
        name: name::workload(binding.name),
    };
    if let Some(stored) = draft.kept(&identity) {
        draft.keep(stored);
        return numbers(&stored.object["spec"]);
    }
    let ports = container::ports(binding.workload).into_iter().map(|port| {
        json!({"name": port.name(), "port": port.number, "protocol": port.protocol, "targetPort": port.number})
    });
    let ports: Vec<_> = ports.collect();
    let mut overlay = Map::from_iter([
        ("selector".to_owned(), json!(binding.labels)),
        ("type".to_owned(), "ClusterIP".into()),
    ]);
    if !ports.is_empty() {
        overlay.insert("ports".to_owned(), ports.into());
    }
    let mut spec = class;
    merge(&mut spec, overlay, SERVICE);
    draft.warnings.extend(container::lost_ports(
        "Service",
        binding.workload,
        spec.get("ports"),
        "port",
    ));
    if !spec.get("ports").is_some_and(Value::is_array) {
        draft.warnings.push(Warning::NoPorts);
        return Vec::new();
    }
    let spec = Value::Object(spec);
    let ports = numbers(&spec);
    let object = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": binding.metadata(&identity.name),
        "spec": spec,
        "status": {"loadBalancer": {}},
    });
    draft.add(identity, Ok(object));
    ports
}

fn numbers(spec: &Value) -> Vec<i64> {
    let ports = spec["ports"].as_array().into_iter().flatten();
    ports.filter_map(|port| port["port"].as_i64()).collect()
}
