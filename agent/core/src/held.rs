//! Objects that are held: they are to go, and wait for somebody to confirm it.

use core::fmt::Write as _;

use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, BlockerReason};
use serde_json::Value;

use crate::blocker::blocker;
use crate::budget::Limits;

/// On an object, in its spec or as it lives: it never goes unasked, unless the annotation says `false`.
pub const PROTECT: &str = "outhaul.dev/protect";

/// Why all that a resource is to let go waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// With what went lately it is more than the plane lets go unasked.
    OverBudget,
    /// Some of it is protected.
    Protected,
}

/// Whether objects of this kind never go unasked: with them goes what no spec brings back.
pub fn is_protected_kind(object: &ObjectRef) -> bool {
    matches!(
        (object.group.as_str(), object.kind.as_str()),
        ("", "Namespace" | "PersistentVolume" | "PersistentVolumeClaim")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("apps", "StatefulSet")
    )
}

/// Whether the metadata of an object has the annotation that protects it.
pub fn is_annotated(metadata: &Value) -> bool {
    let value = metadata
        .get("annotations")
        .and_then(|annotations| annotations.get(PROTECT));
    value.is_some_and(|value| value.as_str() != Some("false"))
}

impl Held {
    /// How it is reported of each of `count` objects, of which this one is protected.
    pub fn blocker(self, count: usize, protected: Option<&ObjectRef>, limits: Limits) -> Blocker {
        let mut message = match count {
            1 => "held: the object waits to be confirmed".to_owned(),
            count => format!("held: all {count} objects wait to be confirmed"),
        };
        let reason = match self {
            Self::OverBudget => {
                message.push_str(&over(limits));
                BlockerReason::OverBudget
            }
            Self::Protected => {
                if let Some(object) = protected {
                    write!(message, ", since {object} is protected").expect("a string takes what is written");
                }
                BlockerReason::Protected
            }
        };
        blocker(reason, message)
    }
}

/// The rule of the budget that holds them.
fn over(limits: Limits) -> String {
    let Limits {
        objects,
        percent,
        window,
    } = limits;
    let minutes = window.as_secs() / 60;
    format!(
        ", since with what went in the last {minutes} minutes it would be more than {objects} objects and more than \
         {percent} % of what the plane has"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::object;

    #[test]
    fn what_no_spec_brings_back_is_protected() {
        let of = |group: &str, kind: &str| {
            is_protected_kind(&ObjectRef {
                group: group.into(),
                kind: kind.into(),
                ..object("x")
            })
        };
        for (group, kind) in [
            ("", "Namespace"),
            ("", "PersistentVolume"),
            ("", "PersistentVolumeClaim"),
            ("apps", "StatefulSet"),
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ] {
            assert!(of(group, kind), "{kind}");
        }
        assert!(!of("apps", "Deployment") && !of("example.dev", "StatefulSet"));
    }

    #[test]
    fn the_annotation_protects_whatever_it_says_but_false() {
        let annotated = |value: Value| is_annotated(&json!({"annotations": {PROTECT: value}}));
        assert!(annotated("true".into()) && annotated("".into()));
        assert!(!annotated("false".into()) && !is_annotated(&json!({})));
    }
}
