//! Requests for the API server: what waits, what is under way, and what it is about.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;
use serde_json::Value;

use crate::blocker::Failure;

/// Names a request until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u64);

/// A request to send now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names it in its answer.
    pub id: RequestId,
    /// What to do.
    pub action: Action,
}

/// What to ask of the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Create a namespace.
    CreateNamespace {
        /// Its name.
        name: String,
        /// Its labels.
        labels: Vec<(&'static str, String)>,
    },
    /// Server-side apply, with force.
    Apply {
        /// Which object.
        object: ObjectRef,
        /// Field manager.
        manager: &'static str,
        /// The body.
        body: Arc<[u8]>,
    },
    /// Create, whatever may be there.
    Create {
        /// Which object.
        object: ObjectRef,
        /// Field manager.
        manager: &'static str,
        /// The body.
        body: Arc<[u8]>,
    },
    /// Get, and patch with [`crate::once::release`] if there is such a patch.
    Release {
        /// Which object.
        object: ObjectRef,
        /// The precondition.
        uid: Uid,
    },
    /// Get, and patch with [`crate::adoption::patch`] if there is one.
    Adopt {
        /// Which object.
        object: ObjectRef,
        /// Field manager that the fields become those of.
        manager: &'static str,
    },
    /// Get.
    Look(ObjectRef),
    /// Delete, in the background, if it still has this uid.
    Delete {
        /// Which object.
        object: ObjectRef,
        /// The precondition.
        uid: Uid,
    },
    /// List the objects of every kind that this label selector finds, up to [`crate::sweep::MOST`].
    Sweep(String),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The object as it is now: for an apply, a create, a release, a look and an adoption.
    Object(Value),
    /// Those that there are, or as many as a sweep may bring: for one.
    Objects(Vec<Value>),
    /// It was accepted: for a namespace and a delete.
    Accepted,
    /// It was not.
    Failed(Failure),
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// A namespace, created with the labels that this resource gives it.
    Namespace { name: String, key: Key },
    /// An object of a resource.
    Object { key: Key, object: ObjectRef },
    /// An object that a resource needs and does not own.
    Ensure { key: Key, object: ObjectRef },
    /// What no inventory names of a resource.
    Sweep(Key),
}

impl About {
    /// The resource that it is for.
    fn key(&self) -> &Key {
        match self {
            Self::Namespace { key, .. }
            | Self::Object { key, .. }
            | Self::Ensure { key, .. }
            | Self::Sweep(key) => key,
        }
    }
}

/// A request that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) about: About,
    pub(super) kind: SentKind,
}

/// What a request that was sent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SentKind {
    Create,
    Release,
    /// With the digest of what is wanted.
    Apply(Digest),
    Adopt,
    Look,
    Delete,
    Sweep,
}

/// Requests that wait, and those under way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: Waiting,
    under_way: BTreeMap<RequestId, Sent>,
    next: u64,
}

impl Requests {
    pub(super) fn wait(&mut self, about: About) {
        self.waiting.push(about, Turn::Last);
    }

    /// The next stage of a resource that has begun: it has its turn before those that have not. So of many resources that
    /// come at once the first are through early, where otherwise all would be at the end.
    pub(super) fn go_on(&mut self, about: About) {
        self.waiting.push(about, Turn::Next);
    }

    pub(super) fn next_waiting(&mut self) -> Option<About> {
        self.waiting.pop()
    }

    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.turns.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.are_waiting() && self.under_way.is_empty()
    }

    pub(super) fn send(&mut self, about: About, kind: SentKind) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        self.under_way.insert(id, Sent { about, kind });
        id
    }

    pub(super) fn answered(&mut self, id: RequestId) -> Option<Sent> {
        self.under_way.remove(&id)
    }
}

/// Where a resource that had nothing to ask for joins the others.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Next,
    Last,
}

/// Requests of each resource in their order, and the resources in turn: one with a thousand objects does not hold up
/// one with a single object.
#[derive(Debug, Default)]
struct Waiting {
    turns: VecDeque<Key>,
    requests: BTreeMap<Key, VecDeque<About>>,
}

impl Waiting {
    fn push(&mut self, about: About, turn: Turn) {
        let key = about.key().clone();
        if let Some(queue) = self.requests.get_mut(&key) {
            return queue.push_back(about);
        }
        self.requests.insert(key.clone(), VecDeque::from([about]));
        match turn {
            Turn::Next => self.turns.push_front(key),
            Turn::Last => self.turns.push_back(key),
        }
    }

    fn pop(&mut self) -> Option<About> {
        let key = self.turns.pop_front()?;
        let queue = self.requests.get_mut(&key)?;
        let about = queue.pop_front();
        if queue.is_empty() {
            self.requests.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        about
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{object, release_key};

    fn about(key: &str, name: &str) -> About {
        let (key, object) = (release_key(key), object(name));
        About::Object { key, object }
    }

    fn names(requests: &mut Requests) -> Vec<String> {
        let waiting = core::iter::from_fn(|| requests.next_waiting());
        let name = |about| match about {
            About::Object { object, .. } | About::Ensure { object, .. } => object.name,
            About::Namespace { name, .. } => name,
            About::Sweep(key) => key.name,
        };
        waiting.map(name).collect()
    }

    #[test]
    fn resources_take_turns_and_keep_their_own_order() {
        let mut requests = Requests::default();
        for (key, name) in [("large", "a"), ("large", "b"), ("large", "c"), ("small", "d")] {
            requests.wait(about(key, name));
        }
        assert_eq!(names(&mut requests), ["a", "d", "b", "c"]);
        assert!(requests.is_empty());
    }

    #[test]
    fn a_resource_that_has_begun_goes_on_before_others_begin_and_takes_turns_with_them() {
        let mut requests = Requests::default();
        requests.wait(about("second", "a"));
        for name in ["b", "c"] {
            requests.go_on(about("first", name));
        }
        assert_eq!(names(&mut requests), ["b", "a", "c"]);
    }
}
