//! The kinds that sequences are about: what releases carry, the hub's own, and some with every shape there is.

use std::path::{Path, PathBuf};
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

/// A kind with every shape there is.
const SHAPES: &str = include_str!("../definitions/shapes.yaml");

/// How often each built-in kind comes, and the kind of every shape, for one time that each of the hub's does.
const BUILT_IN_WEIGHT: usize = 3;
const SHAPE_WEIGHT: usize = 15;

/// All kinds, and the definitions that some of them need.
#[derive(Debug)]
pub struct Kinds {
    /// Each as often as it weighs.
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
            let kind = kind.context("a kind of the table is built in")?.clone();
            all.extend(std::iter::repeat_n(kind, BUILT_IN_WEIGHT));
        }
        let definitions = definitions()?;
        for definition in &definitions {
            let kind = Arc::new(kind_of_crd(definition)?);
            let weight = if &*kind.name == "Shape" { SHAPE_WEIGHT } else { 1 };
            all.extend(std::iter::repeat_n(kind, weight));
        }
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

/// All of the hub's, as its chart has them, and ours.
fn definitions() -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../charts/outhaul-hub/crds");
    let files = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = files
        .map(|file| Ok(file?.path()))
        .collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    let mut definitions = documents(SHAPES)?;
    for path in paths {
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        definitions.extend(documents(&text)?);
    }
    Ok(definitions)
}

fn documents(text: &str) -> Result<Vec<Value>> {
    serde_yaml_ng::Deserializer::from_str(text)
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
        assert_eq!(
            paths("Component"),
            "/apis/openchoreo.dev/v1alpha1/namespaces/$NS/components"
        );
        assert!(Kinds::load(Some("Nothing")).is_err());
    }
}
