//! What a Job may say of itself, and what it may not take back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath, Problem};

/// How a Job ends, and what announces it: nothing of it is taken back.
const ENDS: [&str; 3] = ["Failed", "Complete", "FailureTarget"];

/// What is wrong with the status that is written over that of `old`. Most of it is asked only where it changes, since a
/// change of the spec may break it.
pub(crate) fn check(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    if !kind.is("batch", "Job") {
        return Vec::new();
    }
    let (before, after) = (Status(old), Status(new));
    let mut errors = check_counts(before, after);
    errors.extend(check_uncounted(after));
    errors.extend(check_conditions(before, after));
    errors.extend(check_times(before, after));
    errors.extend(check_pods(before, after));
    errors.extend(check_indexes(before, after));
    errors
}

#[derive(Clone, Copy)]
struct Status<'a>(&'a Value);

impl<'a> Status<'a> {
    fn field(self, name: &str) -> &'a Value {
        &self.0["status"][name]
    }

    fn count(self, name: &str) -> i64 {
        self.field(name).as_i64().unwrap_or(0)
    }

    fn text(self, name: &str) -> &'a str {
        self.field(name).as_str().unwrap_or_default()
    }

    fn says(self, condition: &str, state: &str) -> bool {
        let conditions = self.field("conditions").as_array().into_iter().flatten();
        let mut of_kind = conditions.filter(|entry| entry["type"] == condition);
        of_kind.any(|entry| entry["status"] == state)
    }

    fn is(self, condition: &str) -> bool {
        self.says(condition, "True")
    }

    fn is_finished(self) -> bool {
        self.is("Complete") || self.is("Failed")
    }
}

fn path(name: &str) -> FieldPath {
    FieldPath::root().field("status").field(name)
}

fn invalid(status: Status<'_>, name: &str, detail: &str) -> FieldError {
    let value = match name {
        "active" | "succeeded" | "failed" => status.count(name).into(),
        name => status.field(name).clone(),
    };
    FieldError::invalid(path(name), value, detail)
}

fn check_counts(before: Status<'_>, after: Status<'_>) -> Vec<FieldError> {
    let counts = ["active", "succeeded", "failed", "ready", "terminating"];
    let negative = counts.iter().filter(|name| after.count(name) < 0);
    let mut errors: Vec<FieldError> = negative
        .map(|name| invalid(after, name, "must be greater than or equal to 0"))
        .collect();
    let spec = &after.0["spec"];
    // Such a Job may be made smaller.
    let may_shrink = spec["completionMode"] == "Indexed" && spec["completions"] == spec["parallelism"];
    for (name, is_kept) in [("failed", true), ("succeeded", !may_shrink)] {
        if is_kept && after.count(name) < before.count(name) {
            errors.push(invalid(
                after,
                name,
                &format!("cannot decrease the {name} counter"),
            ));
        }
    }
    errors
}

fn check_uncounted(after: Status<'_>) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for list in ["succeeded", "failed"] {
        let pods = after.field("uncountedTerminatedPods")[list].as_array();
        for (index, pod) in pods.into_iter().flatten().enumerate() {
            let pod = pod.as_str().unwrap_or_default();
            let path = path("uncountedTerminatedPods").field(list).index(index);
            if pod.is_empty() {
                errors.push(FieldError::invalid(path, pod, "must not be empty"));
            } else if !seen.insert(pod) {
                errors.push(FieldError::duplicate(path, pod));
            }
        }
    }
    errors
}

