//! Server-side apply, and the bookkeeping of who owns which field.
//!
//! Every write goes through here: an apply request through [`apply`], which merges, prunes and may be refused with
//! conflicts; any other write through [`track_update`], which only records what changed. Both leave
//! `metadata.managedFields` of the object as a real API server would.

mod conflict;
mod last_applied;
mod managed;
mod manager;
mod merge;
mod order;
mod ownership;
mod prune;
mod typed;
mod update;

use serde_json::{Value, json};

use crate::fieldset::{self, compare};
use crate::schema::{Schema, zero_object};

use managed::{ManagerId, Managers, Owned, without_managed_fields};
use ownership::NEVER_OWNED;

pub use conflict::{ApplyError, Conflict, Conflicts};
pub use manager::{Ignored, Manager, Operation};
pub(crate) use order::is_out_of_order;
pub(crate) use update::track_rewrite;
pub use update::track_update;

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
    let untrackable = live.filter(|live| !typed::is_trackable(schema.root(), live));
    // Of what nobody owns yet, owners are made first: that tells more than these words.
    let owned = untrackable.filter(|live| Managers::decode(live).is_none_or(|managers| !managers.is_empty()));
    let mistyped = owned.and_then(|live| refuse_mistyped(live, schema));
    if mistyped.is_none() {
        untrackable.map_or(Ok(()), |live| Err(refuse_untrackable(live, schema)))?;
    }
    refuse_unfit(config, schema)?;
    mistyped.map_or(Ok(()), Err)?;
    let outcome = apply_as(live, config, by, force, schema);
    let applied = match outcome {
        Err(ApplyError::Conflicts(conflicts)) => {
            let conflicts = last_applied::without_own(conflicts, live, by, schema);
            if !conflicts.0.is_empty() {
                return Err(conflicts.into());
            }
            apply_as(live, config, by, true, schema)?
        }
        other => other?,
    };
    Ok(last_applied::kept_current(applied, live, config, by))
}

fn apply_as(
    live: Option<&Value>,
    config: &Value,
    by: &Manager,
    force: bool,
    schema: &Schema,
) -> Result<Applied, ApplyError> {
    let before = live.map_or_else(|| json!({}), without_managed_fields);
    let mut managers = managers_of(live, &before, by, schema)?;
    let id = ManagerId::of(by);
    let ignored = by.ignores.fields();
    let last = managers.0.remove(&id);
    let claimed = fieldset::of_value(schema, config).difference_below(&ignored);
    let time = last.as_ref().and_then(|last| last.time.clone());
    managers.0.insert(
        id.clone(),
        Owned {
            api_version: by.api_version.clone(),
            fields: claimed,
            time,
        },
    );

    let merged = merge::merge(schema.root(), &before, config);
    let mut after = match last {
        Some(last) => prune::prune(schema, merged, &last.fields, &managers),
        None => merged,
    };
    let changes = compare(schema, &before, &after).without(&ignored);
    if !force && let Some(conflicts) = managers.conflicts(&id, &changes) {
        return Err(conflicts.into());
    }
    managers.give_up(Some(&id), &changes);
    if let Some(ours) = managers.0.get_mut(&id) {
        ours.fields = ours.fields.difference(&NEVER_OWNED);
        if before != after {
            ours.time = by.written_at();
        }
    }
    managers.drop_empty();
    managers.encode(&mut after);
    let changed = live != Some(&after);
    Ok(Applied {
        object: after,
        changed,
    })
}

/// An object that nobody applied before belongs to those who wrote it so far, under one name.
fn managers_of(
    live: Option<&Value>,
    before: &Value,
    by: &Manager,
    schema: &Schema,
) -> Result<Managers, ApplyError> {
    let Some(live) = live else {
        return Ok(Managers::default());
    };
    let managers = Managers::decode(live)
        .ok_or_else(|| ApplyError::BadRequest("failed to decode managed fields".to_owned()))?;
    if !managers.is_empty() {
        return Ok(managers);
    }
    let earlier = Manager {
        name: "before-first-apply".to_owned(),
        operation: Operation::Update,
        ..by.clone()
    };
    let changes = compare(schema, &zero_object(schema), before);
    Ok(update::record(managers, &changes, &earlier))
}

/// A custom resource may hold what its definition has no type for.
fn refuse_mistyped(live: &Value, schema: &Schema) -> Option<ApplyError> {
    let mistypings = typed::mistypings(schema.root(), live);
    let message = format!(
        "failed to create typed live object ({}): {}",
        identity(live),
        typed::listed(&mistypings)
    );
    let is_told = !mistypings.is_empty() && !schema.root().is_typed();
    is_told.then_some(ApplyError::Mistyped(message))
}

/// Nobody can own parts of an object whose lists have items without identity.
fn refuse_untrackable(live: &Value, schema: &Schema) -> ApplyError {
    let message = format!(
        "failed to create manager for existing fields: failed to convert new object ({}) to smd typed: {}",
        identity(live),
        typed::listed(&typed::complaints(schema.root(), live))
    );
    ApplyError::Mistyped(message)
}

fn refuse_unfit(config: &Value, schema: &Schema) -> Result<(), ApplyError> {
    if config
        .pointer("/metadata/managedFields")
        .is_some_and(|fields| !fields.is_null())
    {
        return Err(ApplyError::BadRequest(
            "metadata.managedFields must be nil".to_owned(),
        ));
    }
    let complaints = typed::complaints(schema.root(), config);
    if complaints.is_empty() {
        return Ok(());
    }
    let message = format!(
        "failed to create typed patch object ({}): {}",
        identity(config),
        typed::listed(&complaints)
    );
    Err(ApplyError::Mistyped(message))
}

/// `namespace/name; group/version, Kind=kind`.
fn identity(object: &Value) -> String {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let api_version = text("/apiVersion");
    let core_slash = if api_version.contains('/') { "" } else { "/" };
    format!(
        "{}/{}; {core_slash}{api_version}, Kind={}",
        text("/metadata/namespace"),
        text("/metadata/name"),
        text("/kind")
    )
}
