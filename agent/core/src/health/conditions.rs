//! Conditions, and the health that the common ones mean.

use outhaul_protocol_wire::report::Health::{self, Degraded, Healthy, Progressing};
use serde_json::Value;

use super::{integer, list};

/// One entry of `status.conditions`.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a>(&'a Value);

impl Condition<'_> {
    pub(super) fn is_true(&self) -> bool {
        self.field("status") == "True"
    }

    pub(super) fn reason(&self) -> &str {
        self.field("reason")
    }

    fn field(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The conditions of an object; none at all if they are no list.
pub(super) fn of(object: &Value) -> Option<&[Value]> {
    list(object, "status/conditions")
}

pub(super) fn condition<'a>(conditions: &'a [Value], kind: &str) -> Option<Condition<'a>> {
    conditions
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
        .map(Condition)
}

/// The health of a custom resource. Without any of the common fields it is healthy once it exists.
pub(super) fn health(object: &Value) -> Health {
    let generation = integer(object, "metadata/generation", 0).unwrap_or(0);
    let observed = integer(object, "status/observedGeneration", generation).unwrap_or(generation);
    let conditions = of(object).unwrap_or_default();
    let is = |kind, expected: bool| {
        condition(conditions, kind).is_some_and(|condition| condition.is_true() == expected)
    };
    match () {
        () if observed < generation => Progressing,
        () if is("Stalled", true) => Degraded,
        () if is("Ready", false) || is("Available", false) => Progressing,
        () => Healthy,
    }
}
