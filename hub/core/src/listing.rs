//! What is known to exist of one kind: turns the events of a watch, lists included, into sights.

mod kinds;

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use outhaul_hub_resources::Stored;
use tracing::warn;

pub use self::kinds::Kind;

use crate::resource::Reader;
use crate::routing::Name;
use crate::{Origin, Sight};

/// What is known to exist of one kind.
#[derive(Debug)]
pub struct Listing {
    kind: Kind,
    reader: Option<Reader>,
    known: BTreeMap<Name, String>,
    /// What a list under way has named so far.
    fresh: Option<BTreeMap<Name, String>>,
    complete: bool,
}

impl Listing {
    /// Nothing is known yet.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            reader: kind.reader(),
            known: BTreeMap::new(),
            fresh: None,
            complete: false,
        }
    }

    /// Whether the kind has been listed once.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// A list begins. A restored control plane may use a generation for other content.
    pub fn begin(&mut self) {
        self.fresh = Some(BTreeMap::new());
        if let Some(reader) = &mut self.reader {
            reader.forget_all();
        }
    }

    /// The list under way names this object.
    pub fn listed(&mut self, object: &Stored) -> Vec<Sight> {
        let (name, uid) = identity(object);
        if let Some(fresh) = &mut self.fresh {
            fresh.insert(name, uid);
        }
        self.seen(object, Origin::List)
    }

    /// A list is complete: what it did not name is gone.
    pub fn done(&mut self) -> Vec<Sight> {
        self.complete = true;
        let fresh = self.fresh.take().unwrap_or_default();
        let former = core::mem::replace(&mut self.known, fresh);
        let missing: Vec<_> = former
            .into_iter()
            .filter(|(name, _)| !self.known.contains_key(name))
            .collect();
        missing
            .into_iter()
            .filter_map(|(name, uid)| self.gone(name, &uid))
            .collect()
    }

    /// An object is new or was changed.
    pub fn applied(&mut self, object: &Stored) -> Vec<Sight> {
        self.seen(object, Origin::Watch)
    }

    /// An object was deleted.
    pub fn deleted(&mut self, object: &Stored) -> Vec<Sight> {
        let (name, uid) = identity(object);
        if self.known.get(&name) == Some(&uid) {
            self.known.remove(&name);
        }
        self.gone(name, &uid).into_iter().collect()
    }

    fn seen(&mut self, object: &Stored, origin: Origin) -> Vec<Sight> {
        let (name, uid) = identity(object);
        let former = self.known.insert(name.clone(), uid.clone());
        let recreated = former.filter(|former| *former != uid);
        let mut sights: Vec<_> = recreated
            .and_then(|former| self.gone(name.clone(), &former))
            .into_iter()
            .collect();
        match kinds::sight(self.kind, self.reader.as_mut(), object, origin) {
            Ok(sight) => sights.push(sight),
            Err(error) => self.complain(&name, &*error),
        }
        sights
    }

    fn gone(&mut self, name: Name, uid: &str) -> Option<Sight> {
        if let Some(reader) = &mut self.reader {
            reader.forget(&name.0, &name.1);
        }
        let sight = kinds::gone(self.kind, name.clone(), uid);
        sight.map_err(|error| self.complain(&name, &*error)).ok()
    }

    fn complain(&self, (namespace, name): &Name, error: &(dyn std::error::Error + Send + Sync + 'static)) {
        let error: &dyn std::error::Error = error;
        warn!(kind = ?self.kind, namespace, name, error, "Ignoring an object that cannot be read");
    }
}

fn identity(object: &Stored) -> (Name, String) {
    (kinds::name(object), object.uid().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::head::BundleKind;
    use serde_json::{Value, json};

    use super::*;

    fn release(name: &str, uid: &str) -> Stored {
        serde_json::from_value(json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
            "metadata": {"name": name, "namespace": "shop", "uid": uid, "generation": 1, "resourceVersion": "7"},
            "spec": {"environmentName": "dev"},
        }))
        .unwrap()
    }

    /// The sights in short: what was seen or is gone, by uid.
    fn told(sights: Vec<Sight>) -> Vec<String> {
        let short = |sight| match sight {
            Sight::Resource(resource, origin) => format!("{origin:?} {}", resource.key.uid),
            Sight::ResourceGone(key) => format!("gone {}", key.uid),
            Sight::Plane(record, _) => format!("plane {}", record.name),
            Sight::Environment(..) | Sight::User(..) | Sight::PlaneGone(_) => "other".to_owned(),
        };
        sights.into_iter().map(short).collect()
    }

    #[test]
    fn what_a_new_list_does_not_name_is_gone() {
        let mut listing = Listing::new(Kind::Bundle(BundleKind::Release));
        listing.begin();
        assert_eq!(told(listing.listed(&release("a", "u-a"))), ["List u-a"]);
        assert!(!listing.is_complete());
        assert!(listing.done().is_empty());
        assert!(listing.is_complete());
        assert_eq!(told(listing.applied(&release("b", "u-b"))), ["Watch u-b"]);
        listing.begin();
        assert_eq!(told(listing.listed(&release("b", "u-b"))), ["List u-b"]);
        assert_eq!(told(listing.done()), ["gone u-a"]);
    }

    #[test]
    fn a_resource_made_again_under_its_name_is_another_one() {
        let mut listing = Listing::new(Kind::Bundle(BundleKind::Release));
        assert_eq!(told(listing.applied(&release("a", "u-1"))), ["Watch u-1"]);
        assert_eq!(
            told(listing.applied(&release("a", "u-2"))),
            ["gone u-1", "Watch u-2"]
        );
        assert_eq!(told(listing.deleted(&release("a", "u-1"))), ["gone u-1"]);
        assert_eq!(told(listing.deleted(&release("a", "u-2"))), ["gone u-2"]);
    }

    #[test]
    fn a_malformed_object_is_left_out() {
        let mut listing = Listing::new(Kind::Plane);
        let plane = |spec: Value| {
            let metadata = json!({"name": "eu", "uid": "u-eu", "resourceVersion": "7"});
            serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
        };
        assert!(listing.applied(&plane(json!({"keys": 7}))).is_empty());
        assert_eq!(told(listing.applied(&plane(json!({})))), ["plane eu"]);
    }
}
