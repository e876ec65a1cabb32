//! What Kubernetes does in the background, as one function that is called until nothing is left to do.

mod content;
mod garbage;
mod roles;

use std::sync::Arc;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::effects;
use crate::kind::Kind;
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::store::Address;

/// Objects looked at in one call, so that nobody waits long for the state behind a large removal.
const STEPS: usize = 256;

impl Cluster {
    /// Works off what recent writes left to do: dependents of gone owners, namespaces and definitions that are being
    /// deleted, service accounts for new namespaces, roles that gather rules. Says whether something may be left; call it
    /// again then.
    pub fn settle(&mut self, moment: &mut Moment) -> bool {
        for _ in 0..STEPS {
            let Some(address) = self.store.take_suspect() else {
                return false;
            };
            self.look_after(&address, moment);
        }
        true
    }

    fn look_after(&mut self, address: &Address, moment: &mut Moment) {
        let Some((kind, object)) = self.look(address) else {
            return;
        };
        if effects::is_namespace(&kind) {
            self.look_after_namespace(&kind, &object, moment);
        } else if effects::is_definition(&kind) {
            self.look_after_definition(&kind, &object, moment);
        } else if effects::is_claim(&kind) {
            self.look_after_claim(&kind, &object);
        } else if effects::is_cluster_role(&kind) {
            self.look_after_role(&object, moment);
        }
        self.collect(&kind, &object, moment);
    }

    /// The kind and present state behind an address.
    fn look(&self, address: &Address) -> Option<(Arc<Kind>, Arc<Object>)> {
        let kind = self
            .registry
            .kinds()
            .find(|kind| kind.shelf == address.resource)?;
        Some((
            kind.clone(),
            self.store.get(&address.resource, &address.key)?.clone(),
        ))
    }

    /// Stores a state decided here, or lets the object go if that was the last that held it.
    pub(crate) fn store_or_drop(&mut self, kind: &Kind, object: Value) {
        if meta::is_terminating(&object) && self.may_go(kind, &object) {
            self.drop_object(kind, object);
        } else {
            let stored = self.store.put(&kind.shelf, object);
            self.after_save(kind, stored.value());
        }
    }
}
