//! Garbage collection by owner references: background, foreground, orphan.

use std::sync::Arc;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::kind::{Kind, Served};
use crate::meta::{self, Owner};
use crate::moment::Moment;
use crate::object::Object;
use crate::request::{DeleteOptions, Propagation};
use crate::store::{Address, Key};
use crate::verbs::{FOREGROUND, ORPHAN, says_propagation};

impl Cluster {
    /// Looks at one object: are its owners gone, and what do its own dependents have to do?
    pub(super) fn collect(&mut self, kind: &Arc<Kind>, object: &Arc<Object>, moment: &Moment) {
        if meta::is_terminating(object.value()) {
            if meta::has_finalizer(object.value(), ORPHAN) {
                self.orphan_dependents(kind, object);
            } else if meta::has_finalizer(object.value(), FOREGROUND) {
                self.delete_dependents_first(kind, object, moment);
            }
        } else {
            self.check_owners(kind, object, moment);
        }
    }

    /// Deletes an object whose owners are all gone; forgets those that are, if some remain.
    fn check_owners(&mut self, kind: &Arc<Kind>, object: &Arc<Object>, moment: &Moment) {
        let value = object.value();
        let (gone, present): (Vec<_>, Vec<_>) =
            meta::owners(value).partition(|owner| self.is_gone(value, *owner));
        if gone.is_empty() {
            return;
        }
        if present.is_empty() {
            let how = DeleteOptions {
                propagation: (!says_propagation(value)).then_some(Propagation::Background),
                ..DeleteOptions::default()
            };
            self.begin_deletion(kind, object, &how, false, moment);
            return;
        }
        let forgotten = without_owners(value, |uid| gone.iter().any(|owner| owner.uid == uid));
        self.store_or_drop(kind, forgotten);
    }

    /// Whether there is nothing of this kind, name and uid where an owner has to be: in the dependent's namespace, or in
    /// none. Of a kind that is not served only what was seen to go is gone; and what is in no namespace waits for ever for
    /// an owner in one.
    fn is_gone(&self, dependent: &Value, owner: Owner<'_>) -> bool {
        let (group, version) = meta::split_api_version(owner.api_version);
        let served = self
            .registry
            .by_name(group, owner.kind)
            .and_then(|kind| kind.served(version));
        let Some(Served { kind, .. }) = served else {
            return self.store.owners().is_gone(owner.uid);
        };
        let namespace = match kind.is_namespaced() {
            true => meta::namespace(dependent),
            false => "",
        };
        if kind.is_namespaced() && namespace.is_empty() {
            return false;
        }
        let there = self.store.get(&kind.shelf, &Key::new(namespace, owner.name));
        there.is_none_or(|there| meta::uid(there.value()) != owner.uid)
    }

    fn orphan_dependents(&mut self, kind: &Arc<Kind>, owner: &Arc<Object>) {
        let uid = meta::uid(owner.value()).to_owned();
        for address in self.dependents(&uid) {
            if let Some((kind, dependent)) = self.look(&address) {
                let free = without_owners(dependent.value(), |owner| owner == uid);
                self.store_or_drop(&kind, free);
            }
        }
        let mut owner = owner.value().clone();
        meta::remove_finalizer(&mut owner, ORPHAN);
        self.store_or_drop(kind, owner);
    }

    fn delete_dependents_first(&mut self, kind: &Arc<Kind>, owner: &Arc<Object>, moment: &Moment) {
        let uid = meta::uid(owner.value()).to_owned();
        let how = DeleteOptions {
            propagation: Some(Propagation::Foreground),
            ..DeleteOptions::default()
        };
        for address in self.dependents(&uid) {
            match self.look(&address) {
                Some((kind, dependent)) if !meta::is_terminating(dependent.value()) => {
                    self.begin_deletion(&kind, &dependent, &how, false, moment);
                }
                _ => {}
            }
        }
        // Dependents in turn have dependents and finalizers; the last one to go brings us here again.
        let blocked = self
            .dependents(&uid)
            .iter()
            .any(|address| self.blocks(address, &uid));
        if !blocked {
            let mut owner = owner.value().clone();
            meta::remove_finalizer(&mut owner, FOREGROUND);
            self.store_or_drop(kind, owner);
        }
    }

    fn blocks(&self, dependent: &Address, owner: &str) -> bool {
        let dependent = self.store.get(&dependent.resource, &dependent.key);
        dependent.is_some_and(|d| meta::owners(d.value()).any(|o| o.uid == owner && o.blocks))
    }

    fn dependents(&self, uid: &str) -> Vec<Address> {
        self.store.owners().dependents(uid).cloned().collect()
    }
}

fn without_owners(object: &Value, gone: impl Fn(&str) -> bool) -> Value {
    let mut object = object.clone();
    let references = meta::metadata_mut(&mut object)
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut);
    if let Some(references) = references {
        references.retain(|reference| !reference["uid"].as_str().is_some_and(&gone));
        if references.is_empty() {
            meta::remove(&mut object, "ownerReferences");
        }
    }
    object
}
