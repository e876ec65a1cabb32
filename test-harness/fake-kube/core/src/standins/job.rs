//! Jobs: pods until enough have succeeded, or too many failed, or it took too long.

mod indexed;
mod outcome;

use serde_json::{Value, json};

use super::action::{self, Action};
use super::note::Note;
use super::{condition, owned};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use outcome::Outcome;

const CONTROLLER: &str = "job-controller";

/// A Job and its pods by what became of them.
struct View<'a> {
    job: &'a Value,
    active: Vec<&'a Value>,
    succeeded: Vec<&'a Value>,
    failed: Vec<&'a Value>,
}

pub(super) fn plan(cluster: &Cluster, job: &Value, moment: &Moment) -> Vec<Action> {
    if is_over(job) {
        return outcome::after_the_end(job, moment);
    }
    let view = View::of(cluster, job);
    let suspended = job["spec"]["suspend"] == true;
    let outcome = outcome::of(&view, moment);
    let mut actions = Vec::new();
    match &outcome {
        None if !suspended => actions.extend(indexed::missing(&view).into_iter().map(|at| create(job, at))),
        Some(Outcome::Complete) => {}
        // Nothing runs on for a Job that has failed or waits.
        None | Some(Outcome::Failed { .. }) => {
            actions.extend(
                view.active
                    .iter()
                    .flat_map(|pod| owned::delete_pod(job, CONTROLLER, pod)),
            );
        }
    }
    actions.extend(outcome::deadline(job, moment));
    let status = status(&view, outcome.as_ref(), moment);
    actions.extend(note(job, &status, outcome.as_ref()));
    actions.push(Action::SetStatus {
        resource: GroupResource::new("batch", "jobs"),
        key: action::key(job),
        status,
    });
    actions
}

/// Whether a Job has come to its end, and how.
pub(super) fn end(job: &Value) -> Option<&'static str> {
    ["Complete", "Failed"]
        .into_iter()
        .find(|kind| condition::holds(job, kind))
}

fn is_over(job: &Value) -> bool {
    end(job).is_some()
}

impl<'a> View<'a> {
    fn of(cluster: &'a Cluster, job: &'a Value) -> Self {
        let pods = owned::all(cluster, job, &owned::pods());
        let (finished, active): (Vec<&Value>, Vec<&Value>) =
            pods.into_iter().partition(|pod| owned::is_finished(pod));
        let (succeeded, failed) = finished
            .into_iter()
            .partition(|pod| pod["status"]["phase"] == "Succeeded");
        Self {
            job,
            active,
            succeeded,
            failed,
        }
    }

    fn size(&self, field: &str, default: usize) -> usize {
        let count = self.job["spec"][field].as_u64();
        count.map_or(default, |count| usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn parallelism(&self) -> usize {
        self.size("parallelism", 1)
    }

    /// Without a number of completions the first success is enough, once the others are through.
    fn completions(&self) -> Option<usize> {
        let count = self.job["spec"]["completions"].as_u64()?;
        Some(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

fn create(job: &Value, at: Option<usize>) -> Action {
    let Some(index) = at else {
        let prefix = format!("{}-", meta::name(job));
        return owned::create_pod(job, CONTROLLER, owned::pod(job, ("generateName", &prefix), &[]));
    };
    let prefix = format!("{}-{index}-", meta::name(job));
    let index = index.to_string();
    let mut pod = owned::pod(job, ("generateName", &prefix), &[(indexed::INDEX, &index)]);
    pod["metadata"]["annotations"][indexed::INDEX] = index.as_str().into();
    pod["spec"]["hostname"] = format!("{}-{index}", meta::name(job)).into();
    owned::create_pod(job, CONTROLLER, pod)
}

fn status(view: &View<'_>, outcome: Option<&Outcome>, moment: &Moment) -> Value {
    let suspended = view.job["spec"]["suspend"] == true;
    let failed = matches!(outcome, Some(Outcome::Failed { .. }));
    let active: &[&Value] = if failed || suspended { &[] } else { &view.active };
    let ready = active.iter().filter(|pod| owned::is_ready(pod)).count();
    let mut status = json!({"ready": ready, "terminating": 0, "uncountedTerminatedPods": {}});
    owned::put_counts(
        &mut status,
        &[
            ("active", owned::number(active.len())),
            ("succeeded", owned::number(view.succeeded.len())),
            ("failed", owned::number(view.failed.len())),
        ],
    );
    if let Some(indexes) = indexed::completed(view) {
        status["completedIndexes"] = indexes.into();
    }
    let before = &view.job["status"];
    if let Some(conditions) = before.get("conditions") {
        status["conditions"] = conditions.clone();
    }
    if suspended {
        let suspended = condition::of_job("Suspended", true, "JobSuspended", "Job suspended", moment);
        condition::append(&mut status, suspended);
        return status;
    }
    if condition::holds(view.job, "Suspended") {
        let resumed = condition::of_job("Suspended", false, "JobResumed", "Job resumed", moment);
        condition::append(&mut status, resumed);
    }
    status["startTime"] = match before["startTime"].as_str() {
        Some(started) => started.into(),
        None => moment.timestamp().into(),
    };
    if let Some(outcome) = outcome {
        outcome.put(&mut status, moment);
    }
    status
}

/// What a change of the Job's conditions is worth saying.
fn note(job: &Value, status: &Value, outcome: Option<&Outcome>) -> Option<Action> {
    let note = match outcome {
        Some(Outcome::Complete) => Note::normal(job, CONTROLLER, "Completed", "Job completed"),
        Some(Outcome::Failed { reason, message }) => Note::warning(job, CONTROLLER, reason, *message),
        None => {
            let was = condition::holds(job, "Suspended");
            let is = condition::holds_in(status, "Suspended");
            match (was, is) {
                (false, true) => Note::normal(job, CONTROLLER, "Suspended", "Job suspended"),
                (true, false) => Note::normal(job, CONTROLLER, "Resumed", "Job resumed"),
                _ => return None,
            }
        }
    };
    Some(Action::Say(note))
}
