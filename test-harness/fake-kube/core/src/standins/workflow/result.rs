//! WorkflowTaskResults: what a step put out.

use serde_json::{Value, json};

use super::{GROUP, WORKFLOW_LABEL, template};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::standins::action::{self, Action};

/// Whether a result is the whole one.
const COMPLETED: &str = "workflows.argoproj.io/report-outputs-completed";

pub(in crate::standins) fn resource() -> GroupResource {
    GroupResource::new(GROUP, "workflowtaskresults")
}

/// The Workflow that a result is of.
pub(in crate::standins) fn workflow_of(result: &Value) -> Option<&str> {
    result["metadata"]["labels"][WORKFLOW_LABEL].as_str()
}

/// What a node put out, once that is known.
pub(super) fn outputs(cluster: &Cluster, workflow: &Value, node: &str) -> Option<Value> {
    let result = cluster
        .find(&resource(), meta::namespace(workflow), node)?
        .value();
    let is_whole = result["metadata"]["labels"][COMPLETED] == "true";
    let is_its = workflow_of(result) == Some(meta::name(workflow));
    (is_whole && is_its).then(|| {
        let mut outputs = result["outputs"].clone();
        outputs["exitCode"] = "0".into();
        outputs
    })
}

/// What the pod of a node writes at its end; nothing where the template withholds it.
pub(super) fn written(workflow: &Value, template: &Value, node: &str) -> Option<Action> {
    let parameters = template::outputs(workflow, template)?;
    let object = json!({
        "apiVersion": format!("{GROUP}/v1alpha1"), "kind": "WorkflowTaskResult",
        "metadata": {
            "name": node, "namespace": meta::namespace(workflow), "ownerReferences": action::controlled_by(workflow),
            "labels": {WORKFLOW_LABEL: meta::name(workflow), COMPLETED: "true"},
        },
        "outputs": {"parameters": parameters},
    });
    Some(Action::Create {
        resource: resource(),
        object,
        note: None,
    })
}
