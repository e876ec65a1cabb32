//! A kind as it was some writes ago, for as long as one read takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{EventKind, Key, Shelf, Store};
use crate::kind::GroupResource;
use crate::object::Object;

/// The present of a kind, put aside while its past is shown: of what has changed since only, as a page of a long list
/// must not cost as much as the list.
#[derive(Debug)]
pub(crate) struct Present {
    resource: GroupResource,
    changed: BTreeMap<Key, Option<Arc<Object>>>,
    version: u64,
}

impl Store {
    /// Shows a kind as it was at `version`, or as far back as its history reaches. Nothing may be written, and nobody
    /// else may look, until [`Store::come_back`]; none if there is no other past than the present.
    pub(crate) fn go_back(&mut self, resource: &GroupResource, version: u64) -> Option<Present> {
        let version = version.max(self.floor(resource));
        if version >= self.version {
            return None;
        }
        let Shelf { objects, history, .. } = self.shelves.get_mut(resource)?;
        let mut changed = BTreeMap::new();
        let events: Vec<_> = history.after(version).collect();
        for event in events.into_iter().rev() {
            let key = Key::of(event.object.value());
            let after = match (event.kind, &event.previous) {
                (EventKind::Added, _) | (_, None) => objects.remove(&key),
                (EventKind::Modified | EventKind::Deleted, Some(previous)) => {
                    objects.insert(key.clone(), previous.clone())
                }
            };
            // The last change of an object is met first: what it left is the present.
            changed.entry(key).or_insert(after);
        }
        Some(Present {
            resource: resource.clone(),
            changed,
            version: std::mem::replace(&mut self.version, version),
        })
    }

    /// Shows the present again.
    pub(crate) fn come_back(&mut self, present: Present) {
        self.version = present.version;
        if let Some(shelf) = self.shelves.get_mut(&present.resource) {
            for (key, object) in present.changed {
                match object {
                    Some(object) => shelf.objects.insert(key, object),
                    None => shelf.objects.remove(&key),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_past_is_as_it_was_and_the_present_comes_back() {
        let maps = GroupResource::new("", "configmaps");
        let mut store = Store::default();
        let object = |name: &str, n: u32| json!({"metadata": {"name": name, "namespace": "a"}, "n": n});
        store.put(&maps, object("kept", 1));
        store.put(&maps, object("gone", 1));
        store.put(&maps, object("kept", 2));
        store.remove(&maps, &Key::new("a", "gone"));
        store.put(&maps, object("new", 1));
        let shown = |store: &Store| {
            let all = store.list(&maps, None);
            all.map(|(key, object)| format!("{}={}", key.name, object.value()["n"]))
                .collect::<Vec<_>>()
        };
        let present = store.go_back(&maps, 2).unwrap();
        assert_eq!(
            (shown(&store), store.version()),
            (vec!["gone=1".to_owned(), "kept=1".to_owned()], 2)
        );
        store.come_back(present);
        assert_eq!(
            (shown(&store), store.version()),
            (vec!["kept=2".to_owned(), "new=1".to_owned()], 5)
        );
        assert!(store.go_back(&maps, 5).is_none());
    }
}
