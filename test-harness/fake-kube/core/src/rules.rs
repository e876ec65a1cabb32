//! Rules that hold for all kinds, and those of single kinds that are data.

pub(crate) mod carried;
mod definitions;
pub(crate) mod finalizers;
pub(crate) mod immutable;
mod keys;
pub(crate) mod metadata;
pub(crate) mod names;
mod numbers;
mod ports;
mod qualified;
mod scale;
pub(crate) mod size;
mod workloads;

pub(crate) use qualified::{
    complaints_of_name as complaints_of_label_name, complaints_of_value as complaints_of_label_value,
};
use serde_json::Value;

use crate::kind::Served;
use crate::schema::FieldError;

/// What is wrong with an object by the rules of its kind, beside its schema.
pub(crate) fn of_kind(served: &Served, object: &Value) -> Vec<FieldError> {
    let kind = &served.kind;
    let mut errors = scale::check(served, object);
    errors.extend(definitions::check(kind, object));
    errors.extend(workloads::check(kind, object));
    errors.extend(numbers::check(kind, object));
    errors.extend(keys::check(kind, object));
    errors.extend(ports::check(kind, object));
    errors.extend(size::check_data(kind, object));
    errors
}
