//! One cluster: state in, request in, answer out.
//!
//! Whoever drives a [`Cluster`] parses requests, says who asks and when it is, encodes the answers outside of any
//! lock, polls the watches of the kinds that [`Cluster::take_changed`] names, and calls [`Cluster::settle`] after
//! writes: the part of Kubernetes that works in the background (garbage collection, namespaces, definitions).

mod bootstrap;
mod documents;
mod past;
mod stale;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::access::{Access, User};
use crate::kind::{GroupResource, Served};
use crate::moment::Moment;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::registry::Registry;
use crate::reply::{Outcome, Reply};
use crate::request::{Form, Path, Request, Target, Verb};
use crate::store::{Address, Key, Store};
use crate::verbs::{Asked, decoding};
use crate::watch::{Polled, Watch};

/// A cluster's whole state.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(crate) registry: Registry,
    pub(crate) store: Store,
    pub(crate) access: Access,
    birth: i64,
}

impl Cluster {
    /// A cluster as it is after its first start: default namespaces and roles.
    pub fn new(moment: &mut Moment) -> Self {
        let mut cluster = Self {
            birth: moment.now.as_millisecond(),
            ..bootstrap::with_roles()
        };
        cluster.bootstrap(moment);
        cluster
    }

    /// A cluster that has nothing.
    fn empty() -> Self {
        Self {
            registry: Registry::default(),
            store: Store::default(),
            access: Access::default(),
            birth: 0,
        }
    }

    /// When the cluster began, in milliseconds: tells it from others.
    pub(crate) fn birth(&self) -> i64 {
        self.birth
    }

    /// Who may do what.
    pub fn access_mut(&mut self) -> &mut Access {
        &mut self.access
    }

    /// Who may do what.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The served kinds.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Answers a request.
    pub fn handle(&mut self, request: &Request, user: &User, moment: &mut Moment) -> Outcome {
        self.try_handle(request, user, moment)
            .unwrap_or_else(|refusal| Outcome::Reply(refusal.into()))
    }

    /// Whether `user` may make a request.
    ///
    /// # Errors
    /// When that is not granted.
    pub fn admit(&self, user: &User, request: &Request) -> Result<(), Refusal> {
        self.authorize(user, request)
    }

    fn try_handle(
        &mut self,
        request: &Request,
        user: &User,
        moment: &mut Moment,
    ) -> Result<Outcome, Refusal> {
        self.authorize(user, request)?;
        match &request.path {
            Path::Other(path) => documents::answer(self, path, request).map(Outcome::Reply),
            Path::Resource(target) => {
                let served = self
                    .registry
                    .resolve(target)
                    .filter(|served| fits_scope(served, target));
                let Some(served) = served else {
                    return self.no_such_resource(target).map(Outcome::Reply);
                };
                let outcome = self.dispatch(&served, target, request, user, moment);
                Ok(warned(&served, outcome))
            }
        }
    }

    /// In group versions of its own the server refuses in due form; elsewhere there is nobody who could.
    fn no_such_resource(&self, target: &Target) -> Result<Reply, Refusal> {
        let own = self.registry.kinds().any(|kind| {
            kind.custom.is_none()
                && *kind.id.group == *target.group
                && kind
                    .versions
                    .iter()
                    .any(|version| *version.name == *target.version)
        });
        if own {
            Err(Refusal::no_such_path())
        } else {
            Ok(Reply::no_such_path())
        }
    }

    fn dispatch(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        user: &User,
        moment: &mut Moment,
    ) -> Result<Outcome, Refusal> {
        if request.form == Form::Unknown && target.subresource.as_deref() != Some("log") {
            return Err(Refusal::not_acceptable());
        }
        decoding::check_readable(served, request)?;
        let asked = Asked {
            target,
            request,
            user,
        };
        if let Some(subresource) = &target.subresource {
            return self
                .subresource(served, asked, subresource, moment)
                .map(Outcome::Reply);
        }
        if served.kind.traits.virtual_kind {
            return self
                .review(served, target, request, user, moment.now)
                .map(Outcome::Reply);
        }
        let reply = match request.verb {
            Verb::Watch => {
                return self
                    .watch(served, target, request)
                    .map(Box::new)
                    .map(Outcome::Watch);
            }
            Verb::Get => self.get(served, target, request, moment),
            Verb::List => self.list(served, target, request, moment),
            Verb::Create => self.create(served, asked, moment),
            Verb::Update => self.update(served, asked, moment),
            Verb::Patch => self.patch(served, asked, moment),
            Verb::Delete => self.delete(served, target, request, moment),
            Verb::DeleteCollection => self.delete_collection(served, target, request, moment),
        };
        reply.map(Outcome::Reply)
    }

    /// The next events of a watch.
    pub fn poll_watch(&self, watch: &mut Watch, now: Timestamp) -> Polled {
        watch.poll(&self.store, now)
    }

    /// A line that tells the client of a watch how far it has come, if that can be said.
    pub fn bookmark(&self, watch: &Watch) -> Option<Bytes> {
        watch.bookmark(&self.store)
    }

    /// Kinds written since the last call.
    pub fn take_changed(&mut self) -> BTreeSet<GroupResource> {
        self.store.take_changed()
    }

    /// Lets every watch of a kind end with `Expired`, as when the server has forgotten its past.
    pub fn forget_history(&mut self, resource: &GroupResource) {
        self.store.forget_history(resource);
    }

    /// One stored object.
    pub fn find(&self, resource: &GroupResource, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.store.get(resource, &Key::new(namespace, name))
    }

    /// Where the object with a uid is.
    pub fn find_by_uid(&self, uid: &str) -> Option<&Address> {
        self.store.owners().find(uid)
    }

    /// Stored objects of a kind, of one namespace or all.
    pub fn objects<'a>(
        &'a self,
        resource: &GroupResource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Value> {
        self.store
            .list(resource, namespace)
            .map(|(_, object)| object.value())
    }

    /// The resourceVersion of the last write.
    pub fn version(&self) -> u64 {
        self.store.version()
    }

    /// How often objects of a kind were written or removed.
    pub fn writes(&self, resource: &GroupResource) -> u64 {
        self.store.writes(resource)
    }

    pub(crate) fn existing(&self, served: &Served, key: &Key) -> Result<Arc<Object>, Refusal> {
        let found = self.store.get(&served.kind.shelf, key).cloned();
        found.ok_or_else(|| Refusal::not_found(&served.kind.id, &key.name))
    }
}

/// Whoever uses a deprecated version is told so, whatever the answer.
fn warned(served: &Served, outcome: Result<Outcome, Refusal>) -> Outcome {
    let mut outcome = outcome.unwrap_or_else(|refusal| Outcome::Reply(refusal.into()));
    if let (Outcome::Reply(reply), Some(warning)) = (&mut outcome, &served.version().deprecated) {
        reply.warnings.insert(0, warning.to_string());
    }
    outcome
}

/// Paths with a namespace are for namespaced kinds, paths to an object of those must have one.
fn fits_scope(served: &Served, target: &Target) -> bool {
    match (&target.namespace, served.kind.is_namespaced()) {
        (Some(_), namespaced) => namespaced,
        (None, true) => target.name.is_none(),
        (None, false) => true,
    }
}

pub(crate) fn key_of(target: &Target) -> Key {
    Key::new(
        target.namespace.as_deref().unwrap_or_default(),
        target.name.as_deref().unwrap_or_default(),
    )
}
