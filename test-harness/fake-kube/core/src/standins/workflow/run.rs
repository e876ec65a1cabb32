//! One look at a Workflow: what has run, what is next.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::node::{self, Facts, Phase};
use super::result;
use super::template::{self, Body};
use super::{NODE_NAME, STEP_SECONDS, referred};
use crate::cluster::Cluster;
use crate::meta;
use crate::moment::Moment;
use crate::standins::action::Action;
use crate::standins::owned;

/// Templates within templates; one that contains itself ends there.
const MAX_DEPTH: usize = 16;

pub(super) struct Run<'a> {
    cluster: &'a Cluster,
    workflow: &'a Value,
    moment: &'a Moment,
    pods: Vec<&'a Value>,
    nodes: Map<String, Value>,
    actions: Vec<Action>,
    problem: Option<String>,
}

/// Where a template is looked at.
struct Place<'a> {
    /// The spec whose templates are meant by name.
    spec: &'a Value,
    name: String,
    display: &'a str,
    boundary: Option<String>,
    depth: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(cluster: &'a Cluster, workflow: &'a Value, moment: &'a Moment) -> Self {
        Self {
            cluster,
            workflow,
            moment,
            pods: owned::all(cluster, workflow, &owned::pods()),
            nodes: Map::new(),
            actions: Vec::new(),
            problem: None,
        }
    }

    /// The phase of the whole.
    pub(super) fn all(&mut self) -> Phase {
        let own = &self.workflow["spec"];
        let spec = match own.get("workflowTemplateRef") {
            None => own,
            Some(reference) => match referred(self.cluster, self.workflow, reference) {
                Some(found) => &found["spec"],
                None => return self.error(format!("workflow template {} not found", reference["name"])),
            },
        };
        let entry = own["entrypoint"].as_str().or(spec["entrypoint"].as_str());
        let place = Place {
            spec,
            name: meta::name(self.workflow).to_owned(),
            display: meta::name(self.workflow),
            boundary: None,
            depth: 0,
        };
        match self.template(&place, entry.unwrap_or_default()) {
            Phase::Pending => Phase::Running,
            phase => phase,
        }
    }

    pub(super) fn nodes(&self) -> Value {
        Value::Object(self.nodes.clone())
    }

    /// `1/3`: pods that succeeded, of those that are known.
    pub(super) fn progress(&self) -> String {
        let pods = self.nodes.values().filter(|node| node["type"] == "Pod");
        let (done, others): (Vec<&Value>, Vec<&Value>) = pods.partition(|node| node["phase"] == "Succeeded");
        format!("{}/{}", done.len(), done.len() + others.len())
    }

    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    pub(super) fn actions(self) -> Vec<Action> {
        self.actions
    }

    fn error(&mut self, why: String) -> Phase {
        self.problem = Some(why);
        Phase::Error
    }

    fn template(&mut self, place: &Place<'a>, name: &str) -> Phase {
        if place.depth > MAX_DEPTH {
            return self.error(format!("template {name:?} is too deep"));
        }
        let Some(found) = template::named(place.spec, name) else {
            return self.error(format!("template {name:?} not found"));
        };
        let (kind, phase) = match template::body(found) {
            Body::Pod => return self.pod(place, found),
            Body::Steps(groups) => ("Steps", self.steps(place, groups)),
            Body::Graph(tasks) => ("DAG", self.graph(place, tasks)),
            Body::Unknown => {
                return self.error(format!("template {name:?} is of a kind that is not known here"));
            }
        };
        self.note(place, kind, name, phase);
        phase
    }

    fn pod(&mut self, place: &Place<'a>, template: &'a Value) -> Phase {
        let is_its = |pod: &&&Value| pod["metadata"]["annotations"][NODE_NAME] == *place.name;
        let name = template["name"].as_str().unwrap_or_default();
        let pod = self.pods.iter().find(is_its).copied();
        let mut phase = pod.map_or(Phase::Pending, Phase::of_pod);
        if pod.is_none() {
            self.actions.push(Action::Create {
                resource: owned::pods(),
                object: template::pod(self.workflow, template, &place.name),
                note: None,
            });
        }
        if let Some(unseen) = pod.and_then(|pod| self.unseen(pod)) {
            phase = Phase::Running;
            self.actions.push(Action::LookAgain(unseen));
        }
        let id = node::id(self.workflow, &place.name);
        let mut outputs = None;
        if phase == Phase::Succeeded && template::has_outputs(template) {
            outputs = result::outputs(self.cluster, self.workflow, &id);
            if outputs.is_none() {
                phase = Phase::Running;
                self.actions.extend(result::written(self.workflow, template, &id));
            }
        }
        if phase == Phase::Failed {
            self.problem = Some("Error (exit code 1)".to_owned());
        }
        self.note(place, "Pod", name, phase);
        if let Some(outputs) = outputs {
            self.nodes[&id]["outputs"] = outputs;
        }
        phase
    }

    /// How long it is until the end of a pod is seen, if it has ended and is not seen yet.
    fn unseen(&self, pod: &Value) -> Option<Duration> {
        let seconds = self.workflow["metadata"]["annotations"][STEP_SECONDS].as_str()?;
        let statuses = pod["status"]["containerStatuses"].as_array()?;
        let ends = statuses
            .iter()
            .filter_map(|status| owned::time(&status["state"]["terminated"]["finishedAt"]));
        owned::until(
            ends.max()? + SignedDuration::from_secs(seconds.parse().ok()?),
            self.moment,
        )
    }

    /// Groups one after the other; the steps of a group side by side.
    fn steps(&mut self, place: &Place<'a>, groups: &'a [Value]) -> Phase {
        for (index, group) in groups.iter().enumerate() {
            let group_name = format!("{}[{index}]", place.name);
            let steps = group
                .as_array()
                .map_or(std::slice::from_ref(group), Vec::as_slice);
            let phases: Vec<Phase> = steps
                .iter()
                .map(|step| self.part(place, &group_name, step))
                .collect();
            let phase = Phase::of_all(&phases);
            let display = format!("[{index}]");
            let group = Place {
                spec: place.spec,
                name: group_name,
                display: &display,
                boundary: Some(node::id(self.workflow, &place.name)),
                depth: place.depth,
            };
            self.note(&group, "StepGroup", "", phase);
            if phase != Phase::Succeeded {
                return phase;
            }
        }
        Phase::Succeeded
    }

    /// Each task when all it depends on has succeeded. Tasks are listed in any order: look until nothing moves.
    fn graph(&mut self, place: &Place<'a>, tasks: &'a [Value]) -> Phase {
        let mut known: BTreeMap<&str, Phase> = BTreeMap::new();
        loop {
            let mut moved = false;
            for task in tasks {
                let name = task["name"].as_str().unwrap_or_default();
                let waits_for = template::dependencies(task);
                if known.contains_key(name) || !waits_for.iter().all(|name| known.contains_key(name)) {
                    continue;
                }
                let before: Vec<Phase> = waits_for.iter().map(|name| known[name]).collect();
                let phase = match Phase::of_all(&before) {
                    Phase::Succeeded => self.part(place, &place.name, task),
                    Phase::Failed => Phase::Omitted,
                    _ => Phase::Pending,
                };
                known.insert(name, phase);
                moved = true;
            }
            if !moved {
                break;
            }
        }
        if known.len() < tasks.len() {
            return self.error("tasks depend on each other in a circle, or on what is not there".to_owned());
        }
        Phase::of_all(&known.into_values().collect::<Vec<_>>())
    }

    /// One step or task: a template here, or in another object.
    fn part(&mut self, place: &Place<'a>, prefix: &str, part: &'a Value) -> Phase {
        let display = part["name"].as_str().unwrap_or_default();
        let reference = &part["templateRef"];
        let (spec, template) = match reference["name"].as_str() {
            None => (place.spec, &part["template"]),
            Some(name) => match referred(self.cluster, self.workflow, reference) {
                Some(found) => (&found["spec"], &reference["template"]),
                None => return self.error(format!("workflow template {name:?} not found")),
            },
        };
        let inner = Place {
            spec,
            name: format!("{prefix}.{display}"),
            display,
            boundary: Some(node::id(self.workflow, &place.name)),
            depth: place.depth + 1,
        };
        self.template(&inner, template.as_str().unwrap_or_default())
    }

    fn note(&mut self, place: &Place<'_>, kind: &str, template: &str, phase: Phase) {
        let id = node::id(self.workflow, &place.name);
        let facts = Facts {
            name: &place.name,
            display: place.display,
            kind,
            template,
            boundary: place.boundary.clone(),
        };
        let before = &self.workflow["status"]["nodes"][&id];
        let mut entry = node::entry(self.workflow, &facts, phase, before, self.moment);
        let children: Vec<Value> = self
            .nodes
            .values()
            .filter(|node| node["boundaryID"] == *id)
            .map(|node| node["id"].clone())
            .collect();
        if !children.is_empty() {
            entry["children"] = json!(children);
        }
        self.nodes.insert(id, entry);
    }
}
