//! Namespaces that objects need: created once if they are absent, and otherwise left alone.
//!
//! A namespace that something was applied in exists, so it costs no request until an apply says that it is gone.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::head::Key;

use crate::blocker::Failure;

/// Namespaces remembered at most. Forgetting one costs a request that is answered "already exists".
const REMEMBERED: usize = 4096;

/// What is known of namespaces.
#[derive(Debug, Default)]
pub struct Namespaces(BTreeMap<String, State>);

#[derive(Debug)]
enum State {
    /// Being created; these resources wait for it.
    Creating(BTreeSet<Key>),
    /// Applies may go on, and show whether it really is there.
    Tried(Option<Failure>),
}

/// What a resource does about a namespace.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// Create it.
    Create,
    /// Wait until it is created.
    Wait,
    /// Go on.
    Enter,
}

impl Namespaces {
    /// `key` needs this namespace.
    pub fn enter(&mut self, namespace: &str, key: &Key) -> Entry {
        match self.0.get_mut(namespace) {
            Some(State::Tried(_)) => Entry::Enter,
            Some(State::Creating(waiting)) => {
                waiting.insert(key.clone());
                Entry::Wait
            }
            None => {
                self.make_room();
                let waiting = BTreeSet::from([key.clone()]);
                self.0.insert(namespace.to_owned(), State::Creating(waiting));
                Entry::Create
            }
        }
    }

    /// Something in it was seen: it exists.
    pub fn exists(&mut self, namespace: &str) {
        if !namespace.is_empty() && !self.0.contains_key(namespace) {
            self.make_room();
            self.0.insert(namespace.to_owned(), State::Tried(None));
        }
    }

    /// The request to create it was answered. Returns who waited. A conflict says that it exists; any other failure is
    /// kept for those that then miss it.
    pub fn created(&mut self, namespace: &str, result: Result<(), Failure>) -> BTreeSet<Key> {
        let failure = result.err().filter(|failure| !failure.is_conflict());
        match self.0.insert(namespace.to_owned(), State::Tried(failure)) {
            Some(State::Creating(waiting)) => waiting,
            Some(State::Tried(_)) | None => BTreeSet::new(),
        }
    }

    /// An apply says that it does not exist. Returns why it could not be created, if that was tried.
    pub fn missing(&mut self, namespace: &str) -> Option<Failure> {
        match self.0.get(namespace) {
            Some(State::Tried(_)) => match self.0.remove(namespace) {
                Some(State::Tried(failure)) => failure,
                Some(State::Creating(_)) | None => None,
            },
            Some(State::Creating(_)) | None => None,
        }
    }

    fn make_room(&mut self) {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, state| matches!(state, State::Creating(_)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocker::Refusal;
    use crate::testing::release_key;

    fn refused(code: u16) -> Failure {
        Failure::from(Refusal {
            code,
            ..Refusal::default()
        })
    }

    #[test]
    fn one_creates_it_and_the_others_wait() {
        let mut namespaces = Namespaces::default();
        let [first, second] = ["first", "second"].map(release_key);
        assert_eq!(namespaces.enter("shop", &first), Entry::Create);
        assert_eq!(namespaces.enter("shop", &second), Entry::Wait);
        assert_eq!(namespaces.created("shop", Err(refused(409))).len(), 2);
        assert_eq!(namespaces.enter("shop", &first), Entry::Enter);
        assert_eq!(namespaces.missing("shop"), None, "it was there and is gone");
        assert_eq!(namespaces.enter("shop", &first), Entry::Create);
    }

    #[test]
    fn why_it_could_not_be_created_is_told_to_those_who_miss_it() {
        let mut namespaces = Namespaces::default();
        namespaces.enter("shop", &release_key("first"));
        namespaces.created("shop", Err(refused(403)));
        assert_eq!(namespaces.enter("shop", &release_key("first")), Entry::Enter);
        assert_eq!(namespaces.missing("shop"), Some(refused(403)));
    }
}
