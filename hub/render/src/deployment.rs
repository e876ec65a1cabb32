//! The Deployment of a service or web application.

use outhaul_hub_resources::ReleaseState;
use serde_json::{Map, Value, json};

use crate::{
    binding::Binding,
    class,
    container::{self, Variable},
    draft::{DEPLOYMENT, Draft, Identity},
    merge::{POD, merge},
    name,
    problem::{Problem, Warning},
};

/// Adds the Deployment: the class under one container of the workload. A suspended one has no replicas.
///
/// Where the stored one has to stay, whatever leads to it stays too: pods that the new form would have are not there.
pub(crate) fn add(
    draft: &mut Draft<'_>,
    binding: &Binding<'_>,
    class: Map<String, Value>,
    connected: &[Variable],
) {
    let identity = Identity {
        kind: DEPLOYMENT,
        id: format!("{}-deployment", binding.name),
        name: name::workload(binding.name),
    };
    let mut spec = class;
    merge(&mut spec, overlay(binding, connected), POD);
    if binding.state == ReleaseState::Suspend {
        spec.insert("replicas".to_owned(), 0.into());
    }
    draft
        .warnings
        .extend(container::warnings(binding.workload, connected));
    let pod = spec.get("template").and_then(|template| template.get("spec"));
    let own = container::in_pod(binding.workload, pod).and_then(|container| container.get("ports"));
    let lost = container::lost_ports("container", binding.workload, own, "containerPort");
    draft.warnings.extend(lost);
    let checked = container::check(&identity.object(), binding.workload, pod);
    let checked = checked.and_then(|()| check_selector(draft, &identity, &spec));
    let object = checked.map(|()| {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": binding.metadata(&identity.name),
            "spec": spec,
            "status": {},
        })
    });
    draft.add(identity, object);
    if draft.keeps_deployment() {
        draft.warnings.push(Warning::DeploymentKept);
    }
}

/// Kubernetes lets nobody change how a Deployment finds its pods.
fn check_selector(draft: &Draft<'_>, identity: &Identity, spec: &Map<String, Value>) -> Result<(), Problem> {
    let stored = draft.stored_spec(identity);
    let same =
        |stored: &Value| class::selector(stored.get("selector")) == class::selector(spec.get("selector"));
    match stored.is_none_or(same) {
        true => Ok(()),
        false => Err(Problem::Selector {
            object: identity.object(),
        }),
    }
}

fn overlay(binding: &Binding<'_>, connected: &[Variable]) -> Map<String, Value> {
    let containers = container::overlay(binding.workload, connected).map(|mut container| {
        let ports = container::ports(binding.workload).into_iter().map(
            |port| json!({"name": port.name(), "containerPort": port.number, "protocol": port.protocol}),
        );
        let ports: Vec<_> = ports.collect();
        if !ports.is_empty() {
            container.insert("ports".to_owned(), ports.into());
        }
        Value::Object(container)
    });
    let template = json!({
        "metadata": {"labels": binding.labels},
        "spec": {"containers": containers.into_iter().collect::<Vec<_>>()},
    });
    Map::from_iter([
        ("selector".to_owned(), json!({"matchLabels": binding.labels})),
        ("template".to_owned(), template),
    ])
}
