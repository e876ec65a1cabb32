//! Jobs: pods until enough have succeeded, or too many failed.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::{condition, owned};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

pub(super) fn plan(cluster: &Cluster, job: &Value, moment: &Moment) -> Vec<Action> {
    if condition::holds(job, "Complete") || condition::holds(job, "Failed") || job["spec"]["suspend"] == true
    {
        return Vec::new();
    }
    let pods = owned::all(cluster, job, &owned::pods());
    let in_phase = |phase: &str| pods.iter().filter(|pod| pod["status"]["phase"] == phase).count();
    let (succeeded, failed) = (in_phase("Succeeded"), in_phase("Failed"));
    let active = pods.len() - succeeded - failed;
    let size = |field, default| usize::try_from(owned::count(job, field, default)).unwrap_or(0);
    let (completions, parallelism) = (size("completions", 1), size("parallelism", 1));
    let outcome = if succeeded >= completions {
        Some(Outcome::Complete)
    } else {
        (failed > size("backoffLimit", 6)).then_some(Outcome::Failed)
    };
    let mut actions = Vec::new();
    if outcome.is_none() {
        let missing = completions
            .saturating_sub(succeeded)
            .min(parallelism)
            .saturating_sub(active);
        actions.extend((0..missing).map(|_| new_pod(job)));
    }
    actions.push(Action::SetStatus {
        resource: GroupResource::new("batch", "jobs"),
        key: action::key(job),
        status: status(job, &pods, [active, succeeded, failed], outcome, moment),
    });
    actions
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    Failed,
}

fn new_pod(job: &Value) -> Action {
    owned::new_pod(job, ("generateName", &format!("{}-", meta::name(job))), &[])
}

fn status(
    job: &Value,
    pods: &[&Value],
    [active, succeeded, failed]: [usize; 3],
    outcome: Option<Outcome>,
    moment: &Moment,
) -> Value {
    let started = job["status"]["startTime"]
        .as_str()
        .map_or_else(|| moment.timestamp(), str::to_owned);
    let ready = pods.iter().filter(|pod| owned::is_ready(pod)).count();
    let mut status =
        json!({"startTime": started, "ready": ready, "terminating": 0, "uncountedTerminatedPods": {}});
    for (field, value) in [("active", active), ("succeeded", succeeded), ("failed", failed)] {
        if value != 0 {
            status[field] = value.into();
        }
    }
    match outcome {
        None => {}
        Some(Outcome::Complete) => {
            status["completionTime"] = moment.timestamp().into();
            let (reason, message) = ("CompletionsReached", "Reached expected number of succeeded pods");
            condition::set(&mut status, "SuccessCriteriaMet", true, reason, message, moment);
            condition::set(&mut status, "Complete", true, reason, message, moment);
        }
        Some(Outcome::Failed) => {
            let (reason, message) = (
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            );
            condition::set(&mut status, "FailureTarget", true, reason, message, moment);
            condition::set(&mut status, "Failed", true, reason, message, moment);
        }
    }
    status
}
