//! Who exists and who owns whom, by uid: what garbage collection reads instead of walking all objects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Address;
use crate::meta;

/// Both directions of ownership, and the objects that have to be looked at.
#[derive(Debug, Clone, Default)]
pub struct OwnerIndex {
    by_uid: BTreeMap<String, Address>,
    dependents: BTreeMap<String, Dependents>,
    suspects: BTreeSet<Address>,
}

/// What refers to one owner.
#[derive(Debug, Clone, Default)]
struct Dependents {
    all: BTreeSet<Address>,
    /// The owner was there, and is no more.
    is_orphaned: bool,
}

impl OwnerIndex {
    /// Where the object with this uid is.
    pub fn find(&self, uid: &str) -> Option<&Address> {
        self.by_uid.get(uid)
    }

    /// Objects that name this uid as an owner.
    pub fn dependents(&self, uid: &str) -> impl Iterator<Item = &Address> {
        self.dependents
            .get(uid)
            .into_iter()
            .flat_map(|dependents| &dependents.all)
    }

    /// Whether an owner was seen to go that something still refers to.
    pub fn is_gone(&self, uid: &str) -> bool {
        self.dependents
            .get(uid)
            .is_some_and(|dependents| dependents.is_orphaned)
    }

    pub(super) fn insert(&mut self, address: &Address, object: &Value) {
        let uid = meta::uid(object);
        if !uid.is_empty() {
            self.by_uid.insert(uid.to_owned(), address.clone());
        }
        let mut owned = false;
        for owner in meta::owners(object) {
            self.dependents
                .entry(owner.uid.to_owned())
                .or_default()
                .all
                .insert(address.clone());
            owned = true;
        }
        if owned || meta::is_terminating(object) {
            self.suspects.insert(address.clone());
        }
    }

    pub(super) fn remove(&mut self, address: &Address, object: &Value) {
        self.by_uid.remove(meta::uid(object));
        for owner in meta::owners(object) {
            if let Some(dependents) = self.dependents.get_mut(owner.uid) {
                dependents.all.remove(address);
                if dependents.all.is_empty() {
                    self.dependents.remove(owner.uid);
                }
            }
            // An owner in foreground deletion may have waited for this one.
            if let Some(owner) = self.by_uid.get(owner.uid) {
                self.suspects.insert(owner.clone());
            }
        }
    }

    /// An object changed. An owner that is gone and that it still refers to stays known to be gone.
    pub(super) fn replace(&mut self, address: &Address, before: &Value, after: &Value) {
        let gone: Vec<&str> = meta::owners(before)
            .map(|owner| owner.uid)
            .filter(|uid| self.is_gone(uid))
            .collect();
        self.remove(address, before);
        self.insert(address, after);
        for uid in gone {
            if let Some(dependents) = self.dependents.get_mut(uid) {
                dependents.is_orphaned = true;
            }
        }
    }

    /// An owner is gone: whatever refers to it has to be looked at.
    pub(super) fn orphan_dependents(&mut self, uid: &str) {
        if let Some(dependents) = self.dependents.get_mut(uid) {
            dependents.is_orphaned = true;
            self.suspects.extend(dependents.all.iter().cloned());
        }
    }

    pub(super) fn suspect(&mut self, address: Address) {
        self.suspects.insert(address);
    }

    pub(super) fn take_suspect(&mut self) -> Option<Address> {
        self.suspects.pop_first()
    }
}
