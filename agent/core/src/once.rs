//! Objects that run once: how their end shows, and what is kept of it.
//!
//! Such an object is created, never applied, and carries a finalizer of ours until its end is written down. So whatever
//! deletes it, nobody but us lets it go before we know how it ended; and while no uid of it is written down and it is not
//! there, it never was, and is created. Once a uid is written down it is not created again.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, BlockerReason, Health, RawStatus};
use serde_json::{Value, json};

use crate::blocker::blocker;
use crate::health;
use crate::live::{self, Shown};

/// Keeps an object until its end is written down.
pub const FINALIZER: &str = "outhaul.dev/observed";

/// Raw status of all that ended of one resource that is written down whole, at most: the record has to fit its Secret
/// beside content.
pub const STATUS: usize = 64 * 1024;

/// What an object said of its end, at most: it has to fit a blocker with what we say.
const WORDS: usize = limits::MESSAGE_BYTES / 2;

/// An object that runs once. That this is written down says that its create may have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Digest of the body that it is created from.
    pub body: Digest,
    /// How it ended.
    pub end: Option<End>,
}

/// How an object ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// In a word.
    pub outcome: Outcome,
    /// What the object said of it.
    pub words: String,
    /// Its status then.
    pub status: RawStatus,
}

/// The ways to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
    /// It was gone before its end was seen.
    Vanished,
    /// It was deleted before its end.
    Cancelled,
}

/// How far an end has come into the store. The object may go once it is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Noted {
    /// It is to be written down, if there is one.
    #[default]
    No,
    /// It is being written down.
    Writing,
    /// It is written down.
    Yes,
}

impl Run {
    /// One that nothing is known of but what it is created from.
    pub fn new(body: Digest) -> Self {
        Self { body, end: None }
    }

    /// How it ended, as far as `value`, which it is now, shows that.
    pub fn observe(&mut self, object: &ObjectRef, value: &Value) {
        if self.end.is_some() {
            return;
        }
        let deleted = || {
            value.pointer("/metadata/deletionTimestamp")?;
            Some((Outcome::Cancelled, String::new()))
        };
        self.end = ending(object, value)
            .or_else(deleted)
            .map(|(outcome, words)| End {
                outcome,
                words,
                status: live::status(value),
            });
    }

    /// It is not there, and was.
    pub fn vanish(&mut self) {
        self.end.get_or_insert(End {
            outcome: Outcome::Vanished,
            words: String::new(),
            status: RawStatus::Absent,
        });
    }

    /// What is reported of it while it is as `value` shows.
    pub fn shown(&self, value: &Value) -> Shown {
        self.end.as_ref().map_or_else(
            || Shown {
                health: Health::Progressing,
                status: live::status(value),
            },
            End::shown,
        )
    }
}

impl End {
    /// What is reported from then on, whatever becomes of the object.
    pub fn shown(&self) -> Shown {
        Shown {
            health: match self.outcome {
                Outcome::Succeeded => Health::Healthy,
                Outcome::Failed | Outcome::Cancelled => Health::Degraded,
                Outcome::Vanished => Health::Unknown,
            },
            status: self.status.clone(),
        }
    }

    /// Why it is not as its author wants it.
    pub fn blocker(&self) -> Option<Blocker> {
        let again = "it does not run again: create another Bundle";
        let (reason, message) = match (self.outcome, self.words.as_str()) {
            (Outcome::Succeeded, _) => return None,
            (Outcome::Failed, "") => (BlockerReason::Failed, format!("it failed; {again}")),
            (Outcome::Failed, words) => (BlockerReason::Failed, format!("it failed: {words}; {again}")),
            (Outcome::Vanished, _) => (
                BlockerReason::Vanished,
                format!("somebody took it away before its end was seen; {again}"),
            ),
            (Outcome::Cancelled, _) => (
                BlockerReason::Cancelled,
                format!("it was deleted before its end; {again}"),
            ),
        };
        Some(blocker(reason, message))
    }
}

/// The merge patch that takes our finalizer off `object`, if it has this uid and the finalizer. It is refused where
/// somebody has written the object meanwhile.
pub fn release(object: &Value, uid: &Uid) -> Option<Value> {
    let metadata = object.get("metadata")?;
    let finalizers = metadata.get("finalizers")?.as_array()?;
    let ours = |name: &Value| name == FINALIZER;
    if metadata.get("uid")? != uid.as_str() || !finalizers.iter().any(ours) {
        return None;
    }
    let others: Vec<&Value> = finalizers.iter().filter(|name| !ours(name)).collect();
    let version = metadata.get("resourceVersion")?;
    Some(json!({"metadata": {"uid": uid.as_str(), "resourceVersion": version, "finalizers": others}}))
}

/// How `value` ended, if it has. Of the kinds of Kubernetes only Jobs and Pods run; all others are done once they are
/// there. Other kinds end when they say so, in the words that are common.
fn ending(object: &ObjectRef, value: &Value) -> Option<(Outcome, String)> {
    match (object.group.as_str(), object.kind.as_str()) {
        ("batch", "Job") => by_condition(value, &["Complete"]),
        ("", "Pod") => by_phase(value),
        (group, _) if health::is_healthy_once_there(group) => Some((Outcome::Succeeded, String::new())),
        _ => by_phase(value).or_else(|| by_condition(value, &["Succeeded", "Complete", "Completed"])),
    }
}