fn check_conditions(before: Status<'_>, after: Status<'_>) -> Vec<FieldError> {
    let changed = |condition: &str| before.is(condition) != after.is(condition);
    let (complete, failed) = (after.is("Complete"), after.is("Failed"));
    let (succeeds, fails) = (after.is("SuccessCriteriaMet"), after.is("FailureTarget"));
    let indexes_changed = before.field("failedIndexes") != after.field("failedIndexes");
    let has_policy = after.0["spec"]["successPolicy"].is_object();
    let wrong = [
        (
            (changed("Complete") || changed("Failed")) && complete && failed,
            "cannot set Complete=True and Failed=true conditions",
        ),
        (
            (changed("Complete") || changed("FailureTarget")) && complete && fails,
            "cannot set Complete=True and FailureTarget=true conditions",
        ),
        (
            (changed("Failed") || indexes_changed) && failed && !fails,
            "cannot set Failed=True condition without the FailureTarget=true condition",
        ),
        (
            (changed("Complete") || changed("SuccessCriteriaMet")) && complete && !succeeds,
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        ),
        (
            succeeds && failed,
            "cannot set SuccessCriteriaMet=True and Failed=true conditions",
        ),
        (
            succeeds && fails,
            "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
        ),
        (
            has_policy && !succeeds && complete,
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
        ),
        (
            before.is("SuccessCriteriaMet") && !succeeds,
            "cannot disable the SuccessCriteriaMet=True condition",
        ),
        (
            before.is("Complete") && !before.is("SuccessCriteriaMet") && succeeds,
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions",
        ),
    ];
    let wrong = wrong.into_iter().filter(|(holds, _)| *holds);
    let taken_back = ENDS.iter().filter(|end| before.is(end) && !after.is(end));
    let details = wrong
        .map(|(_, detail)| detail.to_owned())
        .chain(taken_back.map(|end| format!("cannot disable the terminal {end}=True condition")));
    details
        .map(|detail| FieldError {
            path: path("conditions"),
            problem: Problem::RuleBroken { detail },
        })
        .collect()
}

fn check_times(before: Status<'_>, after: Status<'_>) -> Vec<FieldError> {
    let (start, end) = ("startTime", "completionTime");
    let changed = |name: &str| before.field(name) != after.field(name);
    let has = |status: Status<'_>, name: &str| !status.field(name).is_null();
    let time = |name: &str| after.text(name).parse::<Timestamp>().ok();
    let is_complete = after.is("Complete");
    let mut errors = Vec::new();
    if before.is("Complete") != is_complete || changed(end) {
        if has(after, end) && !is_complete {
            let detail = "cannot set completionTime when there is no Complete=True condition";
            errors.push(invalid(after, end, detail));
        }
        if !has(after, end) && is_complete {
            let detail = "completionTime is required for Complete jobs";
            errors.push(FieldError::required(path(end), detail));
        }
    }
    let is_before = time(end).zip(time(start)).is_some_and(|(end, start)| end < start);
    if (changed(start) || changed(end)) && is_before {
        errors.push(invalid(after, end, "must be equal to or after `startTime`"));
    }
    let spec = &after.0["spec"];
    let has_nothing_to_do = spec["suspend"] == true && spec["completions"] == 0;
    let is_news = before.is_finished() != after.is_finished() || changed(start);
    if is_news && !has_nothing_to_do && !has(after, start) && after.is_finished() {
        let detail = "startTime is required for finished job";
        errors.push(FieldError::required(path(start), detail));
    }
    if has(after, end) && has(before, end) && changed(end) {
        errors.push(invalid(after, end, "field is immutable"));
    }
    let resumes = before.is("Suspended") && after.says("Suspended", "False");
    if changed(start) && !resumes && has(before, start) && spec["suspend"] != true {
        let detail = "field is immutable for unsuspended job once set";
        errors.push(invalid(after, start, detail));
    }
    errors
}

fn check_pods(before: Status<'_>, after: Status<'_>) -> Vec<FieldError> {
    let ends = before.is_finished() != after.is_finished();
    let changed = |name: &str| before.field(name) != after.field(name);
    let is_finished = after.is_finished();
    let uncounted = after.field("uncountedTerminatedPods");
    let has_uncounted = ["succeeded", "failed"]
        .iter()
        .any(|list| uncounted[list].as_array().is_some_and(|pods| !pods.is_empty()));
    let active_changed = before.count("active") != after.count("active");
    let wrong = [
        (
            (ends || active_changed) && is_finished && after.count("active") > 0,
            "active",
            "active>0 is invalid for finished job",
        ),
        (
            (ends || changed("uncountedTerminatedPods")) && is_finished && has_uncounted,
            "uncountedTerminatedPods",
            "must be empty for finished job",
        ),
        (
            (ends || changed("terminating")) && is_finished && after.count("terminating") > 0,
            "terminating",
            "terminating>0 is invalid for finished job",
        ),
        (
            (changed("ready") || active_changed) && after.count("ready") > after.count("active"),
            "ready",
            "cannot set more ready pods than active",
        ),
    ];
    let wrong = wrong.into_iter().filter(|(holds, ..)| *holds);
    wrong
        .map(|(_, name, detail)| invalid(after, name, detail))
        .collect()
}

