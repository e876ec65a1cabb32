//! What is measured with: a resource of three objects, the size of a small component.
//!
//! It comes as a Release for Outhaul, and with the same spec as a kind of the relay's own, so that both can be
//! measured in turns on the same API servers without seeing each other's.

use anyhow::{Context as _, Result};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

/// How many objects a sample has.
pub const OBJECTS: usize = 3;

/// Namespace of the samples in the control plane.
pub const NAMESPACE: &str = "default";

/// The kind that carries a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A Release, for Outhaul.
    Release,
    /// The relay's own kind.
    Relayed,
}

impl Carrier {
    /// The resources of this kind.
    pub fn api(self, control: &Client) -> Api<DynamicObject> {
        let kind = match self {
            Self::Release => GroupVersionKind::gvk("openchoreo.dev", "v1alpha1", "Release"),
            Self::Relayed => GroupVersionKind::gvk("relay.example", "v1", "Relayed"),
        };
        let mut resource = ApiResource::from_gvk(&kind);
        if self == Self::Relayed {
            resource.plural = "relayed".to_owned();
        }
        Api::namespaced_with(control.clone(), NAMESPACE, &resource)
    }

    /// A sample named `name`: a ConfigMap, a Service and a Deployment that go to the namespace `target` in the plane
    /// of `environment`.
    ///
    /// # Errors
    /// None but a mistake in this file.
    pub fn sample(self, name: &str, environment: &str, target: &str) -> Result<DynamicObject> {
        let (api_version, kind) = match self {
            Self::Release => ("openchoreo.dev/v1alpha1", "Release"),
            Self::Relayed => ("relay.example/v1", "Relayed"),
        };
        Ok(serde_json::from_value(json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": { "name": name },
            "spec": {
                "owner": { "projectName": "bench", "componentName": name },
                "environmentName": environment,
                "resources": resources(name, target),
            },
        }))?)
    }
}

/// The definition of [`Carrier::Relayed`]. It validates nothing, which is all to the relay's advantage.
pub fn relayed_definition() -> Value {
    let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "relayed.relay.example" },
        "spec": {
            "group": "relay.example",
            "scope": "Namespaced",
            "names": { "kind": "Relayed", "listKind": "RelayedList", "plural": "relayed", "singular": "relayed" },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": {
                    "type": "object", "properties": { "spec": anything, "status": anything },
                } },
            }],
        },
    })
}

/// The kinds of a sample's objects, in the namespace `target` of a plane.
pub fn target_kinds(plane: &Client, target: &str) -> [Api<DynamicObject>; OBJECTS] {
    let core = |kind| GroupVersionKind::gvk("", "v1", kind);
    [
        core("ConfigMap"),
        core("Service"),
        GroupVersionKind::gvk("apps", "v1", "Deployment"),
    ]
    .map(|kind| Api::namespaced_with(plane.clone(), target, &ApiResource::from_gvk(&kind)))
}

/// Whether the status of a sample tells of all its objects.
pub fn has_status(sample: &DynamicObject) -> bool {
    let known = |entry: &Value| {
        entry["healthStatus"]
            .as_str()
            .is_some_and(|health| health != "Unknown")
    };
    let resources = sample.data["status"]["resources"].as_array();
    resources.is_some_and(|resources| resources.len() == OBJECTS && resources.iter().all(known))
}

/// The API of the kind and namespace of `object`.
///
/// # Errors
/// The object has no kind or no namespace.
pub fn api_of(client: Client, object: &DynamicObject) -> Result<Api<DynamicObject>> {
    let types = object.types.as_ref().context("the object has no kind")?;
    let kind = GroupVersionKind::try_from(types)?;
    let namespace = object.namespace().context("the object has no namespace")?;
    Ok(Api::namespaced_with(
        client,
        &namespace,
        &ApiResource::from_gvk(&kind),
    ))
}

/// The entry of `status.resources` for a live object.
pub fn resource_status(id: &Value, live: &DynamicObject) -> Value {
    let types = live.types.clone().unwrap_or_default();
    let (group, version) = types
        .api_version
        .split_once('/')
        .unwrap_or(("", &types.api_version));
    json!({
        "id": id,
        "group": group,
        "version": version,
        "kind": types.kind,
        "namespace": live.namespace(),
        "name": live.name_any(),
        "healthStatus": "Progressing",
        "status": live.data.get("status"),
    })
}

fn resources(name: &str, target: &str) -> Value {
    let metadata = json!({ "name": name, "namespace": target });
    let labels = json!({ "app": name });
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "LOG_LEVEL": "info" },
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": metadata,
        "spec": { "selector": labels, "ports": [{ "port": 8080 }] },
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "main", "image": "registry.example/sample:1" }] },
            },
        },
    });
    json!([
        { "id": "config", "object": config },
        { "id": "service", "object": service },
        { "id": "deployment", "object": deployment },
    ])
}
