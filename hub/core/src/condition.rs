//! Conditions as `meta.SetStatusCondition` of the Kubernetes libraries sets them.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// What a condition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its type.
    pub(crate) r#type: &'static str,
    /// True, False or Unknown.
    pub(crate) status: &'static str,
    /// Why, in a word.
    pub(crate) reason: String,
    /// Why, for people.
    pub(crate) message: String,
    /// The generation that it is about.
    pub(crate) generation: Option<u64>,
}

/// Sets a condition: `lastTransitionTime` moves only with `status`.
pub(crate) fn set(conditions: &mut Vec<Condition>, said: Said, now: Timestamp) {
    let generation = said.generation.and_then(|number| i64::try_from(number).ok());
    let mut condition = Condition {
        type_: said.r#type.to_owned(),
        status: said.status.to_owned(),
        reason: said.reason,
        message: said.message,
        observed_generation: generation,
        last_transition_time: Time(whole_seconds(now)),
    };
    match conditions.iter_mut().find(|known| known.type_ == said.r#type) {
        Some(known) => {
            if known.status == condition.status {
                condition.last_transition_time = known.last_transition_time.clone();
            }
            *known = condition;
        }
        None => conditions.push(condition),
    }
}

/// The condition of a type.
pub(crate) fn get<'a>(conditions: &'a [Condition], r#type: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == r#type)
}

/// A time as `metav1.Time` keeps it, so that what was written reads back equal.
pub(crate) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).expect("a second of a valid time is a valid time")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: &'static str, reason: &str) -> Said {
        Said {
            r#type: "Ready",
            status,
            reason: reason.into(),
            message: "text".into(),
            generation: Some(3),
        }
    }

    #[test]
    fn the_transition_time_moves_only_with_the_status() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut conditions = Vec::new();
        set(&mut conditions, said("False", "Progressing"), at(10));
        set(&mut conditions, said("False", "Degraded"), at(20));
        let ready = get(&conditions, "Ready").unwrap();
        assert_eq!(
            (ready.reason.as_str(), ready.last_transition_time.0),
            ("Degraded", at(10))
        );
        set(&mut conditions, said("True", "Healthy"), at(30));
        assert_eq!(get(&conditions, "Ready").unwrap().last_transition_time.0, at(30));
        assert_eq!(conditions.len(), 1);
    }
}