fn check_indexes(before: Status<'_>, after: Status<'_>) -> Vec<FieldError> {
    let (done, lost) = ("completedIndexes", "failedIndexes");
    let changed = |name: &str| before.field(name) != after.field(name);
    let spec = &after.0["spec"];
    let completions = spec["completions"].as_i64();
    let has_lost = !after.field(lost).is_null();
    let has_limit = !spec["backoffLimitPerIndex"].is_null();
    let mut errors = Vec::new();
    if changed(done) {
        let fault = completions.and_then(|completions| fault_of(after.text(done), completions));
        errors.extend(fault.map(|why| invalid(after, done, &format!("error parsing {done}: {why}"))));
        if !after.text(done).is_empty() && spec["completionMode"] != "Indexed" {
            let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
            errors.push(invalid(after, done, detail));
        }
    }
    if changed(lost) && has_lost {
        let completions = completions.filter(|_| has_limit);
        let fault = completions.and_then(|completions| fault_of(after.text(lost), completions));
        errors.extend(fault.map(|why| invalid(after, lost, &format!("error parsing {lost}: {why}"))));
        if !has_limit {
            let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
            errors.push(invalid(after, lost, detail));
        }
    }
    if (changed(done) || changed(lost)) && has_lost {
        let common =
            completions.and_then(|completions| common(after.text(done), after.text(lost), completions));
        errors.extend(common.map(|index| {
            let detail = format!("failedIndexes and completedIndexes overlap at index: {index}");
            invalid(after, lost, &detail)
        }));
    }
    errors
}

/// What is wrong with indexes such as `1,3-5`.
fn fault_of(text: &str, completions: i64) -> Option<String> {
    let mut last = None;
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let (first, end) = match interval(part, completions) {
            Ok(interval) => interval,
            Err(fault) => return Some(fault),
        };
        if let Some(last) = last.filter(|last| *last >= first) {
            return Some(format!(
                "non-increasing order, previous: {last}, current: {first}"
            ));
        }
        last = Some(end);
    }
    None
}

fn interval(text: &str, completions: i64) -> Result<(i64, i64), String> {
    let limits: Vec<&str> = text.split('-').collect();
    let index = |text: &str| {
        let number: i64 = text
            .parse()
            .map_err(|_none| format!("cannot convert string to integer for index: {text:?}"))?;
        let is_known = number < completions;
        is_known
            .then_some(number)
            .ok_or_else(|| format!("too large index: {text:?}"))
    };
    match limits[..] {
        [only] => index(only).map(|index| (index, index)),
        [first, last] => {
            let (first, last) = (index(first)?, index(last)?);
            if first >= last {
                return Err(format!(
                    "non-increasing order, previous: {first}, current: {last}"
                ));
            }
            Ok((first, last))
        }
        _ => Err(format!(
            "the fragment {text:?} violates the requirement that an index interval can have at most two parts \
             separated by '-'"
        )),
    }
}

/// The first index that is both done and lost; parts that are none are told of elsewhere.
fn common(done: &str, lost: &str, completions: i64) -> Option<i64> {
    let intervals = |text: &str| -> Vec<(i64, i64)> {
        let parts = text.split(',').filter(|_| !text.is_empty());
        parts
            .filter_map(|part| interval(part, completions).ok())
            .collect()
    };
    let lost = intervals(lost);
    let done = intervals(done).into_iter();
    let overlaps = done.flat_map(|(first, last)| {
        let lost = lost
            .iter()
            .filter(move |other| first <= other.1 && other.0 <= last);
        lost.map(move |other| first.max(other.0))
    });
    overlaps.min()
}
