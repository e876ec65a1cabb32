//! CronJobs: a Job whenever the schedule says so. Schedules are read in UTC, whatever time zone is asked for.

mod schedule;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::action::{self, Action};
use super::note::Note;
use super::{condition, job, owned};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::{Moment, timestamp};
use schedule::Schedule;

const CONTROLLER: &str = "cronjob-controller";

pub(super) fn plan(cluster: &Cluster, cron: &Value, moment: &Moment) -> Vec<Action> {
    let jobs = owned::all(cluster, cron, &jobs());
    let mut status = cron["status"].clone();
    let mut actions = settle(cron, &jobs, &mut status);
    actions.extend(forget(cron, &jobs));
    let text = cron["spec"]["schedule"].as_str().unwrap_or_default();
    match Schedule::parse(text) {
        Ok(schedule) => actions.extend(fire(cron, &jobs, &schedule, &mut status, moment)),
        Err(why) => {
            let message = format!("unparseable schedule: {text:?} : {why}");
            let note = Note::warning(cron, CONTROLLER, "UnparseableSchedule", message);
            actions.push(Action::Say(note));
        }
    }
    actions.push(Action::SetStatus {
        resource: GroupResource::new("batch", "cronjobs"),
        key: action::key(cron),
        status,
    });
    actions
}

/// Brings the list of running Jobs up to date, and says which of them ended.
fn settle(cron: &Value, jobs: &[&Value], status: &mut Value) -> Vec<Action> {
    let was_active = |job: &&&Value| {
        let active = cron["status"]["active"].as_array();
        active.is_some_and(|all| all.iter().any(|entry| entry["uid"] == meta::uid(job)))
    };
    let mut actions = Vec::new();
    for job in jobs.iter().filter(was_active) {
        let Some(end) = job::end(job) else { continue };
        let message = format!("Saw completed job: {}, condition: {end}", meta::name(job));
        actions.push(say(cron, "SawCompletedJob", message));
        let at = condition::find(job, end).map(|condition| condition["lastTransitionTime"].clone());
        if end == "Complete" && at.as_ref().and_then(Value::as_str) > status["lastSuccessfulTime"].as_str() {
            status["lastSuccessfulTime"] = at.unwrap_or_default();
        }
    }
    let active: Vec<Value> = running(jobs).map(reference).collect();
    set_active(status, active);
    actions
}

fn set_active(status: &mut Value, active: Vec<Value>) {
    if !active.is_empty() {
        status["active"] = active.into();
    } else if let Some(fields) = status.as_object_mut() {
        fields.remove("active");
    }
}

fn running<'a>(jobs: &'a [&'a Value]) -> impl Iterator<Item = &'a Value> {
    jobs.iter().filter(|job| job::end(job).is_none()).copied()
}

fn reference(job: &Value) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "name": meta::name(job), "namespace": meta::namespace(job),
        "resourceVersion": meta::text(job, "resourceVersion"), "uid": meta::uid(job),
    })
}

/// Ended Jobs beyond what is to be remembered go, the oldest first.
fn forget(cron: &Value, jobs: &[&Value]) -> Vec<Action> {
    let mut actions = Vec::new();
    for (end, field, default) in [
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ] {
        let mut ended: Vec<&Value> = jobs
            .iter()
            .filter(|job| job::end(job) == Some(end))
            .copied()
            .collect();
        ended.sort_by_key(|job| job["status"]["startTime"].as_str().unwrap_or_default());
        let limit = usize::try_from(owned::count(cron, field, default)).unwrap_or(0);
        let surplus = ended.len().saturating_sub(limit);
        actions.extend(ended.into_iter().take(surplus).flat_map(|job| delete(cron, job)));
    }
    actions
}

fn delete(cron: &Value, job: &Value) -> [Action; 2] {
    let message = format!("Deleted job {}", meta::name(job));
    [
        Action::Delete {
            resource: jobs(),
            key: action::key(job),
        },
        say(cron, "SuccessfulDelete", message),
    ]
}

/// Starts the Job of the last time that has passed, if it is still to be, and looks again at the next.
fn fire(
    cron: &Value,
    jobs: &[&Value],
    schedule: &Schedule,
    status: &mut Value,
    moment: &Moment,
) -> Vec<Action> {
    if cron["spec"]["suspend"] == true {
        return Vec::new();
    }
    let mut actions = Vec::new();
    let next = schedule.after(moment.now);
    actions.extend(
        next.and_then(|next| owned::until(next, moment))
            .map(Action::LookAgain),
    );
    let since = [
        &cron["status"]["lastScheduleTime"],
        &cron["metadata"]["creationTimestamp"],
    ]
    .into_iter()
    .find_map(owned::time);
    let due = since.and_then(|since| schedule.last_within(since, moment.now));
    let Some(due) = due.filter(|due| is_in_time(cron, *due, moment)) else {
        return actions;
    };
    let name = format!("{}-{}", meta::name(cron), due.as_second() / 60);
    let is_known = jobs.iter().any(|job| meta::name(job) == name);
    let mut busy = running(jobs).peekable();
    match cron["spec"]["concurrencyPolicy"].as_str() {
        _ if is_known => return actions,
        Some("Forbid") if busy.peek().is_some() => {
            let message =
                "Not starting job because prior execution is running and concurrency policy is Forbid";
            actions.push(say(cron, "JobAlreadyActive", message));
            return actions;
        }
        Some("Replace") => actions.extend(busy.flat_map(|job| delete(cron, job))),
        _ => {}
    }
    status["lastScheduleTime"] = timestamp(due).into();
    actions.push(start(cron, &name, due));
    actions
}

/// A start that is later than its deadline is left out.
fn is_in_time(cron: &Value, due: Timestamp, moment: &Moment) -> bool {
    let deadline = cron["spec"]["startingDeadlineSeconds"].as_i64();
    deadline.is_none_or(|seconds| moment.now <= due + SignedDuration::from_secs(seconds))
}

fn start(cron: &Value, name: &str, due: Timestamp) -> Action {
    let template = &cron["spec"]["jobTemplate"];
    let metadata = template.get("metadata").cloned();
    let mut object = json!({
        "apiVersion": "batch/v1", "kind": "Job", "spec": template["spec"],
        "metadata": metadata.unwrap_or_else(|| json!({})),
    });
    meta::set(&mut object, "name", name);
    meta::set(&mut object, "namespace", meta::namespace(cron));
    meta::set(&mut object, "ownerReferences", action::controlled_by(cron));
    object["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] =
        timestamp(due).into();
    Action::Create {
        resource: jobs(),
        object,
        note: Some(Note::normal(cron, CONTROLLER, "SuccessfulCreate", "Created job ")),
    }
}

fn say(cron: &Value, reason: &'static str, message: impl Into<String>) -> Action {
    Action::Say(Note::normal(cron, CONTROLLER, reason, message))
}

fn jobs() -> GroupResource {
    GroupResource::new("batch", "jobs")
}
