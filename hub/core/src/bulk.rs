//! Whether a resource was deleted by itself, or along with all that is in its namespace or of its kind. Nobody who deletes a
//! namespace or a definition has looked at what runs in planes: that is no statement about it.

use jiff::Timestamp;
use outhaul_protocol_wire::head::{BundleKind, Key};

/// What a resource is in, as the API server itself said it: since when each is being deleted, if it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its namespace.
    pub namespace: Option<Timestamp>,
    /// The definition of its kind.
    pub definition: Option<Timestamp>,
}

/// What a resource was deleted along with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    Namespace,
    Definition,
}

impl Surroundings {
    /// What a resource was deleted along with that is being deleted since `deleted`. Times of API servers have whole seconds:
    /// of two that are equal nobody knows which came first.
    pub(crate) fn bulk(&self, deleted: Timestamp) -> Option<Bulk> {
        let along = |with: Option<Timestamp>| with.is_some_and(|since| deleted >= since);
        match (along(self.namespace), along(self.definition)) {
            (true, _) => Some(Bulk::Namespace),
            (false, true) => Some(Bulk::Definition),
            (false, false) => None,
        }
    }
}

impl Bulk {
    /// What is being deleted, in words.
    pub(crate) fn words(self, key: &Key) -> String {
        match self {
            Self::Namespace => format!(
                "namespace {} is being deleted, with everything in it",
                key.namespace
            ),
            Self::Definition => format!(
                "the definition {} is being deleted, with everything of this kind",
                definition(key.kind)
            ),
        }
    }
}

/// The name of the definition of a kind.
pub fn definition(kind: BundleKind) -> &'static str {
    match kind {
        BundleKind::Release => "releases.openchoreo.dev",
        BundleKind::Bundle => "bundles.outhaul.dev",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_before_its_namespace_was_deleted_by_itself() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let both = |namespace: Option<i64>, definition: Option<i64>| Surroundings {
            namespace: namespace.map(at),
            definition: definition.map(at),
        };
        for (surroundings, expected) in [
            (both(None, None), None),
            (both(Some(11), None), None),
            (both(Some(10), None), Some(Bulk::Namespace)),
            (both(Some(9), Some(9)), Some(Bulk::Namespace)),
            (both(Some(11), Some(9)), Some(Bulk::Definition)),
        ] {
            assert_eq!(surroundings.bulk(at(10)), expected, "{surroundings:?}");
        }
    }
}
