//! Namespaces and definitions on their way out take their content with them; new namespaces get what each has.

mod leftovers;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::effects;
use crate::kind::{GroupResource, Kind};
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::request::{DeleteOptions, Propagation};
use crate::store::Key;
use leftovers::Leftovers;

impl Cluster {
    /// Empties a namespace that is deleted, and lets go of it; nobody looks after one that nothing holds any more.
    pub(super) fn look_after_namespace(&mut self, kind: &Kind, namespace: &Object, moment: &mut Moment) {
        let name = meta::name(namespace.value());
        if !meta::is_terminating(namespace.value()) {
            self.ensure_service_account(name, moment);
        } else if effects::is_held(namespace.value()) {
            let left = self.empty_namespace(name, moment);
            let mut noted = namespace.value().clone();
            leftovers::note(&mut noted, &left, moment);
            if noted != *namespace.value() {
                noted = self.store.put(&kind.shelf, noted).value().clone();
            }
            let mut released = noted.clone();
            if left.is_empty() {
                release(&mut released);
            }
            if released != noted {
                self.store_or_drop(kind, released);
            }
        }
    }

    /// No pod keeps a claim here.
    pub(super) fn look_after_claim(&mut self, kind: &Kind, claim: &Object) {
        let mut released = claim.value().clone();
        if meta::is_terminating(&released) && meta::remove_finalizer(&mut released, effects::CLAIM_PROTECTION)
        {
            self.store_or_drop(kind, released);
        }
    }

    pub(super) fn look_after_definition(&mut self, kind: &Kind, definition: &Object, moment: &Moment) {
        let definition = definition.value();
        if !meta::is_terminating(definition) || !meta::has_finalizer(definition, effects::CLEANUP) {
            return;
        }
        if let Some(custom) = self.registry.get(&effects::defined_resource(definition)).cloned()
            && !self.delete_all(&custom, None, moment).is_empty()
        {
            return;
        }
        let mut released = definition.clone();
        meta::remove_finalizer(&mut released, effects::CLEANUP);
        self.store_or_drop(kind, released);
    }

    /// Deletes what is in a namespace, its pods first; says what is left.
    fn empty_namespace(&mut self, name: &str, moment: &Moment) -> Leftovers {
        let namespaced = self.registry.kinds().filter(|kind| kind.is_namespaced());
        let (pods, others): (Vec<_>, Vec<_>) = namespaced.cloned().partition(|kind| kind.is("", "Pod"));
        for pods in pods {
            if !self.delete_all(&pods, Some(name), moment).is_empty() {
                return Leftovers::Pods;
            }
        }
        let mut left = Vec::new();
        for kind in others {
            for object in self.delete_all(&kind, Some(name), moment) {
                left.push((kind.id.clone(), object));
            }
        }
        Leftovers::Objects(left)
    }

    /// Deletes all objects of a kind, in one namespace or everywhere; returns those that finalizers keep.
    fn delete_all(&mut self, kind: &Kind, namespace: Option<&str>, moment: &Moment) -> Vec<Arc<Object>> {
        let all: Vec<Arc<Object>> = self
            .store
            .list(&kind.shelf, namespace)
            .map(|(_, object)| object.clone())
            .collect();
        let how = DeleteOptions {
            propagation: Some(Propagation::Background),
            ..DeleteOptions::default()
        };
        for object in all.iter().filter(|object| !meta::is_terminating(object.value())) {
            self.begin_deletion(kind, object, &how, false, moment);
        }
        let left = self.store.list(&kind.shelf, namespace);
        left.map(|(_, object)| object.clone()).collect()
    }

    fn ensure_service_account(&mut self, namespace: &str, moment: &mut Moment) {
        let accounts = GroupResource::new("", "serviceaccounts");
        if self
            .store
            .get(&accounts, &Key::new(namespace, "default"))
            .is_some()
        {
            return;
        }
        let (uid, created) = (moment.uid(), moment.timestamp());
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace, "uid": uid, "creationTimestamp": created},
        });
        self.store.put(&accounts, account);
    }
}

/// Takes off what holds a namespace until it is empty; what else holds it is others' to take off.
fn release(namespace: &mut Value) {
    let Some(finalizers) = namespace["spec"]["finalizers"].as_array_mut() else {
        return;
    };
    finalizers.retain(|finalizer| finalizer != "kubernetes");
    if finalizers.is_empty() {
        namespace["spec"] = json!({});
    }
}
