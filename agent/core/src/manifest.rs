//! What is sent of a manifest: what the author said, and the tracking labels.
//!
//! Status, nulls and what only an API server writes are left out: server-side apply would make us the owner of
//! them, or refuse the request. Nothing is added: an object of a namespaced kind that names no namespace is refused
//! where its scope is known (see [`crate::blocker`]), since `default` would be a guess, and OpenChoreo refuses it
//! as well.

use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::spec::Manifest;
use serde_json::{Map, Value};
use std::sync::Arc;

use crate::labels::{self, BadLabel};
use crate::once;

/// Fields of `metadata` that belong to the API server.
const SERVER_METADATA: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The body of an apply request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Canonical JSON.
    pub json: Arc<[u8]>,
    /// Digest of `json`: the same digest needs no request.
    pub digest: Digest,
}

/// The body that puts the object `id` of the resource `key` in place.
///
/// # Errors
/// A tracking label would be refused.
pub fn body(key: &Key, id: &str, manifest: &Manifest) -> Result<Body, BadLabel> {
    let tracking = labels::tracking(key, id);
    labels::check(&tracking)?;
    let mut object = stripped(manifest);
    let labels = section(section(&mut object, "metadata"), "labels");
    for (label, value) in tracking {
        labels.insert(label.to_owned(), value.into());
    }
    Ok(whole(object))
}

/// The same of an object that runs once: our finalizer keeps it until its end is written down.
///
/// # Errors
/// A tracking label would be refused.
pub fn body_once(key: &Key, id: &str, manifest: &Manifest) -> Result<Body, BadLabel> {
    let mut object = body(key, id, manifest)?.value();
    let finalizers = &mut object["metadata"]["finalizers"];
    match finalizers.as_array_mut() {
        Some(others) if others.iter().any(|name| name == once::FINALIZER) => {}
        Some(others) => others.push(once::FINALIZER.into()),
        None => *finalizers = vec![once::FINALIZER].into(),
    }
    Ok(Body::of(&object))
}

/// The body of an object that is never ours: what the author said, and nothing else.
pub fn body_unowned(manifest: &Manifest) -> Body {
    whole(stripped(manifest))
}

/// What the author said, without what only an API server writes.
fn stripped(manifest: &Manifest) -> Map<String, Value> {
    let mut object = manifest.body.clone();
    object.remove("status");
    let metadata = section(&mut object, "metadata");
    for field in SERVER_METADATA {
        metadata.remove(field);
    }
    object
}

fn whole(object: Map<String, Value>) -> Body {
    let mut object = Value::Object(object);
    drop_nulls(&mut object);
    Body::of(&object)
}

impl Body {
    /// The body that sends `object`.
    pub fn of(object: &Value) -> Self {
        let json = canonical::to_vec(object);
        Self {
            digest: Digest::of(&json),
            json: json.into(),
        }
    }

    /// The object as a value.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).expect("a body is made from a value")
    }

    /// The body without `spec.replicas`, for objects whose scale belongs to somebody else. The digest stays that of
    /// what the author wants.
    pub fn without_replicas(&self) -> Arc<[u8]> {
        let mut object = self.value();
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove("replicas");
        }
        canonical::to_vec(&object).into()
    }
}

/// The object under `field`, put there if it is absent or null. A field of another form is replaced, which only
/// concerns manifests that no API server would take.
fn section<'a>(object: &'a mut Map<String, Value>, field: &str) -> &'a mut Map<String, Value> {
    let value = object.entry(field).or_insert_with(|| Map::new().into());
    if !value.is_object() {
        *value = Map::new().into();
    }
    value.as_object_mut().expect("it was just made an object")
}

/// Drops null fields at every depth. Nulls in lists stay: there they take a place.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::head::BundleKind;
    use outhaul_protocol_wire::spec::Spec;
    use serde_json::json;

    use super::*;
    use crate::testing::release_key;

    fn sent(object: &Value) -> Value {
        let spec = json!({"resources": [{"id": "x", "object": object}]});
        let spec = Spec::read(BundleKind::Release, &spec).unwrap();
        let manifest = spec.entries[0].manifest.as_ref().unwrap();
        body(&release_key("cart"), "x", manifest).unwrap().value()
    }

    #[test]
    fn what_only_a_server_writes_is_left_out() {
        let sent = sent(&json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "cart", "namespace": "shop", "annotations": {"a": "b"},
                "creationTimestamp": null, "uid": "1", "resourceVersion": "7", "generation": 3,
                "managedFields": [], "selfLink": "/x", "deletionTimestamp": "now", "deletionGracePeriodSeconds": 1,
            },
            "spec": {"template": {"metadata": {"creationTimestamp": null}}, "args": [null, {"x": null}]},
            "status": {"replicas": 1},
        }));
        assert_eq!(sent.get("status"), None);
        assert_eq!(
            sent["spec"],
            json!({"template": {"metadata": {}}, "args": [null, {}]})
        );
        let metadata = sent["metadata"].as_object().unwrap();
        let fields: Vec<_> = metadata.keys().collect();
        assert_eq!(fields, ["annotations", "labels", "name", "namespace"]);
    }

    #[test]
    fn what_runs_once_carries_our_finalizer_beside_others_and_what_is_never_ours_has_nothing_of_us() {
        let spec = json!({"objects": [{"id": "x", "object": {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "run", "uid": "1", "finalizers": ["example.dev/keep"]},
            "status": {},
        }}]});
        let spec = Spec::read(BundleKind::Bundle, &spec).unwrap();
        let manifest = spec.entries[0].manifest.as_ref().unwrap();
        let body = body_once(&release_key("cart"), "x", manifest).unwrap().value();
        assert_eq!(
            body["metadata"]["finalizers"],
            json!(["example.dev/keep", once::FINALIZER])
        );
        let unowned = body_unowned(manifest).value();
        assert_eq!(
            unowned,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "run", "finalizers": ["example.dev/keep"]}})
        );
    }

    #[test]
    fn own_labels_stay_and_tracking_labels_win() {
        let labels = json!({"app": "cart", "openchoreo.dev/release-uid": "somebody else's"});
        let sent = sent(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cart", "labels": labels},
        }));
        assert_eq!(sent["metadata"]["labels"]["app"], "cart");
        assert_eq!(
            sent["metadata"]["labels"]["openchoreo.dev/release-uid"],
            "uid-cart"
        );
    }

    #[test]
    fn the_order_of_keys_does_not_change_the_digest() {
        let one = Body::of(&serde_json::from_str(r#"{"a":1,"b":2}"#).unwrap());
        let two = Body::of(&serde_json::from_str(r#"{"b":2,"a":1}"#).unwrap());
        assert_eq!(one, two);
    }

    #[test]
    fn replicas_can_be_left_to_their_owner() {
        let body = Body::of(&json!({"spec": {"replicas": 3, "paused": false}}));
        assert_eq!(body.without_replicas().as_ref(), br#"{"spec":{"paused":false}}"#);
    }
}
