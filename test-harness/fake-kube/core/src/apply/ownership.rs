//! How ownership moves when an object changes.

use std::sync::LazyLock;

use super::Conflicts;
use super::managed::{ManagerId, Managers};
use crate::fieldset::{Comparison, FieldSet};

/// Fields that say what an object is rather than what it should be like: nobody owns them.
pub(super) static NEVER_OWNED: LazyLock<FieldSet> = LazyLock::new(|| {
    FieldSet::of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
});

impl Managers {
    /// What managers other than `writer` own and `changes` gives another value.
    pub(super) fn conflicts(&self, writer: &ManagerId, changes: &Comparison) -> Option<Conflicts> {
        let changed = changes.modified.union(&changes.added);
        let conflicts = self
            .0
            .iter()
            .filter(|(id, _)| *id != writer)
            .flat_map(|(id, owned)| {
                let fields = owned.fields.intersection(&changed).paths();
                fields
                    .into_iter()
                    .map(move |field| id.conflict(field.to_string()))
            });
        let conflicts: Vec<_> = conflicts.collect();
        (!conflicts.is_empty()).then_some(Conflicts(conflicts))
    }

    /// Takes from everybody but `writer` what `changes` gives another value, and from them all what it removes.
    pub(super) fn give_up(&mut self, writer: Option<&ManagerId>, changes: &Comparison) {
        let taken = changes.modified.union(&changes.added).union(&changes.removed);
        for (id, owned) in &mut self.0 {
            if Some(id) != writer {
                owned.fields = owned.fields.difference(&taken);
            }
        }
        self.drop_empty();
    }
}
