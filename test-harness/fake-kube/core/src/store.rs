//! All objects of a cluster, the resourceVersion that counts their changes, and the recent past for watches.
//!
//! Everything above decides what an object becomes; the store only keeps, counts and remembers. Each write takes the
//! next resourceVersion, is recorded as an event of its kind, and keeps two indexes true: by uid and by owner. A write
//! makes all that may go wrong before it touches anything; what follows only moves it in, and cannot panic.

mod history;
mod index;
mod past;

pub use history::{Event, EventKind};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;

use crate::kind::GroupResource;
use crate::meta;
use crate::object::Object;
use history::History;
use index::OwnerIndex;
pub(crate) use past::Present;

/// Namespace (empty for cluster-scoped objects) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// The key of an object.
    pub fn of(object: &Value) -> Self {
        Self {
            namespace: meta::namespace(object).to_owned(),
            name: meta::name(object).to_owned(),
        }
    }

    /// The key with these parts.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// One object of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Of which kind.
    pub resource: GroupResource,
    /// Which object.
    pub key: Key,
}

/// The objects.
#[derive(Debug, Clone, Default)]
pub struct Store {
    version: u64,
    shelves: BTreeMap<GroupResource, Shelf>,
    owners: OwnerIndex,
    changed: BTreeSet<GroupResource>,
}

#[derive(Debug, Clone, Default)]
struct Shelf {
    objects: BTreeMap<Key, Arc<Object>>,
    history: History,
    writes: u64,
}

impl Store {
    /// The resourceVersion of the last write.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How often objects of a kind were written or removed.
    pub fn writes(&self, resource: &GroupResource) -> u64 {
        self.shelves.get(resource).map_or(0, |shelf| shelf.writes)
    }

    /// One object.
    pub fn get(&self, resource: &GroupResource, key: &Key) -> Option<&Arc<Object>> {
        self.shelves.get(resource)?.objects.get(key)
    }

    /// Objects of a kind in order of namespace and name, of one namespace or of all.
    pub fn list<'a>(
        &'a self,
        resource: &GroupResource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Object>)> {
        let start = Bound::Included(Key::new(namespace.unwrap_or_default(), ""));
        self.range(resource, start, namespace)
    }

    /// As [`Store::list`], from behind a key on.
    pub fn list_after<'a>(
        &'a self,
        resource: &GroupResource,
        after: &Key,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Object>)> {
        self.range(resource, Bound::Excluded(after.clone()), namespace)
    }

    fn range<'a>(
        &'a self,
        resource: &GroupResource,
        start: Bound<Key>,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Object>)> {
        self.shelves
            .get(resource)
            .into_iter()
            .flat_map(move |shelf| shelf.objects.range((start.clone(), Bound::Unbounded)))
            .take_while(move |(key, _)| namespace.is_none_or(|n| n == key.namespace))
    }

    /// How many objects of a kind there are.
    pub fn count(&self, resource: &GroupResource) -> usize {
        self.shelves.get(resource).map_or(0, |shelf| shelf.objects.len())
    }

    /// The kinds that have objects.
    pub fn resources(&self) -> impl Iterator<Item = &GroupResource> {
        self.shelves
            .iter()
            .filter(|(_, shelf)| !shelf.objects.is_empty())
            .map(|(resource, _)| resource)
    }

    /// The object as it will be when it is the next to be stored.
    pub fn candidate(&self, value: Value) -> Object {
        Object::new(value, self.version + 1)
    }

    /// Stores an object, new or changed, at the next version.
    pub fn put(&mut self, resource: &GroupResource, value: Value) -> Arc<Object> {
        self.put_candidate(resource, self.candidate(value))
    }

    /// Stores a candidate, which nothing may have overtaken.
    pub fn put_candidate(&mut self, resource: &GroupResource, candidate: Object) -> Arc<Object> {
        debug_assert_eq!(candidate.version(), self.version + 1);
        let object = Arc::new(candidate);
        let address = Address {
            resource: resource.clone(),
            key: Key::of(object.value()),
        };
        self.version = object.version();
        let shelf = shelf(&mut self.shelves, resource);
        let previous = shelf.objects.insert(address.key.clone(), object.clone());
        match &previous {
            Some(previous) => self.owners.replace(&address, previous.value(), object.value()),
            None => self.owners.insert(&address, object.value()),
        }
        shelf.history.push(Event::put(object.clone(), previous));
        shelf.writes += 1;
        self.note(resource);
        object
    }

    /// Removes an object and returns its last state, which carries the version of the removal.
    pub fn remove(&mut self, resource: &GroupResource, key: &Key) -> Option<Arc<Object>> {
        let shelf = self.shelves.get_mut(resource)?;
        let previous = shelf.objects.get(key)?.clone();
        let last = Arc::new(Object::new(previous.value().clone(), self.version + 1));
        let address = Address {
            resource: resource.clone(),
            key: key.clone(),
        };
        self.version = last.version();
        shelf.objects.remove(key);
        shelf.history.push(Event::removal(last.clone(), previous));
        shelf.writes += 1;
        self.owners.remove(&address, last.value());
        self.owners.orphan_dependents(meta::uid(last.value()));
        self.note(resource);
        Some(last)
    }

    /// Events of a kind after `version`, oldest first.
    ///
    /// # Errors
    /// With the oldest version that the history can start from, when `version` is before it.
    pub fn events_after(
        &self,
        resource: &GroupResource,
        version: u64,
    ) -> Result<impl Iterator<Item = &Event>, u64> {
        let history = self.shelves.get(resource).map(|shelf| &shelf.history);
        match history {
            Some(history) if version < history.floor() => Err(history.floor()),
            _ => Ok(history
                .into_iter()
                .flat_map(move |history| history.after(version))),
        }
    }

    /// The oldest version from which the events of a kind are known.
    pub fn floor(&self, resource: &GroupResource) -> u64 {
        self.shelves
            .get(resource)
            .map_or(0, |shelf| shelf.history.floor())
    }

    /// Forgets the past of a kind, so that watches must start anew.
    pub fn forget_history(&mut self, resource: &GroupResource) {
        let version = self.version;
        if let Some(shelf) = self.shelves.get_mut(resource) {
            shelf.history.forget(version);
        }
        self.note(resource);
    }

    /// Kinds written since the last call: whose watches have something to read.
    pub fn take_changed(&mut self) -> BTreeSet<GroupResource> {
        std::mem::take(&mut self.changed)
    }

    /// Objects that refer to owners, and owners' fates, as garbage collection needs them.
    pub fn owners(&self) -> &OwnerIndex {
        &self.owners
    }

    /// Marks an object as one that housekeeping should look at.
    pub fn suspect(&mut self, resource: &GroupResource, key: Key) {
        self.owners.suspect(Address {
            resource: resource.clone(),
            key,
        });
    }

    /// One object that housekeeping should look at.
    pub fn take_suspect(&mut self) -> Option<Address> {
        self.owners.take_suspect()
    }

    fn note(&mut self, resource: &GroupResource) {
        if !self.changed.contains(resource) {
            self.changed.insert(resource.clone());
        }
    }
}

