//! Every object that is known, by kind and name.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::digest::Digest;

use super::{Id, Kind, Object, Sight, Watched};

/// Objects, as they were last told.
#[derive(Debug, Default)]
pub(super) struct Stores {
    entries: BTreeMap<Id, Sight>,
    /// What the lists under way have named so far.
    lists: BTreeMap<Kind, BTreeSet<Id>>,
    /// What was told before the list of its kind began that is under way: versions may have gone back since.
    older: BTreeSet<Id>,
}

/// An object that is there and cannot be read: why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable<'a>(pub(super) &'a str);

impl Stores {
    /// An object was told. Returns what was known before, where the object is news; older news than what is known
    /// changes nothing.
    pub(super) fn put(&mut self, sight: Sight) -> Option<Option<Sight>> {
        let known = self.entries.get(&sight.id);
        if !self.older.remove(&sight.id)
            && known.is_some_and(|known| known.uid == sight.uid && known.version >= sight.version)
        {
            return None;
        }
        Some(self.entries.insert(sight.id.clone(), sight))
    }

    /// An object is gone. An answer about one that was made again since changes nothing.
    pub(super) fn remove(&mut self, id: &Id, uid: &str) -> Option<Sight> {
        self.entries.get(id).filter(|known| known.uid == uid)?;
        self.older.remove(id);
        self.entries.remove(id)
    }

    /// A list of this kind begins. Versions may have gone back: a restored control plane counts again.
    pub(super) fn begin(&mut self, kind: Kind) {
        self.lists.insert(kind, BTreeSet::new());
        let of_kind = self.entries.keys().filter(|id| id.kind == kind);
        self.older.extend(of_kind.cloned());
    }

    /// The list under way names this object.
    pub(super) fn listed(&mut self, id: &Id) {
        if let Some(list) = self.lists.get_mut(&id.kind) {
            list.insert(id.clone());
        }
    }

    /// A list is complete. Returns what it did not name: that is gone.
    pub(super) fn end(&mut self, kind: Kind) -> Vec<Sight> {
        let named = self.lists.remove(&kind).unwrap_or_default();
        self.older.retain(|id| id.kind != kind);
        let is_gone = |id: &Id| id.kind == kind && !named.contains(id);
        let gone: Vec<Id> = self.entries.keys().filter(|id| is_gone(id)).cloned().collect();
        gone.iter().filter_map(|id| self.entries.remove(id)).collect()
    }

    /// The object of this type and name, if there is one.
    pub(super) fn get<K: Watched>(&self, namespace: &str, name: &str) -> Option<Result<&K, Unreadable<'_>>> {
        let id = Id {
            kind: K::KIND,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let sight = self.entries.get(&id)?;
        match &sight.object {
            Ok(object) => K::of(object).map(Ok),
            Err(unread) => Some(Err(Unreadable(&unread.why))),
        }
    }

    /// What is known under this name.
    pub(super) fn sight(&self, id: &Id) -> Option<&Sight> {
        self.entries.get(id)
    }

    /// What an object says, where it can be read.
    pub(super) fn object(&self, id: &Id) -> Option<&Object> {
        self.entries.get(id)?.object.as_ref().ok()
    }

    /// The generation of an object.
    pub(super) fn generation(&self, id: &Id) -> Option<u64> {
        let generation = match &self.entries.get(id)?.object {
            Ok(object) => object.metadata().generation,
            Err(unread) => unread.generation,
        };
        u64::try_from(generation?).ok()
    }

    /// Digest of the spec of a Release.
    pub(super) fn digest(&self, release: &Id) -> Option<Digest> {
        self.entries.get(release)?.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::Unread;

    fn sight(uid: &str, version: u64) -> Sight {
        Sight {
            id: id(),
            uid: uid.to_owned(),
            version,
            object: Err(Unread {
                why: format!("as of {version}"),
                generation: None,
                owners: Vec::new(),
                is_going: false,
                conditions: Vec::new(),
                observed_generation: None,
            }),
            digest: None,
        }
    }

    fn id() -> Id {
        Id {
            kind: Kind::Service,
            namespace: "acme".into(),
            name: "cart".into(),
        }
    }

    fn known(stores: &Stores) -> Option<u64> {
        stores.sight(&id()).map(|sight| sight.version)
    }

    #[test]
    fn a_late_word_undoes_nothing() {
        let mut stores = Stores::default();
        assert!(stores.put(sight("one", 7)).is_some());
        assert!(stores.put(sight("one", 6)).is_none());
        assert!(stores.put(sight("one", 7)).is_none());
        assert!(stores.remove(&id(), "another").is_none());
        assert_eq!(known(&stores), Some(7));
        // Made again under the same name, on a control plane that counts by kind.
        assert!(stores.put(sight("two", 3)).is_some());
        assert!(stores.remove(&id(), "one").is_none());
        assert_eq!(known(&stores), Some(3));
    }

    #[test]
    fn a_list_says_what_is_gone_and_what_was_restored() {
        let mut stores = Stores::default();
        stores.put(sight("one", 7));
        stores.begin(Kind::Service);
        assert_eq!(
            known(&stores),
            Some(7),
            "what is written meanwhile is written over this"
        );
        stores.listed(&id());
        assert!(stores.put(sight("one", 2)).is_some());
        assert!(stores.end(Kind::Service).is_empty());
        assert_eq!(known(&stores), Some(2));
        stores.begin(Kind::Workload);
        assert!(stores.end(Kind::Workload).is_empty());
        stores.begin(Kind::Service);
        assert_eq!(stores.end(Kind::Service).len(), 1);
        assert_eq!(known(&stores), None);
    }
}
