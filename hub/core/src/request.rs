//! Changes as the requests that make them.
//!
//! Resources are changed by JSON Patch (RFC 6902) with tests in front: the API server applies the whole or nothing,
//! and repeats it by itself where only the resourceVersion moved. A precondition on the resourceVersion would make the
//! two first writes of a resource, finalizer and status, fail each other. What is tested is what matters: that it is
//! still the same object (uid), and that nobody else placed it or reported on it since (plane, move, term).
//!
//! Our finalizer is added by server-side apply, where finalizers are a set: whatever others put there in the meantime
//! stays. The API server refuses it on an object that is being deleted.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, RemoveOperation, TestOperation};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::ApiResource;
use kube::core::params::Patch;
use outhaul_hub_resources::PlanePolicy;
use outhaul_protocol_wire::head::Key;
use serde_json::{Value, json};

use crate::{Change, Known, Subject, kinds, resource};

/// A patch, and whether it goes to the `status` subresource.
#[derive(Debug)]
pub struct Request {
    /// Whether it goes there.
    pub status: bool,
    /// The patch.
    pub patch: Patch<Value>,
}

/// The request of a change to a Release or Bundle; `None` if there is nothing to do.
///
/// # Errors
/// The status cannot be written as JSON.
pub fn of_bundle(key: &Key, change: &Change) -> serde_json::Result<Option<Request>> {
    let finalizer = resource::finalizer(key.kind);
    let (status, mut operations) = match change {
        Change::AddFinalizer => return Ok(Some(add(key, finalizer))),
        Change::RemoveFinalizer {
            finalizers,
            deleted,
            known,
        } => match remove(finalizer, finalizers) {
            Some(removal) => {
                let mut operations = placed(known.as_ref());
                operations.extend(deleted.map(|at| test("/metadata/deletionTimestamp", Time(at))));
                operations.extend(removal);
                (false, operations)
            }
            None => return Ok(None),
        },
        Change::Status { status, known } => {
            let mut operations = placed(known.as_ref());
            operations.extend(known.as_ref().map(|known| test("/status/term", known.term)));
            operations.push(PatchOperation::Add(AddOperation {
                path: pointer("/status"),
                value: serde_json::to_value(status)?,
            }));
            (true, operations)
        }
        Change::PlaneConditions { .. }
        | Change::PlaneFinalizers { .. }
        | Change::PlaneDecisions { .. }
        | Change::PlanePolicy { .. }
        | Change::PlaneKey { .. } => return Ok(None),
    };
    operations.insert(0, test("/metadata/uid", key.uid.as_str()));
    Ok(Some(Request {
        status,
        patch: Patch::Json(json_patch::Patch(operations)),
    }))
}

/// The fields of a Plane that a change sets, as a merge patch: the key and the conditions have writers of their own. It
/// counts only for the Plane as it is known: not for one that was made again, nor over a key that
/// enrolment recorded since.
pub fn of_plane(subject: &Subject, change: &Change) -> Option<Request> {
    let Subject::Plane(_, uid) = subject else {
        return None;
    };
    let as_known = |known: &u64| json!({"uid": uid.as_str(), "resourceVersion": known.to_string()});
    let (status, patch) = match change {
        Change::PlaneConditions { conditions, known } => (
            true,
            json!({"metadata": as_known(known), "status": {"conditions": conditions}}),
        ),
        Change::PlaneKey { key, known } => {
            (true, json!({"metadata": as_known(known), "status": {"key": key}}))
        }
        Change::PlaneFinalizers { finalizers, known } => {
            let mut metadata = as_known(known);
            metadata["finalizers"] = json!(finalizers);
            (false, json!({"metadata": metadata}))
        }
        Change::PlaneDecisions { decisions, known } => (
            false,
            json!({"metadata": as_known(known), "spec": {"decisions": decisions}}),
        ),
        Change::PlanePolicy { policy, known } => (
            true,
            json!({"metadata": as_known(known), "status": {"policy": policy.as_ref().map(whole)}}),
        ),
        Change::AddFinalizer | Change::RemoveFinalizer { .. } | Change::Status { .. } => return None,
    };
    Some(Request {
        status,
        patch: Patch::Merge(patch),
    })
}

