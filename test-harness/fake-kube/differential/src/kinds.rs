//! The kinds that sequences are about: what releases carry, the hub's own, and some with every shape there is.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use outhaul_fake_kube_core::kind::Kind;
use outhaul_fake_kube_core::registry::{Registry, kind_of_crd};
use serde::Deserialize as _;
use serde_json::Value;

/// Group and kind of the built-in ones.
const BUILT_IN: &[(&str, &str)] = &[
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
    ("", "Pod"),
    ("", "Service"),
    ("", "ConfigMap"),
    ("", "Secret"),
    ("", "ServiceAccount"),
    ("", "PersistentVolumeClaim"),
    ("", "Namespace"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("networking.k8s.io", "Ingress"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("policy", "PodDisruptionBudget"),
    ("coordination.k8s.io", "Lease"),
];

/// The definitions of the others: ours, and the hub's as its chart has them.
const DEFINITIONS: &[&str] = &[
    include_str!("../definitions/shapes.yaml"),
    include_str!("../../../../charts/outhaul-hub/crds/openchoreo.dev_buildplanes.yaml"),
    include_str!("../../../../charts/outhaul-hub/crds/openchoreo.dev_dataplanes.yaml"),
    include_str!("../../../../charts/outhaul-hub/crds/openchoreo.dev_environments.yaml"),
    include_str!("../../../../charts/outhaul-hub/crds/openchoreo.dev_releases.yaml"),
    include_str!("../../../../charts/outhaul-hub/crds/outhaul.dev_bundles.yaml"),
    include_str!("../../../../charts/outhaul-hub/crds/outhaul.dev_planes.yaml"),
];

/// All kinds, and the definitions that some of them need.
#[derive(Debug)]
pub struct Kinds {
    /// Each equally likely, but that `Shape` is there as often as all the hub's together.
    pub all: Vec<Arc<Kind>>,
    /// CustomResourceDefinitions.
    pub definitions: Vec<Value>,
}

impl Kinds {
    /// All of them, or those with this name.
    ///
    /// # Errors
    /// When no kind has that name.
    pub fn load(only: Option<&str>) -> Result<Self> {
        let registry = Registry::default();
        let mut all: Vec<Arc<Kind>> = Vec::new();
        for (group, name) in BUILT_IN {
            let kind = registry.by_name(group, name);
            all.push(kind.context("a kind of the table is built in")?.clone());
        }
        let definitions = definitions()?;
        for definition in &definitions {
            all.push(Arc::new(kind_of_crd(definition)?));
        }
        let shape = all.iter().find(|kind| &*kind.name == "Shape").cloned();
        all.extend(shape.into_iter().flat_map(|kind| vec![kind; 5]));
        if let Some(only) = only {
            all.retain(|kind| &*kind.name == only);
            anyhow::ensure!(!all.is_empty(), "no kind is called {only:?}");
        }
        Ok(Self { all, definitions })
    }

    /// How the paths of custom resources begin.
    pub fn groups(&self) -> Vec<String> {
        let groups = self
            .definitions
            .iter()
            .filter_map(|definition| definition["spec"]["group"].as_str());
        groups.map(|group| format!("/apis/{group}/")).collect()
    }
}

fn definitions() -> Result<Vec<Value>> {
    let documents = DEFINITIONS
        .iter()
        .flat_map(|text| serde_yaml_ng::Deserializer::from_str(text));
    documents
        .map(|document| Ok(Value::deserialize(document)?))
        .filter(|document| !matches!(document, Ok(Value::Null)))
        .collect()
}

/// The path of the collection, without the server.
pub fn collection(kind: &Kind) -> String {
    let version = &kind.versions[0].name;
    let root = match &*kind.id.group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    };
    let resource = &kind.id.resource;
    if kind.is_namespaced() {
        format!("{root}/namespaces/$NS/{resource}")
    } else {
        format!("{root}/{resource}")
    }
}

/// `group/version`.
pub fn api_version(kind: &Kind) -> String {
    outhaul_fake_kube_core::meta::join_api_version(&kind.id.group, &kind.versions[0].name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_know_their_paths() {
        let paths = |only| collection(&Kinds::load(Some(only)).unwrap().all[0]);
        assert_eq!(paths("ConfigMap"), "/api/v1/namespaces/$NS/configmaps");
        assert_eq!(paths("Plane"), "/apis/outhaul.dev/v1alpha1/planes");
        assert!(Kinds::load(Some("Nothing")).is_err());
    }
}
