//! Which keys must be looked at when something changes: each key says what it depends on.

use std::collections::{BTreeMap, BTreeSet};

use super::Id;

/// Something that a key depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dependency {
    /// An object, whether it exists or not.
    Object(Id),
    /// Where the endpoints of a component are reached: of any binding of it in this namespace.
    Component {
        /// Namespace of its bindings.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// What every key depends on, both ways round.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_key: BTreeMap<Id, BTreeSet<Dependency>>,
    by_dependency: BTreeMap<Dependency, BTreeSet<Id>>,
}

impl Index {
    /// Replaces what a key depends on. With nothing it is forgotten.
    pub(super) fn set(&mut self, key: &Id, dependencies: BTreeSet<Dependency>) {
        let former = match dependencies.is_empty() {
            true => self.by_key.remove(key),
            false => self.by_key.insert(key.clone(), dependencies.clone()),
        };
        for gone in former.unwrap_or_default().difference(&dependencies) {
            if let Some(keys) = self.by_dependency.get_mut(gone) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_dependency.remove(gone);
                }
            }
        }
        for dependency in dependencies {
            self.by_dependency
                .entry(dependency)
                .or_default()
                .insert(key.clone());
        }
    }

    /// The keys that depend on it.
    pub(super) fn dependents(&self, dependency: &Dependency) -> impl Iterator<Item = &Id> {
        self.by_dependency.get(dependency).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::Kind;

    fn id(kind: Kind, name: &str) -> Id {
        Id {
            kind,
            namespace: "acme".into(),
            name: name.into(),
        }
    }

    #[test]
    fn a_key_is_found_by_what_it_depends_on_now() {
        let mut index = Index::default();
        let key = id(Kind::Service, "cart");
        let on = |name| Dependency::Object(id(Kind::Workload, name));
        let found = |index: &Index, name| index.dependents(&on(name)).cloned().collect::<Vec<_>>();
        index.set(&key, BTreeSet::from([on("one"), on("two")]));
        index.set(&key, BTreeSet::from([on("two"), on("three")]));
        assert!(found(&index, "one").is_empty());
        assert_eq!(found(&index, "two"), std::slice::from_ref(&key));
        assert_eq!(found(&index, "three"), std::slice::from_ref(&key));
        index.set(&key, BTreeSet::new());
        assert!(found(&index, "two").is_empty());
        assert!(index.by_key.is_empty() && index.by_dependency.is_empty());
    }
}