/// A merge patch leaves alone what it does not name.
fn whole(policy: &PlanePolicy) -> Value {
    let PlanePolicy {
        mode,
        confirmations,
        digest,
        problem,
    } = policy;
    json!({"mode": mode, "confirmations": confirmations, "digest": digest, "problem": problem})
}

fn add(key: &Key, finalizer: &str) -> Request {
    let ApiResource {
        api_version, kind, ..
    } = kinds::bundle(key.kind);
    Request {
        status: false,
        patch: Patch::Apply(json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": key.uid.as_str(), "finalizers": [finalizer]},
        })),
    }
}

fn remove(finalizer: &str, known: &[String]) -> Option<[PatchOperation; 2]> {
    let place = known.iter().position(|name| name == finalizer)?;
    let path = format!("/metadata/finalizers/{place}");
    Some([
        test(&path, finalizer),
        PatchOperation::Remove(RemoveOperation { path: pointer(&path) }),
    ])
}

/// Nobody placed it since. What was absent has to be absent still: the API server holds a field that is not there to be
/// null, as long as what is around it is there. A replica whose watch is late may otherwise take its word for the first
/// one.
fn placed(known: Option<&Known>) -> Vec<PatchOperation> {
    match known {
        None => vec![test("/status", Value::Null)],
        Some(known) => vec![
            test("/status/plane", &known.plane),
            test("/status/move", known.moved),
        ],
    }
}

fn test(path: &str, value: impl serde::Serialize) -> PatchOperation {
    PatchOperation::Test(TestOperation {
        path: pointer(path),
        value: json!(value),
    })
}

fn pointer(path: &str) -> PointerBuf {
    PointerBuf::parse(path).expect("paths in here have no escapes")
}

