//! What the agent keeps of a live object: enough to tell whether somebody changed it, and what to report.
//!
//! The object itself is not kept, so memory does not grow with the size of what others write into it.

use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::digest::{Digest, FieldHasher};
use outhaul_protocol_wire::head::{BundleKind, Key};
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Health, RawStatus};
use serde_json::{Map, Value};

use crate::adoption;
use crate::field::at;
use crate::health;
use crate::held;
use crate::labels::{self, Owner};
use crate::once;

/// What an object looks like, without what changes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Digest of everything in it but status, resource version and field managers.
    pub content: Digest,
    /// Digest of the fields that it says are ours: it can keep a value and lose its owner.
    pub owned: Option<Digest>,
}

/// A live object, as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Its uid.
    pub uid: Uid,
    /// Its resource version.
    pub resource_version: String,
    /// What drift is measured by.
    pub mark: Mark,
    /// The resources that its labels name.
    pub owners: Vec<Owner>,
    /// While it is being deleted: the finalizers that hold it.
    pub deleting: Option<Vec<String>>,
    /// Whether its replicas are set through the scale subresource, by an autoscaler for example.
    pub scaled: bool,
    /// Whether what we applied of it was written by update before, see [`adoption`].
    pub inherited: bool,
    /// Whether `manager` wrote it, by apply or by update, and no agent did for a Bundle; never so of a Bundle's.
    pub managed: bool,
    /// The field manager that wrote it last, if it was not `manager`.
    pub other_manager: Option<String>,
    /// Whether it has the annotation that protects it.
    pub protected: bool,
    /// Whether it has the finalizer of what runs once.
    pub observed: bool,
    /// Whether `manager` created it, or wrote it otherwise than by apply.
    pub created: bool,
}

/// What is reported of a live object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its health.
    pub health: Health,
    /// Its status.
    pub status: RawStatus,
}

impl Shown {
    /// What to report of an object that is not there.
    pub const ABSENT: Self = Self {
        health: Health::Unknown,
        status: RawStatus::Absent,
    };

    /// What to report of `object`.
    pub fn of(reference: &ObjectRef, object: &Value) -> Self {
        Self {
            health: health::health(&reference.group, &reference.kind, object),
            status: status(object),
        }
    }
}

impl Live {
    /// What to keep of `object`. `manager` is the field manager that the agent applies it with. None if it has no
    /// uid, which no API server sends.
    pub fn of(object: &Value, manager: &str) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let text = |field| metadata.get(field).and_then(Value::as_str);
        Some(Self {
            uid: Uid::new(text("uid")?).ok()?,
            resource_version: text("resourceVersion").unwrap_or_default().to_owned(),
            mark: mark(object, manager),
            owners: labels::owners(metadata.get("labels").and_then(Value::as_object)),
            deleting: text("deletionTimestamp").map(|_| finalizers(metadata).map(str::to_owned).collect()),
            observed: finalizers(metadata).any(|name| name == once::FINALIZER),
            scaled: managed_fields(object).any(scales),
            inherited: adoption::is_due(object, manager),
            managed: is_managed(object, manager),
            other_manager: other_manager(object, manager),
            protected: held::is_annotated(metadata),
            created: managed_fields(object).any(|entry| is_by_update(entry, manager)),
        })
    }

    /// Whether its labels name the resource `key`.
    pub fn is_of(&self, key: &Key) -> bool {
        self.owners.iter().any(|owner| owner.is(key))
    }

    /// Whether `object` is this one as it is here, or as it was before: an answer or an event that tells nothing new.
    /// Resource versions are compared as numbers; where they are none, only equal ones are the same.
    pub fn covers(&self, object: &Value) -> bool {
        let text = |field| object.get("metadata")?.get(field)?.as_str();
        if text("uid") != Some(self.uid.as_str()) {
            return false;
        }
        let version = text("resourceVersion").unwrap_or_default();
        match (version.parse::<u64>(), self.resource_version.parse::<u64>()) {
            (Ok(version), Ok(known)) => version <= known,
            _ => version == self.resource_version,
        }
    }
}

/// Which object a live one is.
pub fn reference(object: &Value) -> Option<ObjectRef> {
    let text = |way| at(object, way).and_then(Value::as_str);
    let api_version = text("apiVersion")?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    Some(ObjectRef {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text("kind")?.to_owned(),
        namespace: text("metadata/namespace").unwrap_or_default().to_owned(),
        name: text("metadata/name")?.to_owned(),
    })
}

fn mark(object: &Value, manager: &str) -> Mark {
    let ours = managed_fields(object).find(|entry| is_ours(entry, manager));
    Mark {
        content: content(object),
        owned: ours
            .and_then(|entry| entry.get("fieldsV1"))
            .map(|fields| Digest::of(&canonical::to_vec(fields))),
    }
}

fn content(object: &Value) -> Digest {
    let mut hasher = FieldHasher::default();
    let mut fields: Vec<_> = object.as_object().into_iter().flatten().collect();
    fields.retain(|(field, _)| *field != "status");
    fields.sort_unstable_by_key(|(field, _)| *field);
    for (field, value) in fields {
        hasher.field(field);
        match (field.as_str(), value) {
            ("metadata", Value::Object(metadata)) => hasher.field(lasting(metadata)),
            _ => hasher.field(canonical::to_vec(value)),
        };
    }
    hasher.finish()
}

