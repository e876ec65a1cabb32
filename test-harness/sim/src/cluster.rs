//! A cheap API server: what the product relies on, and little else.
//!
//! It keeps objects and the history of their changes, gives uids, resource versions and generations, knows finalizers,
//! preconditions, field managers and server-side apply. Lists are replaced as a whole, except finalizers. There is no
//! schema: what is refused is refused by the schedule. `tests/cluster.rs` asks the same of this and of the embedded API
//! server that the other tests run on, so what is here behaves as there.

mod fields;
mod object;
mod refusal;
mod verbs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub use object::Object;
pub(crate) use object::stored;
pub use refusal::Refusal;
pub use verbs::Patch;

/// Changes that are forgotten at once: each time the later ones move to their place.
const WORTH_IT: usize = 16;

/// Where an object is. Kinds have one name each here, so their groups are left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its kind.
    pub kind: String,
    /// Its namespace, empty for none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A change of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// The resource version that it has since.
    pub version: u64,
    /// Which object.
    pub place: Place,
    /// As it was.
    pub before: Option<Arc<Object>>,
    /// As it is.
    pub after: Option<Arc<Object>>,
}

/// How a change looks through a filter.
#[derive(Debug, Clone)]
pub enum Seen {
    /// It is there, and new or changed.
    There(Arc<Object>),
    /// It is not there any more; as it was last.
    Gone(Arc<Object>),
}

/// All of one cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    name: String,
    version: u64,
    uids: u64,
    objects: BTreeMap<Place, Arc<Object>>,
    changes: Vec<Change>,
    /// Changes before this version are not told any more.
    horizon: u64,
    unserved: BTreeSet<String>,
    /// Kinds of which nobody is to know who set which field.
    unmanaged: &'static [&'static str],
}

impl Place {
    /// A place.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The kind as paths spell it.
    pub(crate) fn plural(&self) -> String {
        format!("{}s", self.kind.to_lowercase())
    }
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

impl Cluster {
    /// An empty cluster; its name is part of the uids that it gives.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: 0,
            uids: 0,
            objects: BTreeMap::new(),
            changes: Vec::new(),
            horizon: 0,
            unserved: BTreeSet::new(),
            unmanaged: &[],
        }
    }

    /// One that does not keep who set which field of objects of these kinds: of what nobody applies a field of, nobody asks.
    #[must_use]
    pub(crate) fn without_managers_of(self, kinds: &'static [&'static str]) -> Self {
        Self {
            unmanaged: kinds,
            ..self
        }
    }

    /// The resource version of the last change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One object, whatever is served.
    pub fn find(&self, place: &Place) -> Option<&Arc<Object>> {
        self.objects.get(place)
    }

    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = (&Place, &Arc<Object>)> {
        self.objects.iter()
    }

    /// All objects of a kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&Place, &Arc<Object>)> {
        let first = Place::new(kind, "", "");
        let from_there = self.objects.range(first.clone()..);
        from_there.take_while(move |(place, _)| place.kind == first.kind)
    }

    /// Whether a kind is served.
    pub fn serves(&self, kind: &str) -> bool {
        !self.unserved.contains(kind)
    }

    /// Serves a kind, or no longer does.
    pub fn serve(&mut self, kind: &str, served: bool) {
        match served {
            true => self.unserved.remove(kind),
            false => self.unserved.insert(kind.to_owned()),
        };
    }

    /// Changes since a version; none if they are not told any more.
    pub fn changes_since(&self, version: u64) -> Option<&[Change]> {
        if version < self.horizon || version > self.version {
            return None;
        }
        let first = self.changes.partition_point(|change| change.version <= version);
        Some(&self.changes[first..])
    }

    /// Tells no change up to a version any more, once they are enough to be worth it: whoever watches has seen them. What is
    /// kept of a schedule's past otherwise is megabytes, and its present is in no cache then.
    pub fn forget_until(&mut self, version: u64) {
        let version = version.min(self.version);
        let seen = self.changes.partition_point(|change| change.version <= version);
        if seen >= WORTH_IT {
            self.changes.drain(..seen);
            self.horizon = version;
        }
    }

    /// Tells no change that was before now.
    pub fn forget_history(&mut self) {
        self.changes.clear();
        self.horizon = self.version;
    }

    /// Goes back to an older state, as a restored etcd does: resource versions start lower, and nobody's watch goes on.
    /// Uids are random in a real cluster and are not given twice.
    pub fn restore(&mut self, backup: &Self) {
        let uids = self.uids;
        *self = backup.clone();
        self.uids = uids;
        self.changes.clear();
        self.horizon = self.version;
    }

    /// Loses all objects of these kinds, and every trace of them. Returns their uids.
    pub fn remove_kinds(&mut self, kinds: &[&str]) -> Vec<String> {
        let lost = |place: &Place| kinds.contains(&place.kind.as_str());
        let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let gone = self.objects.extract_if(.., |place, _| lost(place));
        let uids = gone.map(|(_, object)| uid(&object)).collect();
        self.version += 1;
        self.forget_history();
        uids
    }

    fn store(&mut self, place: &Place, after: Option<Value>) -> Option<Arc<Object>> {
        self.version += 1;
        let after = after.map(|mut object| {
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
            Arc::new(Object::from(object))
        });
        let before = match &after {
            Some(object) => self.objects.insert(place.clone(), Arc::clone(object)),
            None => self.objects.remove(place),
        };
        self.changes.push(Change {
            version: self.version,
            place: place.clone(),
            before,
            after: after.clone(),
        });
        after
    }

    fn uid(&mut self) -> String {
        self.uids += 1;
        format!("{}-{}", self.name, self.uids)
    }
}

impl Change {
    /// How it looks to somebody who sees only what `matches`.
    pub fn seen(&self, matches: impl Fn(&Value) -> bool) -> Option<Seen> {
        let before = self.before.as_ref().filter(|object| matches(object));
        let after = self.after.as_ref().filter(|object| matches(object));
        match (before, after) {
            (_, Some(object)) => Some(Seen::There(Arc::clone(object))),
            (Some(object), None) => {
                // What leaves the view is told at the version of its leaving.
                let mut last = Value::clone(object);
                last["metadata"]["resourceVersion"] = self.version.to_string().into();
                Some(Seen::Gone(Arc::new(last.into())))
            }
            (None, None) => None,
        }
    }
}