/// The shelf of a kind; without cloning its name when it is there.
fn shelf<'a>(shelves: &'a mut BTreeMap<GroupResource, Shelf>, resource: &GroupResource) -> &'a mut Shelf {
    if !shelves.contains_key(resource) {
        shelves.insert(resource.clone(), Shelf::default());
    }
    shelves.get_mut(resource).expect("inserted above")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(namespace: &str, name: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": namespace, "uid": format!("{namespace}-{name}")}})
    }

    #[test]
    fn writes_and_removals_are_counted_by_kind() {
        let [pods, leases] = ["pods", "leases"].map(|kind| GroupResource::new("", kind));
        let mut store = Store::default();
        store.put(&pods, object("a", "x"));
        store.put(&leases, object("a", "x"));
        store.put(&leases, object("a", "x"));
        store.remove(&leases, &Key::new("a", "x"));
        assert_eq!([&pods, &leases].map(|kind| store.writes(kind)), [1, 3]);
        assert_eq!(store.version(), 4);
    }

    #[test]
    fn lists_are_ordered_and_stop_at_the_namespace() {
        let pods = GroupResource::new("", "pods");
        let mut store = Store::default();
        for (namespace, name) in [("b", "x"), ("a", "y"), ("a", "x"), ("c", "z")] {
            store.put(&pods, object(namespace, name));
        }
        let names = |namespace| {
            store
                .list(&pods, namespace)
                .map(|(k, _)| format!("{}/{}", k.namespace, k.name))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(Some("a")), ["a/x", "a/y"]);
        assert_eq!(names(None), ["a/x", "a/y", "b/x", "c/z"]);
        let after: Vec<_> = store
            .list_after(&pods, &Key::new("a", "y"), None)
            .map(|(k, _)| &*k.name)
            .collect();
        assert_eq!(after, ["x", "z"]);
    }

    #[test]
    fn removal_has_a_version_of_its_own_and_is_remembered() {
        let pods = GroupResource::new("", "pods");
        let mut store = Store::default();
        store.put(&pods, object("a", "x"));
        let last = store.remove(&pods, &Key::new("a", "x")).unwrap();
        assert_eq!(last.version(), 2);
        let events: Vec<_> = store
            .events_after(&pods, 0)
            .ok()
            .unwrap()
            .map(|e| e.kind)
            .collect();
        assert_eq!(events, [EventKind::Added, EventKind::Deleted]);
        assert_eq!(store.take_changed().len(), 1);
    }

    #[test]
    fn an_owner_that_is_gone_stays_so_for_a_dependent_that_changes() {
        let config_maps = GroupResource::new("", "configmaps");
        let mut store = Store::default();
        store.put(&config_maps, object("a", "owner"));
        let mut dependent = object("a", "dependent");
        dependent["metadata"]["ownerReferences"] = json!([{"uid": "a-owner"}]);
        store.put(&config_maps, dependent.clone());
        store.remove(&config_maps, &Key::new("a", "owner"));
        assert!(store.owners().is_gone("a-owner"));
        store.put(&config_maps, dependent);
        assert!(store.owners().is_gone("a-owner"));
    }
}
