//! The CronJob of a scheduled task.

use outhaul_hub_resources::ReleaseState;
use serde_json::{Map, Value, json};

use crate::{
    binding::Binding,
    container,
    draft::{Draft, Identity},
    merge::{POD, merge},
    name,
    problem::{Problem, Warning},
};

/// Adds the CronJob: the class under one container of the workload, without ports and connections. A suspended one
/// starts no Jobs.
pub(crate) fn add(draft: &mut Draft<'_>, binding: &Binding<'_>, class: Map<String, Value>) {
    let identity = Identity {
        kind: "CronJob",
        id: format!("{}-cronjob", binding.name),
        name: name::workload(binding.name),
    };
    let mut spec = class;
    merge(&mut spec, overlay(binding), POD);
    if binding.state == ReleaseState::Suspend {
        spec.insert("suspend".to_owned(), true.into());
    }
    draft.warnings.extend(container::warnings(binding.workload, &[]));
    if !binding.workload.connections.is_empty() {
        draft.warnings.push(Warning::TaskConnections);
    }
    let object = check(&identity.object(), binding, &spec).map(|()| {
        json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": binding.metadata(&identity.name),
            "spec": spec,
            "status": {},
        })
    });
    draft.add(identity, object);
}

fn overlay(binding: &Binding<'_>) -> Map<String, Value> {
    let container = container::overlay(binding.workload, &[]).map(Value::Object);
    let template = json!({
        "metadata": {"labels": binding.labels},
        "spec": {
            "containers": container.into_iter().collect::<Vec<_>>(),
            "restartPolicy": "OnFailure",
        },
    });
    let job = json!({"metadata": {"labels": binding.labels}, "spec": {"template": template}});
    Map::from_iter([("jobTemplate".to_owned(), job)])
}

fn check(object: &str, binding: &Binding<'_>, spec: &Map<String, Value>) -> Result<(), Problem> {
    if spec
        .get("schedule")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err(Problem::NoSchedule {
            object: object.to_owned(),
            class: binding.class.name.to_owned(),
        });
    }
    let pod = spec
        .get("jobTemplate")
        .and_then(|job| job.pointer("/spec/template/spec"));
    container::check(object, binding.workload, pod)
}
