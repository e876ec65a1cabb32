//! Roots: one digest over all that a plane should hold, and one over all that it last said.
//!
//! Equal roots on both ends of a new connection prove that nothing was missed while it was cut.

use bincode::{Decode, Encode};

use crate::digest::{Digest, FieldHasher};
use crate::head::{Confirmed, Head, HeadState, Key};

/// A digest over a whole map, in the order of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Root(pub Digest);

/// The root over heads. `heads` come in the order of their keys: each end keeps them in a `BTreeMap`.
pub fn desired<'a>(heads: impl IntoIterator<Item = &'a Head>) -> Root {
    let mut hasher = FieldHasher::default();
    for head in heads {
        hash_key(&mut hasher, &head.key);
        let version = &head.version;
        for number in [version.epoch.0, version.generation.0, version.moved.0] {
            hasher.field(number.to_be_bytes());
        }
        hasher.field(head.digest.0).field(state_name(head.state));
        hasher.optional(head.confirmed.map(Confirmed::as_str));
    }
    Root(hasher.finish())
}

/// The root over the observed hashes of reports, in the order of their keys.
pub fn observed<'a>(reports: impl IntoIterator<Item = (&'a Key, &'a Digest)>) -> Root {
    let mut hasher = FieldHasher::default();
    for (key, digest) in reports {
        hash_key(&mut hasher, key);
        hasher.field(digest.0);
    }
    Root(hasher.finish())
}

fn hash_key(hasher: &mut FieldHasher, key: &Key) {
    hasher
        .field(key.kind.as_str())
        .field(&key.namespace)
        .field(&key.name)
        .field(key.uid.as_str());
}

fn state_name(state: HeadState) -> &'static str {
    match state {
        HeadState::Present => "present",
        HeadState::Removed => "removed",
        HeadState::Left => "left",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{BundleKind, Version};
    use crate::ids::{Generation, Uid};

    fn head() -> Head {
        Head {
            key: Key {
                kind: BundleKind::Release,
                namespace: "default".into(),
                name: "cart".into(),
                uid: Uid::new("u-1").unwrap(),
            },
            version: Version {
                generation: Generation(1),
                ..Version::default()
            },
            digest: Digest::of(b"{}"),
            state: HeadState::Present,
            confirmed: None,
        }
    }

    #[test]
    fn every_part_of_a_head_counts_in_the_desired_root() {
        let changes: [fn(&mut Head); 7] = [
            |head| head.key.name.push('x'),
            |head| head.key.uid = Uid::new("u-2").unwrap(),
            |head| head.version.generation.0 += 1,
            |head| head.version.moved.0 += 1,
            |head| head.digest = Digest::of(b"[]"),
            |head| head.state = HeadState::Removed,
            |head| head.confirmed = Some(Confirmed::Leave),
        ];
        for change in changes {
            let mut changed = head();
            change(&mut changed);
            assert_ne!(desired([&changed]), desired([&head()]), "{changed:?}");
        }
        assert_ne!(desired([]), desired([&head()]));
    }
}
