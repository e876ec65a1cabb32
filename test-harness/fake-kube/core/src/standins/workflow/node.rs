//! The nodes of a Workflow: what its status says about each step.

use serde_json::{Value, json};

use crate::meta;
use crate::moment::Moment;
use crate::standins::owned;

/// How far a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
    Error,
    /// It did not run, since what it depends on failed.
    Omitted,
}

impl Phase {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Omitted => "Omitted",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        match text {
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Error" => Self::Error,
            "Omitted" => Self::Omitted,
            _ => Self::Pending,
        }
    }

    pub(super) fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    pub(super) fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Omitted)
    }

    /// As its pod does.
    pub(super) fn of_pod(pod: &Value) -> Self {
        Self::parse(pod["status"]["phase"].as_str().unwrap_or_default())
    }

    /// What parts that run side by side come to.
    pub(super) fn of_all(parts: &[Self]) -> Self {
        if parts.iter().any(|part| !part.is_over()) {
            Self::Running
        } else if parts.iter().any(|part| part.is_bad()) {
            Self::Failed
        } else {
            Self::Succeeded
        }
    }
}

/// The id of a node follows from its name: the first one's is that of the Workflow.
pub(super) fn id(workflow: &Value, name: &str) -> String {
    let root = meta::name(workflow);
    if name == root {
        return name.to_owned();
    }
    format!("{root}-{}", owned::fnv(name.bytes()) as u32)
}

/// What is known of a node beside its phase.
pub(super) struct Facts<'a> {
    pub(super) name: &'a str,
    pub(super) display: &'a str,
    pub(super) kind: &'a str,
    pub(super) template: &'a str,
    pub(super) boundary: Option<String>,
}

/// The entry of a node; its times are those that it had `before`, if it was there.
pub(super) fn entry(
    workflow: &Value,
    facts: &Facts<'_>,
    phase: Phase,
    before: &Value,
    moment: &Moment,
) -> Value {
    let mut node = json!({
        "id": id(workflow, facts.name), "name": facts.name, "displayName": facts.display, "type": facts.kind,
        "templateName": facts.template, "templateScope": format!("local/{}", meta::name(workflow)),
        "phase": phase.as_str(),
        "startedAt": before["startedAt"].as_str().map_or_else(|| moment.timestamp(), str::to_owned),
        "finishedAt": null,
    });
    if let Some(boundary) = &facts.boundary {
        node["boundaryID"] = boundary.as_str().into();
    }
    if phase.is_over() {
        let finished = before["finishedAt"].as_str();
        node["finishedAt"] = finished.map_or_else(|| moment.timestamp(), str::to_owned).into();
    }
    node
}
