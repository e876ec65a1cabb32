//! The policy of the plane's owner: what the hub may do here. Its text is in a ConfigMap of the agent's namespace, where
//! the hub cannot write: no policy lets it manage anything in there.
//!
//! Without a text everything is allowed but what is always refused. A text that cannot be read allows nothing new: the
//! last one that could be read stays in force, and where there is none nothing is changed.

mod confirmed;
mod document;
mod excluding;

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Confirmed, Head};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::policy::{self as wire, Confirmations, Mode};
use outhaul_protocol_wire::report::{Blocker, BlockerReason};
use outhaul_protocol_wire::witness::{Vouched, Witness};
use serde_json::Value;

pub use self::confirmed::command;
pub use self::document::Document;

use self::confirmed::{Said, control_plane_command};
use crate::blocker::blocker;
use crate::budget;

/// The ConfigMap.
pub const CONFIG_MAP: &str = "outhaul-policy";

/// Where its text is in there.
pub const TEXT: &str = "policy.yaml";

/// What is in force on a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The namespace of the agent.
    home: String,
    /// The text that `document` was read from; none where there is none.
    text: Option<String>,
    document: Document,
    said: Said,
    problem: Option<String>,
}

impl Policy {
    /// That of a plane whose owner has written none.
    pub fn open(home: &str) -> Self {
        Self {
            home: home.to_owned(),
            text: None,
            document: Document::default(),
            said: Said::default(),
            problem: None,
        }
    }

    /// What is in force where `home` has this ConfigMap, and this was the last text that could be read.
    pub fn read(home: &str, config_map: Option<&Value>, last: Option<&str>) -> Self {
        let Some(config_map) = config_map else {
            return Self::open(home);
        };
        let data = data(config_map);
        let (said, unread) = Said::read(&data);
        let read = no_binary(config_map)
            .and_then(|()| text(&data))
            .and_then(|text| match text {
                Some(text) => Ok((Some(text.to_owned()), Document::read(text)?)),
                None => Ok((None, Document::default())),
            });
        let (text, document, problem) = match read {
            Ok((text, document)) => (text, document, unread),
            Err(problem) => {
                let known = last.and_then(|text| Some((text.to_owned(), Document::read(text).ok()?)));
                let (text, document) = match known {
                    Some((text, document)) => (Some(text), document),
                    None => (None, Document::observing()),
                };
                (text, document, Some(problem))
            }
        };
        Self {
            home: home.to_owned(),
            text,
            document,
            said,
            problem: problem.map(shortened),
        }
    }

    /// The text that is in force: the last one that could be read.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Why what is in the ConfigMap does not count, or not all of it.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// What the agent does with what it is told.
    pub fn mode(&self) -> Mode {
        self.document.mode()
    }

    /// Why nothing is done about an object, and what would be.
    pub fn keeps(&self, would: &str) -> Option<Blocker> {
        let (reason, why) = match self.mode() {
            Mode::Acts => return None,
            Mode::Pauses => (BlockerReason::PolicyPauses, "pauses all work (pause: true)"),
            Mode::Observes if self.text.is_none() => (
                BlockerReason::PolicyObserves,
                "cannot be read, so nothing is changed",
            ),
            Mode::Observes => (
                BlockerReason::PolicyObserves,
                "lets nothing be changed (observeOnly: true)",
            ),
        };
        Some(blocker(reason, format!("the plane's policy {why}: {would}")))
    }

    /// How much goes unasked.
    pub fn budget(&self) -> budget::Limits {
        self.document.budget
    }

    /// What counts as confirmed of a resource: what is said here, and what its head says where the hub may say it.
    pub fn confirmed(&self, head: &Head) -> Option<Confirmed> {
        // That something stays takes nothing from anybody.
        let there = head
            .confirmed
            .filter(|confirmed| match self.document.confirmations {
                Confirmations::Hub => true,
                Confirmations::Plane => *confirmed == Confirmed::Leave,
            });
        self.said.of(head).or(there)
    }

    /// Whether somebody who may say it confirmed this control plane.
    pub fn confirms(&self, vouched: &Vouched) -> bool {
        let there = vouched.confirmed && self.document.confirmations == Confirmations::Hub;
        there || self.said.control_plane() == Some(vouched.witness)
    }

    /// How a control plane is confirmed, where only the owner of the plane can do it.
    pub fn advice_on(&self, witness: Witness) -> Option<String> {
        match self.document.confirmations {
            Confirmations::Hub => None,
            Confirmations::Plane => Some(format!(
                "the plane's policy takes that from its owner only (confirmations: plane): {}",
                control_plane_command(&self.home, witness)
            )),
        }
    }

    /// What to do about objects of a resource that are held, where only the owner of the plane can say it.
    pub fn advice(&self, head: &Head) -> Option<String> {
        match self.document.confirmations {
            Confirmations::Hub => None,
            Confirmations::Plane => Some(format!(
                "the plane's policy takes that from its owner only (confirmations: plane): {}",
                command(&self.home, head, Confirmed::Remove)
            )),
        }
    }

    /// What the hub is told.
    pub fn summary(&self) -> wire::Policy {
        wire::Policy {
            digest: self.text.as_ref().map(|text| Digest::of(text.as_bytes())),
            mode: self.mode(),
            confirmations: self.document.confirmations,
            problem: self.problem.clone(),
        }
    }
}