#[cfg(test)]
mod tests {
    use outhaul_hub_resources::{DeliveryStatus, SessionTerm};
    use outhaul_protocol_wire::head::BundleKind;
    use outhaul_protocol_wire::ids::{PlaneName, Uid};

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
        let request = of_bundle(&key(), change).unwrap().unwrap();
        let Patch::Json(patch) = request.patch else {
            panic!("no JSON Patch");
        };
        json_patch::patch(&mut object, &patch).ok()?;
        Some(object)
    }

    #[test]
    fn our_finalizer_goes_and_leaves_others() {
        let object =
            |finalizers: Value| json!({"metadata": {"uid": "u-1", "finalizers": finalizers}, "status": null});
        let both = object(json!(["other", "openchoreo.dev/dataplane-cleanup"]));
        let remove = Change::RemoveFinalizer {
            finalizers: vec!["other".into(), "openchoreo.dev/dataplane-cleanup".into()],
            deleted: None,
            known: None,
        };
        assert_eq!(check(&remove, both), Some(object(json!(["other"]))));
        assert_eq!(check(&remove, object(json!(["other"]))), None);
        assert_eq!(check(&remove, json!({"metadata": {"uid": "u-2"}})), None);
    }

    #[test]
    fn our_finalizer_stays_where_another_replica_placed_the_resource_since() {
        let ours = "openchoreo.dev/dataplane-cleanup";
        let object = |plane: Value, moved: i64| {
            json!({
                "metadata": {"uid": "u-1", "finalizers": [ours]},
                "status": {"plane": plane, "move": moved, "term": {"boot": 1, "dial": 9}},
            })
        };
        let remove = |plane: Option<&str>| Change::RemoveFinalizer {
            finalizers: vec![ours.into()],
            deleted: None,
            known: Some(Known {
                plane: plane.map(str::to_owned),
                moved: Some(1),
                term: Some(SessionTerm { boot: 1, dial: 2 }),
            }),
        };
        for (known, stored, goes) in [
            (Some("eu"), object(json!("eu"), 1), true),
            (Some("eu"), object(json!("eu"), 2), false),
            (Some("eu"), object(json!("us"), 1), false),
            (None, object(Value::Null, 1), true),
            (None, object(json!("eu"), 1), false),
        ] {
            let what = format!("{known:?} over {stored}");
            assert_eq!(check(&remove(known), stored).is_some(), goes, "{what}");
        }
    }

    #[test]
    fn our_finalizer_stays_in_a_control_plane_that_went_back_to_before_the_deletion() {
        let ours = "openchoreo.dev/dataplane-cleanup";
        let object = |deleted: Value| {
            let metadata = json!({"uid": "u-1", "finalizers": [ours], "deletionTimestamp": deleted});
            json!({"metadata": metadata, "status": null})
        };
        let remove = Change::RemoveFinalizer {
            finalizers: vec![ours.into()],
            deleted: Some("2027-01-15T08:00:00Z".parse().unwrap()),
            known: None,
        };
        for (stored, goes) in [
            (json!("2027-01-15T08:00:00Z"), true),
            (json!("2027-01-15T08:00:01Z"), false),
            (Value::Null, false),
        ] {
            assert_eq!(check(&remove, object(stored.clone())).is_some(), goes, "{stored}");
        }
        let mut alive = object(Value::Null);
        alive["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("deletionTimestamp");
        assert_eq!(check(&remove, alive), None);
    }

    #[test]
    fn a_plane_is_written_only_as_it_is_known() {
        let subject = Subject::Plane(PlaneName::new("eu").unwrap(), Uid::new("u-1").unwrap());
        let change = Change::PlaneKey {
            key: "k".into(),
            known: 7,
        };
        let finalizers = Change::PlaneFinalizers {
            finalizers: vec!["other".into()],
            known: 7,
        };
        let expected = [
            (
                change,
                true,
                json!({"metadata": {"uid": "u-1", "resourceVersion": "7"}, "status": {"key": "k"}}),
            ),
            (
                finalizers,
                false,
                json!({"metadata": {"uid": "u-1", "resourceVersion": "7", "finalizers": ["other"]}}),
            ),
        ];
        for (change, status, expected) in expected {
            let request = of_plane(&subject, &change).unwrap();
            let Patch::Merge(patch) = request.patch else {
                panic!("no merge patch");
            };
            assert_eq!((request.status, patch), (status, expected));
        }
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
        let known = |plane: &str, moved, term| {
            Some(Known {
                plane: Some(plane.into()),
                moved,
                term,
            })
        };
        let refused = Known {
            plane: None,
            moved: None,
            term: None,
        };
        let stored = |status: Value| json!({"metadata": {"uid": "u-1"}, "status": status});
        // What is not there is null to an API server, and not to the library here.
        let empty = json!({"plane": null, "move": null, "term": null});
        let placed = json!({"plane": "eu", "move": 0, "term": null});
        let reported = |dial: i64| json!({"plane": "eu", "move": 0, "term": {"boot": 1, "dial": dial}});
        for (known, stored, written) in [
            (None, stored(Value::Null), true),
            (None, stored(empty.clone()), false),
            (None, stored(placed.clone()), false),
            (Some(refused.clone()), stored(empty), true),
            (Some(refused), stored(placed.clone()), false),
            (known("eu", Some(0), None), stored(placed.clone()), true),
            (known("eu", Some(0), None), stored(reported(2)), false),
            (known("eu", Some(0), Some(term)), stored(reported(2)), true),
            (known("eu", Some(0), Some(term)), stored(reported(3)), false),
            (known("us", Some(0), Some(term)), stored(reported(2)), false),
            (known("eu", Some(1), None), stored(placed), false),
        ] {
            let what = format!("{known:?} over {stored}");
            let after = check(&change(known), stored);
            assert_eq!(after.is_some(), written, "{what}");
            if let Some(after) = after {
                assert_eq!(after["status"]["plane"], "eu");
            }
        }
    }
}
