//! Which resource of this plane has which object: the first that wanted it, until it lets it go.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::object::ObjectRef;

use crate::number;

/// Who has what, and who waits for it: by the objects' numbers.
#[derive(Debug, Default)]
pub struct Claims(BTreeMap<u64, Vec<Claim>>);

#[derive(Debug)]
struct Claim {
    object: ObjectRef,
    holder: Key,
    waiting: BTreeSet<Key>,
}

impl Claims {
    /// The resource that has `object`.
    pub fn holder(&self, object: &ObjectRef) -> Option<&Key> {
        let claims = self.0.get(&number::of(object))?;
        let claim = claims.iter().find(|claim| claim.object.same_object(object))?;
        Some(&claim.holder)
    }

    /// Claims `object` for `key`, or queues it. Returns the other resource that has it.
    pub fn claim(&mut self, object: &ObjectRef, key: &Key) -> Option<Key> {
        let claims = self.0.entry(number::of(object)).or_default();
        let Some(claim) = claims.iter_mut().find(|claim| claim.object.same_object(object)) else {
            claims.push(Claim {
                object: object.clone(),
                holder: key.clone(),
                waiting: BTreeSet::new(),
            });
            return None;
        };
        if claim.holder == *key {
            return None;
        }
        claim.waiting.insert(key.clone());
        Some(claim.holder.clone())
    }

    /// The first of those who wait for `object` of whom this is so has it from now on, and `key` waits for it. Returns who.
    pub fn hand_over(&mut self, object: &ObjectRef, key: &Key, has_it: impl Fn(&Key) -> bool) -> Option<Key> {
        let claims = self.0.get_mut(&number::of(object))?;
        let claim = claims
            .iter_mut()
            .find(|claim| claim.object.same_object(object) && claim.holder == *key)?;
        let next = claim.waiting.iter().find(|waiting| has_it(waiting)).cloned()?;
        claim.waiting.remove(&next);
        claim
            .waiting
            .insert(core::mem::replace(&mut claim.holder, next.clone()));
        Some(next)
    }

    /// `key` wants `object` no more. Returns the resource that has it now instead.
    pub fn release(&mut self, object: &ObjectRef, key: &Key) -> Option<Key> {
        let number = number::of(object);
        let claims = self.0.get_mut(&number)?;
        let index = claims.iter().position(|claim| claim.object.same_object(object))?;
        let claim = &mut claims[index];
        claim.waiting.remove(key);
        if claim.holder != *key {
            return None;
        }
        if let Some(next) = claim.waiting.pop_first() {
            claim.holder = next.clone();
            return Some(next);
        }
        claims.swap_remove(index);
        if claims.is_empty() {
            self.0.remove(&number);
        }
        None
    }
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
    fn who_has_it_already_need_not_wait_for_whoever_came_first() {
        let [first, second, third] = ["first", "second", "third"].map(release_key);
        let mut claims = Claims::default();
        for key in [&first, &second, &third] {
            claims.claim(&object("one"), key);
        }
        let mut hand_over = |from: &Key, to: &Key| claims.hand_over(&object("one"), from, |key| key == to);
        assert_eq!(hand_over(&second, &third), None, "it has nothing to hand over");
        assert_eq!(hand_over(&first, &release_key("other")), None);
        assert_eq!(hand_over(&first, &third), Some(third.clone()));
        assert_eq!(claims.holder(&object("one")), Some(&third));
        assert_eq!(claims.release(&object("one"), &third), Some(first));
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
