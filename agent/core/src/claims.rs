//! Which resource of this plane has which object: the first that wanted it, until it lets it go.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::object::ObjectRef;

/// Group, kind, namespace and name.
type Identity = (String, String, String, String);

/// Who has what, and who waits for it.
#[derive(Debug, Default)]
pub struct Claims(BTreeMap<Identity, Claim>);

#[derive(Debug)]
struct Claim {
    holder: Key,
    waiting: BTreeSet<Key>,
}

impl Claims {
    /// The resource that has `object`.
    pub fn holder(&self, object: &ObjectRef) -> Option<&Key> {
        self.0.get(&identity(object)).map(|claim| &claim.holder)
    }

    /// Claims `object` for `key`, or queues it. Returns the other resource that has it.
    pub fn claim(&mut self, object: &ObjectRef, key: &Key) -> Option<Key> {
        let claim = self.0.entry(identity(object)).or_insert_with(|| Claim {
            holder: key.clone(),
            waiting: BTreeSet::new(),
        });
        if claim.holder == *key {
            return None;
        }
        claim.waiting.insert(key.clone());
        Some(claim.holder.clone())
    }

    /// `key` wants `object` no more. Returns the resource that has it now instead.
    pub fn release(&mut self, object: &ObjectRef, key: &Key) -> Option<Key> {
        let identity = identity(object);
        let claim = self.0.get_mut(&identity)?;
        claim.waiting.remove(key);
        if claim.holder != *key {
            return None;
        }
        match claim.waiting.pop_first() {
            Some(next) => {
                claim.holder = next.clone();
                Some(next)
            }
            None => {
                self.0.remove(&identity);
                None
            }
        }
    }
}

fn identity(object: &ObjectRef) -> Identity {
    let (group, kind, namespace, name) = object.identity();
    (group.into(), kind.into(), namespace.into(), name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{object, release_key};

    #[test]
    fn the_first_has_it_until_it_lets_go_and_then_the_next() {
        let [first, second] = ["first", "second"].map(release_key);
        let mut claims = Claims::default();
        assert_eq!(claims.claim(&object("one"), &first), None);
        assert_eq!(claims.claim(&object("one"), &first), None);
        assert_eq!(claims.claim(&object("one"), &second), Some(first.clone()));
        assert_eq!(claims.release(&object("one"), &first), Some(second.clone()));
        assert_eq!(claims.holder(&object("one")), Some(&second));
        assert_eq!(claims.release(&object("one"), &second), None);
        assert_eq!(claims.holder(&object("one")), None);
    }

    #[test]
    fn who_waits_may_stop_waiting() {
        let [first, second] = ["first", "second"].map(release_key);
        let mut claims = Claims::default();
        claims.claim(&object("one"), &first);
        claims.claim(&object("one"), &second);
        assert_eq!(claims.release(&object("one"), &second), None);
        assert_eq!(claims.release(&object("one"), &first), None);
        assert_eq!(claims.holder(&object("one")), None);
    }
}
