//! The condition Progressing: whether a rollout moves, is done, or took too long.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::View;
use crate::moment::Moment;
use crate::standins::action::Action;
use crate::standins::{condition, owned};

const PROGRESSING: &str = "Progressing";
const COMPLETE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";
const RESUMED: &str = "DeploymentResumed";

/// The set for the template is about to be created.
pub(super) fn created(view: &View<'_>, status: &mut Value, moment: &Moment) {
    let message = format!("Created new replica set \"{}\"", view.set_name());
    say(status, true, "NewReplicaSetCreated", &message, moment);
}

pub(super) fn update(view: &View<'_>, status: &mut Value, moment: &Moment) {
    let reason = reason(status);
    if view.is_paused() {
        if reason != PAUSED && reason != TIMED_OUT {
            say_unknown(status, PAUSED, "Deployment is paused", moment);
        }
        return;
    }
    if reason == PAUSED {
        say_unknown(status, RESUMED, "Deployment is resumed", moment);
    }
    if view.current.is_none() || (status["replicas"] == status["updatedReplicas"] && reason == COMPLETE) {
        return;
    }
    let set = view.set_name();
    if is_complete(view, status) {
        let message = format!("ReplicaSet \"{set}\" has successfully progressed.");
        say(status, true, COMPLETE, &message, moment);
    } else if has_moved(view, status) {
        let message = format!("ReplicaSet \"{set}\" is progressing.");
        let condition = condition::of_deployment(PROGRESSING, true, "ReplicaSetUpdated", &message, moment);
        condition::renew(status, condition);
    } else if reason != TIMED_OUT && time_left(view, status, moment).is_none() {
        let message = format!("ReplicaSet \"{set}\" has timed out progressing.");
        say(status, false, TIMED_OUT, &message, moment);
    }
}

/// When to look whether the rollout took too long.
pub(super) fn deadline(view: &View<'_>, status: &Value, moment: &Moment) -> Option<Action> {
    let waits = !view.is_paused() && ![COMPLETE, TIMED_OUT].contains(&reason(status).as_str());
    let left = time_left(view, status, moment)?;
    waits.then_some(Action::LookAgain(left))
}

fn time_left(view: &View<'_>, status: &Value, moment: &Moment) -> Option<Duration> {
    let limit = SignedDuration::from_secs(owned::count(view.deployment, "progressDeadlineSeconds", 600));
    let since = owned::time(&known(status)?["lastUpdateTime"])?;
    owned::until(since + limit, moment)
}

fn is_complete(view: &View<'_>, status: &Value) -> bool {
    let wanted = view.replicas();
    ["updatedReplicas", "replicas", "availableReplicas"]
        .iter()
        .all(|field| status[field].as_i64().unwrap_or(0) == wanted)
}

/// Whether there is more of what is wanted, or less of what is not, than at the last look.
fn has_moved(view: &View<'_>, status: &Value) -> bool {
    let before = &view.deployment["status"];
    let count = |status: &Value, field: &str| status[field].as_i64().unwrap_or(0);
    let outdated = |status: &Value| count(status, "replicas") - count(status, "updatedReplicas");
    let more = |field| count(status, field) > count(before, field);
    more("updatedReplicas")
        || outdated(status) < outdated(before)
        || more("readyReplicas")
        || more("availableReplicas")
}

fn known(status: &Value) -> Option<&Value> {
    condition::find_in(status, PROGRESSING)
}

fn reason(status: &Value) -> String {
    let reason = known(status).and_then(|known| known["reason"].as_str());
    reason.unwrap_or_default().to_owned()
}

fn say(status: &mut Value, value: bool, reason: &str, message: &str, moment: &Moment) {
    let condition = condition::of_deployment(PROGRESSING, value, reason, message, moment);
    condition::append(status, condition);
}

/// A paused rollout neither moves nor stands still.
fn say_unknown(status: &mut Value, reason: &str, message: &str, moment: &Moment) {
    let mut condition = condition::of_deployment(PROGRESSING, true, reason, message, moment);
    condition["status"] = json!("Unknown");
    condition::append(status, condition);
}
