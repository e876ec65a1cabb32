//! What the parts of a Job must have to do with each other.

use serde_json::Value;

use super::{places, selectors};
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// What pods that end may say.
const RESTARTS: [&str; 2] = ["OnFailure", "Never"];

/// What is wrong with a Job, or with those that a CronJob makes.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let start = (FieldPath::root(), Some(object));
    let job = match (&*kind.id.group, &*kind.name) {
        ("batch", "Job") => "spec",
        ("batch", "CronJob") => "spec.jobTemplate.spec",
        _ => return Vec::new(),
    };
    let Some((path, Some(spec))) = places::all(start, job).pop() else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    if spec["completionMode"] == "Indexed" && spec["completions"].is_null() {
        let detail = "when completion mode is Indexed";
        errors.push(FieldError::required(path.field("completions"), detail));
    }
    let place = path.field("template").field("spec").field("restartPolicy");
    match spec["template"]["spec"]["restartPolicy"].as_str() {
        Some("Always") => {
            let detail = "valid values: \"OnFailure\", \"Never\"";
            errors.push(FieldError::required(place, detail));
        }
        Some(other) if !RESTARTS.contains(&other) => {
            errors.push(FieldError::unsupported(place, other, &RESTARTS))
        }
        _ => {}
    }
    errors
}

/// What an update changes of a Job that it may not.
pub(crate) fn check_update(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    if !kind.is("batch", "Job") {
        return Vec::new();
    }
    let (before, after) = (&old["spec"], &new["spec"]);
    let mut errors = check_selector(after);
    errors.extend(check_completions(before, after));
    let spec = FieldPath::root().field("spec");
    let (path, value, is_same) = if may_be_arranged(old) {
        let is_same = but_for_arrangement(&before["template"]["spec"])
            == but_for_arrangement(&after["template"]["spec"]);
        (spec.field("template.spec"), &after["template"]["spec"], is_same)
    } else {
        (
            spec.field("template"),
            &after["template"],
            before["template"] == after["template"],
        )
    };
    if !is_same {
        errors.push(FieldError::invalid(path, value.clone(), "field is immutable"));
    }
    errors
}

/// A Job has its selector from the server, and an update without it has none.
fn check_selector(spec: &Value) -> Vec<FieldError> {
    let root = FieldPath::root().field("spec");
    let mut errors = Vec::new();
    if spec["selector"].is_null() {
        errors.push(FieldError::required(root.field("selector"), ""));
    }
    errors.extend(selectors::check_own(spec));
    errors
}

fn check_completions(old: &Value, new: &Value) -> Option<FieldError> {
    let (before, after) = (&old["completions"], &new["completions"]);
    let path = FieldPath::root().field("spec").field("completions");
    let detail = if new["completionMode"] != "Indexed" {
        "field is immutable"
    } else if after.is_null() || *after == new["parallelism"] {
        return None;
    } else {
        "can only be modified in tandem with spec.parallelism"
    };
    (before != after).then(|| FieldError::invalid(path, after.clone(), detail))
}

/// Whether the pods of a Job may still be arranged otherwise: it waits, and has none.
fn may_be_arranged(job: &Value) -> bool {
    let conditions = job["status"]["conditions"].as_array();
    let is_suspended = conditions.is_some_and(|all| {
        all.iter()
            .any(|condition| condition["type"] == "Suspended" && condition["status"] == "True")
    });
    let has_none = job["status"]["active"].as_i64().unwrap_or(0) == 0;
    job["spec"]["suspend"] == true && (job["status"]["startTime"].is_null() || is_suspended) && has_none
}

fn but_for_arrangement(pods: &Value) -> Value {
    let fields = ["affinity", "nodeSelector", "schedulingGates", "tolerations"];
    places::pod_without(pods, &fields, "resources")
}
