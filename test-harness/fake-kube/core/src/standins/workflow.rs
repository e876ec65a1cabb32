//! Argo Workflows: a pod per step, in the order that steps and graphs ask for, and the nodes that clients read.
//!
//! Templates of containers, scripts, steps and graphs (dependencies by name) run; loops, conditions and retries do
//! not. A step that puts something out is over when a WorkflowTaskResult says what. The `wait` container of its pod writes
//! that in a real cluster; here it comes with the end of the pod, and its values from the template: [`OUTPUTS`], a
//! default, or a made-up value.

mod node;
pub(super) mod result;
mod run;
mod template;

use serde_json::{Value, json};

use super::action::{self, Action};
use super::note::Note;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use node::Phase;
use run::Run;

pub(super) const GROUP: &str = "argoproj.io";
/// On a template's metadata: a JSON object with the values of its output parameters, or [`WITHHELD`].
pub const OUTPUTS: &str = "outhaul.dev/test-outputs";
/// Nothing comes with the end of the pod: whoever tests writes the WorkflowTaskResult.
pub const WITHHELD: &str = "withheld";
/// On a Workflow: seconds from the end of a pod until its step is seen to be over. The real controller takes 10 as it is
/// installed.
pub const STEP_SECONDS: &str = "outhaul.dev/test-step-seconds";

const CONTROLLER: &str = "workflow-controller";
const WORKFLOW_LABEL: &str = "workflows.argoproj.io/workflow";
const COMPLETED_LABEL: &str = "workflows.argoproj.io/completed";
const PHASE_LABEL: &str = "workflows.argoproj.io/phase";
const NODE_NAME: &str = "workflows.argoproj.io/node-name";
const NODE_ID: &str = "workflows.argoproj.io/node-id";

pub(super) fn plan(cluster: &Cluster, workflow: &Value, moment: &Moment) -> Vec<Action> {
    let before = &workflow["status"];
    if before["phase"]
        .as_str()
        .is_some_and(|phase| Phase::parse(phase).is_over())
    {
        return Vec::new();
    }
    if workflow["spec"]["suspend"] == true {
        return Vec::new();
    }
    let mut run = Run::new(cluster, workflow, moment);
    let phase = run.all();
    let mut status = before.clone();
    status["phase"] = phase.as_str().into();
    status["nodes"] = run.nodes();
    status["progress"] = run.progress().into();
    if status["startedAt"].is_null() {
        status["startedAt"] = moment.timestamp().into();
    }
    if let Some(why) = run.problem() {
        status["message"] = why.into();
    }
    if phase.is_over() {
        status["finishedAt"] = moment.timestamp().into();
        status["conditions"] = json!([{"type": "Completed", "status": "True"}]);
    }
    let mut actions = run.actions();
    actions.extend(change(workflow, phase, &status));
    actions
}

/// The status, the labels that say the same, and an Event where the phase is a new one.
fn change(workflow: &Value, phase: Phase, status: &Value) -> Vec<Action> {
    let key = action::key(workflow);
    let resource = || GroupResource::new(GROUP, "workflows");
    let mut actions = vec![Action::SetStatus {
        resource: resource(),
        key: key.clone(),
        status: status.clone(),
    }];
    if workflow["status"]["phase"] == *phase.as_str() {
        return actions;
    }
    let mut labels = json!({PHASE_LABEL: phase.as_str()});
    if phase.is_over() {
        labels[COMPLETED_LABEL] = "true".into();
    }
    actions.push(Action::Patch {
        resource: resource(),
        key,
        patch: json!({"metadata": {"labels": labels}}),
    });
    let say = |reason, message: &str| Action::Say(Note::normal(workflow, CONTROLLER, reason, message));
    actions.push(match phase {
        Phase::Succeeded => say("WorkflowSucceeded", "Workflow completed"),
        Phase::Failed | Phase::Error | Phase::Omitted => {
            let message = status["message"].as_str().unwrap_or("Workflow failed");
            Action::Say(Note::warning(workflow, CONTROLLER, "WorkflowFailed", message))
        }
        Phase::Pending | Phase::Running => say("WorkflowRunning", "Workflow Running"),
    });
    actions
}

/// The kind of templates that a reference is to, and the one it names.
fn referred<'a>(cluster: &'a Cluster, workflow: &Value, reference: &Value) -> Option<&'a Value> {
    let name = reference["name"].as_str()?;
    let (resource, namespace) = match reference["clusterScope"] == true {
        true => ("clusterworkflowtemplates", ""),
        false => ("workflowtemplates", meta::namespace(workflow)),
    };
    let found = cluster.find(&GroupResource::new(GROUP, resource), namespace, name)?;
    Some(found.value())
}
