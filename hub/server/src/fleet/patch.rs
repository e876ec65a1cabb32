//! Changes as the requests that make them.
//!
//! Resources are changed by JSON Patch (RFC 6902) with tests in front: the API server applies the whole or nothing,
//! and repeats it by itself where only the resourceVersion moved. A precondition on the resourceVersion would make the
//! two first writes of a resource, finalizer and status, fail each other. What is tested is what matters: that it is
//! still the same object (uid), and that nobody else placed it or reported on it since (plane, move, term).

use outhaul_hub_core::{Change, Known, resource};
use outhaul_protocol_wire::head::Key;
use serde_json::{Value, json};

/// A patch, and whether it goes to the `status` subresource.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) status: bool,
    pub(super) operations: Value,
}

/// The request of a change to a Release or Bundle; `None` if there is nothing to do.
pub(super) fn of_bundle(key: &Key, change: &Change) -> Option<Request> {
    let finalizer = resource::finalizer(key.kind);
    let (status, mut operations) = match change {
        Change::AddFinalizer { known, generation } => (false, add(finalizer, known, generation.0)),
        Change::RemoveFinalizer { known } => (false, remove(finalizer, known)?),
        Change::Status { status, known } => {
            let mut operations = unchanged(known);
            operations.push(json!({"op": "add", "path": "/status", "value": status}));
            (true, operations)
        }
        Change::PlaneConditions(_) | Change::PlaneKey(_) => return None,
    };
    operations.insert(0, test("/metadata/uid", key.uid.as_str()));
    Some(Request {
        status,
        operations: Value::Array(operations),
    })
}

/// The `status` fields of a Plane that a change sets, as a merge patch: the key and the conditions have writers of
/// their own.
pub(super) fn of_plane(change: &Change) -> Option<Value> {
    match change {
        Change::PlaneConditions(conditions) => Some(json!({"status": {"conditions": conditions}})),
        Change::PlaneKey(key) => Some(json!({"status": {"key": key}})),
        Change::AddFinalizer { .. } | Change::RemoveFinalizer { .. } | Change::Status { .. } => None,
    }
}

/// The first finalizer makes the list, so nobody may have made it in the meantime: a deletion, which can bring
/// finalizers, raises the generation.
fn add(finalizer: &str, known: &[String], generation: u64) -> Vec<Value> {
    match known {
        [] => vec![
            test("/metadata/generation", generation),
            json!({"op": "add", "path": "/metadata/finalizers", "value": [finalizer]}),
        ],
        known => vec![
            test("/metadata/finalizers", known),
            json!({"op": "add", "path": "/metadata/finalizers/-", "value": finalizer}),
        ],
    }
}

fn remove(finalizer: &str, known: &[String]) -> Option<Vec<Value>> {
    let place = known.iter().position(|name| name == finalizer)?;
    let path = format!("/metadata/finalizers/{place}");
    Some(vec![
        test(&path, finalizer),
        json!({"op": "remove", "path": path}),
    ])
}

/// What is absent cannot be tested for; then this is the first word, or both hubs write the same.
fn unchanged(known: &Known) -> Vec<Value> {
    let Known { plane, moved, term } = known;
    [
        plane.as_ref().map(|plane| test("/status/plane", plane)),
        moved.map(|moved| test("/status/move", moved)),
        term.as_ref().map(|term| test("/status/term", term)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn test(path: &str, value: impl serde::Serialize) -> Value {
    json!({"op": "test", "path": path, "value": value})
}

#[cfg(test)]
mod tests {
    use outhaul_hub_resources::{DeliveryStatus, SessionTerm};
    use outhaul_protocol_wire::head::BundleKind;
    use outhaul_protocol_wire::ids::{Generation, Uid};

    use super::*;

    fn key() -> Key {
        Key {
            kind: BundleKind::Release,
            namespace: "shop".into(),
            name: "cart".into(),
            uid: Uid::new("u-1").unwrap(),
        }
    }

    fn check(change: &Change, mut object: Value) -> Option<Value> {
        let request = of_bundle(&key(), change).unwrap();
        let patch: json_patch::Patch = serde_json::from_value(request.operations).unwrap();
        json_patch::patch(&mut object, &patch).ok()?;
        Some(object)
    }

    #[test]
    fn our_finalizer_joins_others_and_leaves_them() {
        let object = |finalizers: Value| json!({"metadata": {"uid": "u-1", "generation": 1, "finalizers": finalizers}});
        let add = |known: &[&str]| Change::AddFinalizer {
            known: known.iter().map(|name| (*name).to_owned()).collect(),
            generation: Generation(1),
        };
        let bare = json!({"metadata": {"uid": "u-1", "generation": 1}});
        let ours = object(json!(["openchoreo.dev/dataplane-cleanup"]));
        assert_eq!(check(&add(&[]), bare.clone()), Some(ours));
        let both = object(json!(["other", "openchoreo.dev/dataplane-cleanup"]));
        assert_eq!(
            check(&add(&["other"]), object(json!(["other"]))),
            Some(both.clone())
        );
        assert_eq!(check(&add(&["other"]), object(json!(["other", "third"]))), None);
        assert_eq!(
            check(&add(&[]), json!({"metadata": {"uid": "u-1", "generation": 2}})),
            None
        );
        assert_eq!(
            check(&add(&[]), json!({"metadata": {"uid": "u-2", "generation": 1}})),
            None
        );
        let remove = Change::RemoveFinalizer {
            known: vec!["other".into(), "openchoreo.dev/dataplane-cleanup".into()],
        };
        assert_eq!(check(&remove, both), Some(object(json!(["other"]))));
        assert_eq!(check(&remove, bare), None);
    }

    #[test]
    fn a_status_is_written_only_over_the_one_that_is_known() {
        let term = SessionTerm { boot: 1, dial: 2 };
        let change = |known| Change::Status {
            status: Box::new(DeliveryStatus {
                plane: Some("eu".into()),
                ..DeliveryStatus::default()
            }),
            known,
        };
        let first = change(Known {
            plane: None,
            moved: None,
            term: None,
        });
        let written = check(&first, json!({"metadata": {"uid": "u-1"}})).unwrap();
        assert_eq!(written["status"], json!({"plane": "eu"}));
        let later = change(Known {
            plane: Some("eu".into()),
            moved: Some(0),
            term: Some(term),
        });
        let stored = |plane: &str, dial: i64| {
            json!({"metadata": {"uid": "u-1"},
            "status": {"plane": plane, "move": 0, "term": {"boot": 1, "dial": dial}}})
        };
        assert!(check(&later, stored("eu", 2)).is_some());
        assert!(check(&later, stored("us", 2)).is_none());
        assert!(check(&later, stored("eu", 3)).is_none());
    }
}
