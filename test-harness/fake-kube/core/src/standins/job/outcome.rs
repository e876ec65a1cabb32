//! When a Job is over, and what happens to it afterwards.

use jiff::SignedDuration;
use serde_json::Value;

use super::View;
use crate::kind::GroupResource;
use crate::moment::Moment;
use crate::standins::action::{self, Action};
use crate::standins::{condition, owned};

/// How a Job ends.
pub(super) enum Outcome {
    Complete,
    Failed {
        reason: &'static str,
        message: &'static str,
    },
}

pub(super) fn of(view: &View<'_>, moment: &Moment) -> Option<Outcome> {
    if view.failed.len() > view.size("backoffLimit", 6) {
        return Some(Outcome::Failed {
            reason: "BackoffLimitExceeded",
            message: "Job has reached the specified backoff limit",
        });
    }
    if end_of_time(view.job).is_some_and(|end| end <= moment.now) {
        return Some(Outcome::Failed {
            reason: "DeadlineExceeded",
            message: "Job was active longer than specified deadline",
        });
    }
    let done = match view.completions() {
        Some(wanted) => view.succeeded.len() >= wanted,
        None => !view.succeeded.is_empty() && view.active.is_empty(),
    };
    done.then_some(Outcome::Complete)
}

impl Outcome {
    pub(super) fn put(&self, status: &mut Value, moment: &Moment) {
        let (first, last, reason, message) = match self {
            Self::Complete => {
                status["completionTime"] = moment.timestamp().into();
                let message = "Reached expected number of succeeded pods";
                ("SuccessCriteriaMet", "Complete", "CompletionsReached", message)
            }
            Self::Failed { reason, message } => ("FailureTarget", "Failed", *reason, *message),
        };
        for kind in [first, last] {
            condition::append(status, condition::of_job(kind, true, reason, message, moment));
        }
    }
}

fn end_of_time(job: &Value) -> Option<jiff::Timestamp> {
    let limit = job["spec"]["activeDeadlineSeconds"].as_i64()?;
    let started = owned::time(&job["status"]["startTime"])?;
    Some(started + SignedDuration::from_secs(limit))
}

/// When to look whether the Job took too long.
pub(super) fn deadline(job: &Value, moment: &Moment) -> Option<Action> {
    if job["spec"]["suspend"] == true {
        return None;
    }
    owned::until(end_of_time(job)?, moment).map(Action::LookAgain)
}

/// A Job with a time to live goes when that is over.
pub(super) fn after_the_end(job: &Value, moment: &Moment) -> Vec<Action> {
    let ended = ["Complete", "Failed"]
        .iter()
        .filter_map(|kind| condition::find(job, kind))
        .find_map(|condition| owned::time(&condition["lastTransitionTime"]));
    let lives = job["spec"]["ttlSecondsAfterFinished"].as_i64();
    let (Some(ended), Some(lives)) = (ended, lives) else {
        return Vec::new();
    };
    let action = match owned::until(ended + SignedDuration::from_secs(lives), moment) {
        Some(left) => Action::LookAgain(left),
        None => Action::Delete {
            resource: GroupResource::new("batch", "jobs"),
            key: action::key(job),
        },
    };
    vec![action]
}
