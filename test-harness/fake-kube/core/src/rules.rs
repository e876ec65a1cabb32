//! Rules that hold for all kinds, and those of single kinds that are data.

mod autoscalers;
mod bindings;
mod budgets;
pub(crate) mod carried;
mod claims;
mod definitions;
mod fields;
pub(crate) mod finalizers;
pub(crate) mod frozen;
pub(crate) mod immutable;
mod ingresses;
pub(crate) mod job_statuses;
pub(crate) mod jobs;
mod keys;
mod limits;
pub(crate) mod metadata;
pub(crate) mod names;
mod network_policies;
pub(crate) mod owners;
pub(crate) mod phases;
mod places;
mod pods;
mod probes;
mod qualified;
mod references;
mod roles;
mod rollouts;
mod scale;
mod schedules;
mod scheduling;
mod secrets;
mod security;
mod selectors;
mod services;
pub(crate) mod size;
pub(crate) mod statuses;
mod variables;
mod volumes;
pub(crate) mod workloads;

pub(crate) use qualified::{
    complaints_of_name as complaints_of_label_name, complaints_of_value as complaints_of_label_value,
};
use serde_json::Value;

use crate::kind::Served;
use crate::schema::FieldError;

/// What is wrong with an object, which replaces `old` or is new, by the rules of its kind, beside its schema.
pub(crate) fn of_kind(served: &Served, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    let kind = &served.kind;
    let mut errors = scale::check(served, object);
    errors.extend(definitions::check(kind, old, object));
    errors.extend(workloads::check(kind, old, object));
    errors.extend(fields::check(kind, object));
    errors.extend(pods::check(kind, object));
    errors.extend(claims::check(kind, old, object));
    errors.extend(jobs::check(kind, object));
    errors.extend(schedules::check(kind, old, object));
    errors.extend(rollouts::check(kind, object));
    errors.extend(budgets::check(kind, object));
    errors.extend(network_policies::check(kind, old, object));
    errors.extend(roles::check(kind, object));
    errors.extend(bindings::check(kind, object));
    errors.extend(autoscalers::check(kind, old, object));
    errors.extend(ingresses::check(kind, object));
    errors.extend(selectors::check(served, old, object));
    errors.extend(keys::check(kind, object));
    errors.extend(secrets::check(kind, object));
    errors.extend(services::check(kind, object));
    errors.extend(size::check_data(kind, object));
    errors
}
