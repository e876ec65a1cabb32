//! What is measured with: resources of a few objects, or of many.
//!
//! They come as Releases for Outhaul, and with the same spec as a kind of the relay's own, so that both can be
//! measured in turns on the same API servers without seeing each other's.

use anyhow::{Context as _, Result};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use outhaul_scenarios::operator::{COMPONENT, PROJECT};
use serde_json::{Value, json};

/// How many objects a component has.
pub const OBJECTS: usize = 3;

/// Namespace of the samples in the control plane.
pub const NAMESPACE: &str = "default";

/// What the ConfigMaps of samples say.
pub const UNTOUCHED: &str = "info";

/// The kind that carries a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A Release, for Outhaul.
    Release,
    /// The relay's own kind.
    Relayed,
}

impl Carrier {
    /// The relay, then ours: whoever measures both in turns begins with the floor.
    pub const TURNS: [Self; 2] = [Self::Relayed, Self::Release];

    /// Each goes first every other time: what one puts off until after its sample then falls on both alike.
    pub fn turns(index: usize) -> [Self; 2] {
        let mut turns = Self::TURNS;
        turns.rotate_left(index % 2);
        turns
    }

    /// A word for names of samples.
    pub fn word(self) -> &'static str {
        match self {
            Self::Release => "ours",
            Self::Relayed => "relayed",
        }
    }

    /// The resources of this kind.
    pub fn api(self, control: &Client) -> Api<DynamicObject> {
        Api::namespaced_with(control.clone(), NAMESPACE, &self.resource())
    }

    /// Creates a sample named `name` that goes to the plane of `environment`.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn create(
        self,
        control: &Client,
        name: &str,
        environment: &str,
        resources: &[Value],
    ) -> Result<()> {
        let sample = self.sample(name, environment, resources);
        let created = self.api(control).create(&PostParams::default(), &sample).await;
        created.with_context(|| format!("create {name}"))?;
        Ok(())
    }

    fn sample(self, name: &str, environment: &str, resources: &[Value]) -> DynamicObject {
        DynamicObject::new(name, &self.resource()).data(json!({
            "spec": {
                "owner": { "projectName": PROJECT, "componentName": COMPONENT },
                "environmentName": environment,
                "resources": resources,
            },
        }))
    }

    fn resource(self) -> ApiResource {
        match self {
            Self::Release => {
                ApiResource::from_gvk(&GroupVersionKind::gvk("openchoreo.dev", "v1alpha1", "Release"))
            }
            Self::Relayed => {
                let kind = GroupVersionKind::gvk("relay.example", "v1", "Relayed");
                ApiResource::from_gvk_with_plural(&kind, "relayed")
            }
        }
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

/// The kinds of a component's objects, in the namespace `target` of a plane.
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
    let desired = sample.data["spec"]["resources"].as_array().map_or(0, Vec::len);
    let resources = sample.data["status"]["resources"].as_array();
    resources.is_some_and(|resources| resources.len() == desired && resources.iter().all(known))
}

/// Server-side apply of a namespaced object.
///
/// # Errors
/// The manifest is none, or the API server refuses it.
pub async fn apply(client: &Client, manifest: &Value, manager: &str) -> Result<DynamicObject> {
    let object: DynamicObject = serde_json::from_value(manifest.clone())?;
    let types = object.types.as_ref().context("the object has no kind")?;
    let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types)?);
    let namespace = object.namespace().context("the object has no namespace")?;
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource);
    let params = PatchParams::apply(manager).force();
    Ok(api
        .patch(&object.name_any(), &params, &Patch::Apply(&object))
        .await?)
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

/// A small component: a ConfigMap, a Service and a Deployment named `name` in the namespace `target`.
pub fn component(name: &str, target: &str) -> [Value; OBJECTS] {
    let metadata = json!({ "name": name, "namespace": target });
    let labels = json!({ "app": name });
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
    [
        json!({ "id": "config", "object": config_map(name, target) }),
        json!({ "id": "service", "object": service }),
        json!({ "id": "deployment", "object": deployment }),
    ]
}

/// `count` ConfigMaps named `name`-0 and so on.
pub fn config_maps(name: &str, target: &str, count: usize) -> Vec<Value> {
    let entry = |index| {
        let name = format!("{name}-{index}");
        json!({ "id": name, "object": config_map(&name, target) })
    };
    (0..count).map(entry).collect()
}

/// The manifests of such entries.
pub fn manifests(entries: Vec<Value>) -> impl Iterator<Item = Value> {
    entries.into_iter().map(|mut entry| entry["object"].take())
}

/// The object as the agent would apply it: what it belongs to is told by labels, which are most of so small an object, and
/// of what an API server has to do for it. Those here are as many and as long, and mean nothing to the agent.
pub fn tracked(mut manifest: Value) -> Value {
    let name = manifest["metadata"]["name"].clone();
    let labels = [
        ("managed-by", "release-controller".into()),
        ("release-resource-id", name.clone()),
        ("release-uid", "0b6a5cd3-6d6b-4f0e-9e0a-1f6a3b8f9c01".into()),
        ("release-name", name),
        ("release-namespace", "default".into()),
    ];
    for (label, value) in labels {
        manifest["metadata"]["labels"][format!("openchoreo.bench/{label}")] = value;
    }
    manifest
}

fn config_map(name: &str, target: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": target },
        "data": { "LOG_LEVEL": UNTOUCHED },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_status(health: &[&str]) -> DynamicObject {
        let mut sample = Carrier::Release.sample("a", "plane", &component("a", "bench"));
        let entry = |health: &&str| json!({ "healthStatus": health });
        sample.data["status"] = json!({ "resources": health.iter().map(entry).collect::<Vec<_>>() });
        sample
    }

    #[test]
    fn a_status_tells_of_all_objects_or_it_does_not_count() {
        assert!(has_status(&with_status(&["Healthy", "Healthy", "Progressing"])));
        assert!(!has_status(&with_status(&["Healthy", "Healthy"])));
        assert!(!has_status(&with_status(&["Healthy", "Healthy", "Unknown"])));
    }

    #[test]
    fn both_carriers_have_the_same_spec() {
        let spec = |carrier: Carrier| {
            let resources = config_maps("a", "bench", 2);
            carrier.sample("a", "plane", &resources).data["spec"].clone()
        };
        assert_eq!(spec(Carrier::Release), spec(Carrier::Relayed));
    }
}