/// Entries of a ConfigMap, in the order of their names.
fn data(config_map: &Value) -> Vec<(&str, &str)> {
    let data = config_map.get("data").and_then(Value::as_object);
    let entries = data.into_iter().flatten();
    entries
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect()
}

/// A file that is no UTF-8 becomes an entry of another field, and would read as no policy.
fn no_binary(config_map: &Value) -> Result<(), String> {
    let binary = config_map.get("binaryData").and_then(Value::as_object);
    match binary.and_then(|entries| entries.keys().next()) {
        Some(name) => Err(format!(
            "the ConfigMap has {name:?} in binaryData: save the file as UTF-8 and create it again"
        )),
        None => Ok(()),
    }
}

/// The text among the entries. What else is there has to be known: a name that is mistyped must not read as no policy.
fn text<'a>(data: &[(&str, &'a str)]) -> Result<Option<&'a str>, String> {
    let unknown = data
        .iter()
        .find(|(name, _)| *name != TEXT && !name.starts_with(confirmed::PREFIX));
    if let Some((name, _)) = unknown {
        let known = format!("{TEXT} and {}KIND.NAMESPACE.NAME", confirmed::PREFIX);
        return Err(format!(
            "the ConfigMap has an entry {name:?} that means nothing: what counts is {known}"
        ));
    }
    Ok(data.iter().find(|(name, _)| *name == TEXT).map(|(_, text)| *text))
}

fn shortened(mut problem: String) -> String {
    problem.truncate(problem.floor_char_boundary(limits::MESSAGE_BYTES));
    problem
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::head;

    fn config_map(data: Value) -> Value {
        json!({"kind": "ConfigMap", "data": data})
    }

    fn read(data: Value, last: Option<&str>) -> Policy {
        Policy::read("outhaul-system", Some(&config_map(data)), last)
    }

    #[test]
    fn without_a_text_everything_is_as_ever() {
        for policy in [
            Policy::read("outhaul-system", None, Some("pause: true")),
            read(json!({}), Some("pause: true")),
        ] {
            assert_eq!(policy, Policy::open("outhaul-system"));
            assert_eq!(policy.summary(), wire::Policy::default());
        }
    }

    #[test]
    fn a_file_that_is_no_text_does_not_read_as_no_policy() {
        let config_map = json!({"binaryData": {"policy.yaml": "/w=="}});
        let policy = Policy::read("outhaul-system", Some(&config_map), Some("pause: true"));
        assert_eq!(policy.mode(), Mode::Pauses);
        assert!(policy.problem().is_some_and(|problem| problem.contains("UTF-8")));
    }

    #[test]
    fn what_cannot_be_read_leaves_the_last_one_in_force_and_without_one_nothing_is_changed() {
        for data in [
            json!({"policy.yaml": "pause: maybe"}),
            json!({"policy.yml": "pause: false"}),
            json!({"policy.yaml": ""}),
        ] {
            let policy = read(data.clone(), Some("pause: true"));
            assert_eq!(
                (policy.mode(), policy.text()),
                (Mode::Pauses, Some("pause: true")),
                "{data}"
            );
            assert!(policy.problem().is_some());
            for last in [None, Some("pause: maybe")] {
                let policy = read(data.clone(), last);
                assert_eq!((policy.mode(), policy.text()), (Mode::Observes, None), "{data}");
                assert_eq!(policy.summary().digest, None);
            }
        }
    }

    #[test]
    fn what_the_owner_confirms_counts_wherever_the_hub_may_confirm() {
        let of = |policy: &str, head: &Head| {
            read(
                json!({"policy.yaml": policy, "confirm.release.acme.cart": "leave@3"}),
                None,
            )
            .confirmed(head)
        };
        let told = |generation| Head {
            confirmed: Some(Confirmed::Remove),
            ..head("cart", generation)
        };
        let cases = [
            ("{}", head("cart", 3), Some(Confirmed::Leave)),
            ("{}", told(3), Some(Confirmed::Leave)),
            ("{}", told(4), Some(Confirmed::Remove)),
            ("confirmations: hub", told(4), Some(Confirmed::Remove)),
            ("confirmations: plane", told(4), None),
            ("confirmations: plane", told(3), Some(Confirmed::Leave)),
            ("confirmations: plane", head("till", 3), None),
            (
                "confirmations: plane",
                Head {
                    confirmed: Some(Confirmed::Leave),
                    ..head("till", 3)
                },
                Some(Confirmed::Leave),
            ),
        ];
        for (policy, head, expected) in cases {
            assert_eq!(of(policy, &head), expected, "{policy} {head:?}");
        }
    }

    #[test]
    fn a_confirmation_that_cannot_be_read_is_shown_and_takes_nothing_else_along() {
        let policy = read(
            json!({"policy.yaml": "pause: true", "confirm.release.acme.cart": "yes", "confirm.release.acme.till": "remove@2"}),
            None,
        );
        assert_eq!(policy.mode(), Mode::Pauses);
        assert_eq!(
            policy.problem(),
            Some(
                "confirm.release.acme.cart says \"yes\": a confirmation reads remove@GENERATION or leave@GENERATION"
            )
        );
        assert_eq!(policy.confirmed(&head("till", 2)), Some(Confirmed::Remove));
    }
}
