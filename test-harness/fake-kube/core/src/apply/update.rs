//! Recording who changed what, for every write that is no apply.

use serde_json::Value;

use super::managed::{ManagerId, Managers, Owned, without_managed_fields};
use super::{Manager, NEVER_OWNED, typed};
use crate::fieldset::{Comparison, FieldSet, compare};
use crate::schema::{Schema, zero_object};

/// Records in `new`'s managedFields what the write from `old` (none: a creation) to `new` by `by` changed.
///
/// `new` is the object about to be stored: patched, pruned, defaulted. Its own managedFields, as sent by the client, are
/// taken as the starting point when they are valid and not empty, else those of `old`; an empty list resets them.
pub fn track_update(old: Option<&Value>, new: &mut Value, by: &Manager, schema: &Schema) {
    track_rewrite(old, new, &FieldSet::default(), by, schema);
}

/// The same of a write that changed what is in `rewritten`, whatever it looks like.
pub(crate) fn track_rewrite(
    old: Option<&Value>,
    new: &mut Value,
    rewritten: &FieldSet,
    by: &Manager,
    schema: &Schema,
) {
    let managers = starting_point(old, new, by);
    let before = old.map_or_else(|| zero_object(schema), without_managed_fields);
    let after = without_managed_fields(new);
    let is_trackable = |object| typed::is_trackable(schema.root(), object);
    if !is_trackable(&before) || !is_trackable(&after) {
        // What has no place in a set of fields cannot be owned: the server leaves things as they were.
        *new = after;
        old.map_or_else(Managers::default, |old| Managers::decode(old).unwrap_or_default())
            .encode(new);
        return;
    }
    // Whoever reset the managers of an object does not become its only one.
    let managers = if managers.is_empty() && old.is_some() {
        managers
    } else {
        let mut changes = compare(schema, &before, &after);
        changes.modified = changes.modified.union(rewritten);
        record(managers, &changes, by)
    };
    *new = after;
    managers.encode(new);
}

/// `managers` after a write that made these changes.
pub(super) fn record(mut managers: Managers, changes: &Comparison, by: &Manager) -> Managers {
    let changes = changes.without(&by.ignores.fields());
    managers.give_up(None, &changes);
    let taken = changes.modified.union(&changes.added).difference(&NEVER_OWNED);
    if !taken.is_empty() {
        let owned = managers.0.entry(ManagerId::of(by)).or_insert_with(|| Owned {
            api_version: by.api_version.clone(),
            fields: taken.clone(),
            time: None,
        });
        owned.fields = owned.fields.union(&taken);
        owned.time = by.written_at();
    }
    managers.cap_updaters();
    managers
}

fn starting_point(old: Option<&Value>, new: &Value, by: &Manager) -> Managers {
    let stored = || old.and_then(Managers::decode).unwrap_or_default();
    if by.subresource.is_some() {
        return stored();
    }
    if is_reset(new) {
        return Managers::default();
    }
    match Managers::decode(new) {
        Some(sent) if !sent.is_empty() => sent,
        _ => stored(),
    }
}

/// An empty list, or a list of one empty entry.
fn is_reset(object: &Value) -> bool {
    match object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([]) => true,
        Some([only]) => only.as_object().is_some_and(serde_json::Map::is_empty),
        _ => false,
    }
}
