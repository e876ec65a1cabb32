//! The kinds that a cluster serves: the built-in ones, and those that CustomResourceDefinitions add and remove.

mod builtin;
mod custom;

pub use custom::{CrdError, accept_names, kind_of_crd};

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::kind::{GroupResource, Kind, Served};
use crate::request::Target;

type Kinds = BTreeMap<GroupResource, Arc<Kind>>;

/// Shared by all clusters of a process; a cluster copies it when its first CRD comes.
static BUILTIN: LazyLock<Arc<Kinds>> = LazyLock::new(|| {
    Arc::new(
        builtin::kinds()
            .map(|kind| (kind.id.clone(), Arc::new(kind)))
            .collect(),
    )
});

/// The served kinds.
#[derive(Debug, Clone)]
pub struct Registry {
    kinds: Arc<Kinds>,
    revision: u64,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            kinds: BUILTIN.clone(),
            revision: 0,
        }
    }
}

impl Registry {
    /// The kind and version that a path names, if served.
    pub fn resolve(&self, target: &Target) -> Option<Served> {
        self.get(&GroupResource::new(&target.group, &target.resource))?
            .served(&target.version)
    }

    /// The kind of a resource.
    pub fn get(&self, resource: &GroupResource) -> Option<&Arc<Kind>> {
        self.kinds.get(resource)
    }

    /// The kind of an object, by group and kind name.
    pub fn by_name(&self, group: &str, name: &str) -> Option<&Arc<Kind>> {
        self.kinds.values().find(|kind| kind.is(group, name))
    }

    /// All kinds, ordered by group and resource.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }

    /// Counts changes, so that documents about the kinds can be kept until they change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Serves a kind from now on, or in a new shape.
    pub fn add(&mut self, kind: Kind) {
        self.revision += 1;
        Arc::make_mut(&mut self.kinds).insert(kind.id.clone(), Arc::new(kind));
    }

    /// Serves a kind no more.
    pub fn remove(&mut self, resource: &GroupResource) {
        self.revision += 1;
        Arc::make_mut(&mut self.kinds).remove(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_kinds_are_found_by_path_and_by_name() {
        let registry = Registry::default();
        let target = Target {
            group: "apps".into(),
            version: "v1".into(),
            resource: "deployments".into(),
            ..Target::default()
        };
        assert_eq!(&*registry.resolve(&target).unwrap().kind.name, "Deployment");
        assert!(
            registry
                .resolve(&Target {
                    version: "v1beta1".into(),
                    ..target
                })
                .is_none()
        );
        assert_eq!(&*registry.by_name("batch", "Job").unwrap().id.resource, "jobs");
    }

    /// Kinds whose objects are kept as they come, since nothing here acts on them.
    const WITHOUT_SCHEMA: [&str; 3] = [
        "admissionregistration.k8s.io",
        "apiregistration.k8s.io",
        "certificates.k8s.io",
    ];

    #[test]
    fn every_built_in_kind_has_a_schema() {
        let builtins = crate::schema::Builtins::load();
        let registry = Registry::default();
        let missing: Vec<String> = registry
            .kinds()
            .filter(|kind| !WITHOUT_SCHEMA.contains(&&*kind.id.group))
            .flat_map(|kind| kind.versions.iter().map(move |version| (kind, version)))
            .filter(|(kind, version)| {
                builtins
                    .schema(&kind.id.group, &version.name, &kind.name)
                    .is_none()
            })
            .map(|(kind, version)| format!("{} {}", kind.id, version.name))
            .collect();
        assert_eq!(missing, Vec::<String>::new());
    }
}