fn by_phase(value: &Value) -> Option<(Outcome, String)> {
    let text = |field: &str| value.get("status")?.get(field)?.as_str();
    match text("phase")? {
        "Succeeded" | "Complete" | "Completed" => Some((Outcome::Succeeded, String::new())),
        "Failed" | "Error" => Some((Outcome::Failed, words(text("reason"), text("message")))),
        _ => None,
    }
}

/// A condition of the first kinds says that it succeeded, or did not; `Failed` that it failed.
fn by_condition(value: &Value, success: &[&str]) -> Option<(Outcome, String)> {
    let conditions = value.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find_map(|condition| {
        let text = |field: &str| condition.get(field).and_then(Value::as_str);
        let failed = || Some((Outcome::Failed, words(text("reason"), text("message"))));
        match (text("type")?, text("status")?) {
            (kind, "True") if success.contains(&kind) => Some((Outcome::Succeeded, String::new())),
            ("Failed", "True") | ("Succeeded", "False") => failed(),
            _ => None,
        }
    })
}

fn words(reason: Option<&str>, message: Option<&str>) -> String {
    let mut words = match (reason.unwrap_or_default(), message.unwrap_or_default()) {
        ("", words) | (words, "") => words.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    };
    words.truncate(words.floor_char_boundary(WORDS));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(group: &str, kind: &str) -> ObjectRef {
        ObjectRef {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            namespace: "shop".into(),
            name: "run".into(),
        }
    }

    fn condition(kind: &str, status: &str) -> Value {
        json!({"status": {"conditions": [{"type": kind, "status": status, "reason": "Late", "message": "too late"}]}})
    }

    #[test]
    fn an_end_is_read_from_what_the_kind_says() {
        use Outcome::{Failed, Succeeded};
        let phase = |phase: &str| json!({"status": {"phase": phase, "message": "no"}});
        let cases = [
            ("batch", "Job", json!({}), None),
            ("batch", "Job", condition("SuccessCriteriaMet", "True"), None),
            ("batch", "Job", condition("FailureTarget", "True"), None),
            (
                "batch",
                "Job",
                condition("Complete", "True"),
                Some((Succeeded, "")),
            ),
            (
                "batch",
                "Job",
                condition("Failed", "True"),
                Some((Failed, "Late: too late")),
            ),
            ("", "Pod", phase("Running"), None),
            ("", "Pod", phase("Failed"), Some((Failed, "no"))),
            ("", "ConfigMap", json!({}), Some((Succeeded, ""))),
            ("argoproj.io", "Workflow", json!({}), None),
            ("argoproj.io", "Workflow", phase("Running"), None),
            (
                "argoproj.io",
                "Workflow",
                phase("Succeeded"),
                Some((Succeeded, "")),
            ),
            ("argoproj.io", "Workflow", phase("Error"), Some((Failed, "no"))),
            ("tekton.dev", "TaskRun", condition("Succeeded", "Unknown"), None),
            (
                "tekton.dev",
                "TaskRun",
                condition("Succeeded", "False"),
                Some((Failed, "Late: too late")),
            ),
        ];
        for (group, kind, value, expected) in cases {
            let expected = expected.map(|(outcome, words)| (outcome, words.to_owned()));
            assert_eq!(ending(&object(group, kind), &value), expected, "{kind} {value}");
        }
    }

    #[test]
    fn what_is_deleted_after_its_end_was_not_cancelled_and_no_end_is_another_later() {
        let deleted = |mut value: Value| {
            value["metadata"] = json!({"deletionTimestamp": "now"});
            value
        };
        let outcome = |values: &[Value]| {
            let mut run = Run::new(Digest::of(b""));
            values
                .iter()
                .for_each(|value| run.observe(&object("batch", "Job"), value));
            run.vanish();
            run.end.unwrap().outcome
        };
        let complete = || condition("Complete", "True");
        assert_eq!(outcome(&[deleted(complete())]), Outcome::Succeeded);
        assert_eq!(outcome(&[complete(), deleted(json!({}))]), Outcome::Succeeded);
        assert_eq!(
            outcome(&[deleted(json!({})), deleted(complete())]),
            Outcome::Cancelled
        );
        assert_eq!(outcome(&[json!({})]), Outcome::Vanished);
    }

    #[test]
    fn only_our_finalizer_goes_and_only_off_the_object_that_is_meant() {
        let live = |finalizers: Value| json!({"metadata": {"uid": "u-1", "resourceVersion": "7", "finalizers": finalizers}});
        let uid = |text: &str| Uid::new(text).unwrap();
        let there = live(json!(["example.dev/keep", FINALIZER]));
        assert_eq!(
            release(&there, &uid("u-1")),
            Some(live(json!(["example.dev/keep"])))
        );
        assert_eq!(release(&there, &uid("u-2")), None);
        assert_eq!(release(&live(json!(["example.dev/keep"])), &uid("u-1")), None);
    }
}
