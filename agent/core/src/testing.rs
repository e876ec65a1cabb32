//! Values that several test modules start from.

use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{BundleKind, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Generation, Uid};
use outhaul_protocol_wire::object::ObjectRef;
use serde_json::{Map, Value, json};

use crate::labels;

pub(crate) fn release_key(name: &str) -> Key {
    key(BundleKind::Release, name)
}

pub(crate) fn bundle_key(name: &str) -> Key {
    key(BundleKind::Bundle, name)
}

fn key(kind: BundleKind, name: &str) -> Key {
    Key {
        kind,
        namespace: "acme".into(),
        name: name.into(),
        uid: Uid::new(format!("uid-{name}")).unwrap(),
    }
}

/// A ConfigMap in the namespace `shop`.
pub(crate) fn config_map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"},
        "data": {"value": value},
    })
}

pub(crate) fn object(name: &str) -> ObjectRef {
    ObjectRef {
        group: String::new(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: "shop".into(),
        name: name.into(),
    }
}

/// Content as the hub sends it.
pub(crate) fn content(spec: &Value) -> (Content, Digest) {
    let json = canonical::to_vec(spec);
    let content = Content {
        length: u32::try_from(json.len()).unwrap(),
        zstd: zstd::encode_all(json.as_slice(), 3).unwrap(),
    };
    (content, Digest::of(&json))
}

pub(crate) fn head(name: &str, generation: u64) -> Head {
    Head {
        key: release_key(name),
        version: Version {
            generation: Generation(generation),
            ..Version::default()
        },
        digest: Digest::of(b"{}"),
        state: HeadState::Present,
        confirmed: None,
    }
}

/// A ConfigMap as an API server shows it after the resource `key` applied it.
pub(crate) fn live_config_map(key: &Key, name: &str, value: &str) -> Value {
    let mut object = config_map(name, value);
    let labels: Map<_, _> = labels::tracking(key, name)
        .into_iter()
        .map(|(label, value)| (label.to_owned(), value.into()))
        .collect();
    let metadata = json!({
        "labels": labels, "uid": format!("uid-{name}"), "resourceVersion": "1",
        "managedFields": [{
            "manager": labels::field_manager(key.kind), "operation": "Apply", "fieldsV1": {"f:data": {"f:value": {}}},
        }],
    });
    let target = object["metadata"].as_object_mut().unwrap();
    target.extend(metadata.as_object().unwrap().clone());
    object
}
