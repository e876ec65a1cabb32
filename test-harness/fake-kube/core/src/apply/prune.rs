//! Removing what a manager applied before and leaves out now.

use serde_json::Value;

use super::managed::Managers;
use crate::fieldset::{FieldSet, of_value, remove_items};
use crate::schema::Schema;

/// `merged` without what is in `last` and in nobody's set any more.
///
/// `managers` already has the new set of the applier.
pub(super) fn prune(schema: &Schema, merged: Value, last: &FieldSet, managers: &Managers) -> Value {
    let owned = managers.all_fields();
    if last.difference(&owned).is_empty() {
        return merged;
    }
    let root = Some(schema.root());
    let last = last.with_declared_parents(root);
    let mentioned = of_value(schema, &merged).with_declared_parents(root);
    let left_in = |object: &Value| of_value(schema, object).with_declared_parents(root);

    let bare = remove_items(schema, &merged, &last);
    // Others, or the new config, may own something inside of what was taken out.
    let owned = owned.with_declared_parents(root);
    let with_owned = remove_items(
        schema,
        &merged,
        &mentioned.difference(&left_in(&bare).union(&owned)),
    );
    // What the applier never had goes with nothing.
    let gone = mentioned.difference(&left_in(&with_owned)).intersection(&last);
    remove_items(schema, &merged, &gone)
}