/// Metadata without what changes by itself.
fn lasting(metadata: &Map<String, Value>) -> Vec<u8> {
    let changes = ["generation", "managedFields", "resourceVersion", "selfLink"];
    let lasting = metadata
        .iter()
        .filter(|(field, _)| !changes.contains(&field.as_str()));
    canonical::fields_to_vec(lasting)
}

/// The status of `object` as it is reported.
pub fn status(object: &Value) -> RawStatus {
    match object.get("status") {
        None | Some(Value::Null) => RawStatus::Absent,
        Some(status) => RawStatus::from_canonical(canonical::to_vec(status)),
    }
}

fn finalizers(metadata: &Value) -> impl Iterator<Item = &str> {
    let finalizers = metadata.get("finalizers").and_then(Value::as_array);
    finalizers.into_iter().flatten().filter_map(Value::as_str)
}

fn managed_fields(object: &Value) -> impl Iterator<Item = &Value> {
    let entries = at(object, "metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten()
}

fn field<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_ours(entry: &Value, manager: &str) -> bool {
    field(entry, "manager") == manager
        && field(entry, "operation") == "Apply"
        && field(entry, "subresource").is_empty()
}

fn is_by_update(entry: &Value, manager: &str) -> bool {
    field(entry, "manager") == manager
        && field(entry, "operation") == "Update"
        && field(entry, "subresource").is_empty()
}

fn is_managed(object: &Value, manager: &str) -> bool {
    let bundles = labels::field_manager(BundleKind::Bundle);
    let wrote = |who: &str| {
        managed_fields(object).any(|it| field(it, "manager") == who && field(it, "subresource").is_empty())
    };
    wrote(manager) && !wrote(bundles)
}

fn scales(entry: &Value) -> bool {
    field(entry, "subresource") == "scale" && at(entry, "fieldsV1/f:spec/f:replicas").is_some()
}

/// The other manager with the newest entry over anything but status.
fn other_manager(object: &Value, manager: &str) -> Option<String> {
    managed_fields(object)
        .filter(|entry| field(entry, "subresource").is_empty() && !is_ours(entry, manager))
        .max_by_key(|entry| field(entry, "time"))
        .map(|entry| field(entry, "manager").to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MANAGER: &str = "release-controller";

    fn object() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "cart", "namespace": "shop", "uid": "u-1", "resourceVersion": "7", "generation": 1,
                "labels": {"app": "cart"},
                "managedFields": [
                    {"manager": MANAGER, "operation": "Apply", "time": "1", "fieldsV1": {"f:spec": {}}},
                    {"manager": "kubectl", "operation": "Update", "time": "2", "fieldsV1": {}},
                ],
            },
            "spec": {"replicas": 1},
        })
    }

    fn live(object: &Value) -> Live {
        Live::of(object, MANAGER).unwrap()
    }

    #[test]
    fn status_and_bookkeeping_are_no_drift() {
        let mut later = object();
        later["metadata"]["resourceVersion"] = "9".into();
        later["metadata"]["generation"] = 2.into();
        later["status"] = json!({"replicas": 1});
        later["metadata"]["managedFields"][1]["time"] = "3".into();
        assert_eq!(live(&later).mark, live(&object()).mark);
    }

    #[test]
    fn spec_labels_annotations_and_our_fields_are_drift() {
        let changes: [fn(&mut Value); 4] = [
            |object| object["spec"]["replicas"] = 2.into(),
            |object| object["metadata"]["labels"]["app"] = "x".into(),
            |object| object["metadata"]["annotations"] = json!({"a": "b"}),
            |object| object["metadata"]["managedFields"][0]["fieldsV1"] = json!({}),
        ];
        for change in changes {
            let mut changed = object();
            change(&mut changed);
            assert_ne!(live(&changed).mark, live(&object()).mark, "{changed}");
        }
    }

    #[test]
    fn an_object_tells_who_else_writes_it_and_who_scales_it() {
        let mut scaled = object();
        assert_eq!(live(&scaled).other_manager.as_deref(), Some("kubectl"));
        assert!(!live(&scaled).scaled);
        scaled["metadata"]["managedFields"][1] = json!({
            "manager": "kube-controller-manager", "operation": "Update", "subresource": "scale",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
        });
        assert!(live(&scaled).scaled);
        assert_eq!(live(&scaled).other_manager, None);
    }

    #[test]
    fn what_arrives_late_tells_nothing_new() {
        let with = |field: &str, value: &str| {
            let mut object = object();
            object["metadata"][field] = value.into();
            object
        };
        let known = live(&object());
        assert!(known.covers(&object()));
        assert!(known.covers(&with("resourceVersion", "6")));
        for (field, value) in [("resourceVersion", "8"), ("resourceVersion", "x"), ("uid", "u-2")] {
            assert!(!known.covers(&with(field, value)), "{field} {value}");
        }
        let unordered = with("resourceVersion", "x");
        assert!(live(&unordered).covers(&unordered));
    }

    #[test]
    fn an_object_on_its_way_out_names_what_holds_it() {
        let mut deleting = object();
        deleting["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        deleting["metadata"]["finalizers"] = json!(["example.dev/keep"]);
        assert_eq!(
            live(&deleting).deleting,
            Some(vec!["example.dev/keep".to_owned()])
        );
        assert_eq!(live(&object()).deleting, None);
    }
}
