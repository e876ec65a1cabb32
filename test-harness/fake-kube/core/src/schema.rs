//! Structural schemas: what an object of one kind looks like, and what the API server does with it because of that.
//!
//! One engine serves built-in kinds and custom resources alike. A [`Schema`] comes either from the checked-in, reduced
//! OpenAPI document of a real API server ([`Builtins`]) or from a CustomResourceDefinition ([`Schema::from_crd`]);
//! everything the server does to an object by its shape is a function of schema and value:
//! [`default`], [`prune`], [`validate`] here, server-side apply in [`crate::apply`], patches in [`crate::patch`].

mod builtins;
mod canonical;
mod crd;
mod decoding;
mod defaulting;
mod duration;
mod expression;
mod field_error;
mod field_rule;
pub(crate) mod go;
mod node;
mod path;
mod pattern;
mod pruning;
mod quantity;
mod reference;
mod rule;
mod validation;
mod zero;

pub use builtins::{Builtins, Gvk};
pub use canonical::canonicalize;
pub use crd::SchemaError;
pub use decoding::{unconvertible, undecodable};
pub use defaulting::{complete, default, default_applied, forget_nulls};
pub use field_error::{FieldError, Problem};
pub use node::{ListType, MapType, Type};
pub use path::FieldPath;
pub use pruning::prune;
pub use reference::{Schema, SchemaRef};
pub use validation::{check_rules, validate, validate_shape, validate_status, validate_update};

pub(crate) use canonical::{is_respelled, lacks_quantity};
pub(crate) use defaulting::{holds_null, is_forgotten};
pub(crate) use quantity::{compare as compare_quantities, is_whole};
pub(crate) use zero::zero_object;

/// Whether a rule of `x-kubernetes-validations` is enforced.
pub(crate) fn is_understood(rule: &str) -> bool {
    expression::parse(rule).is_some()
}

/// Whether a text is a length of time as Go writes it.
pub(crate) fn is_duration(text: &str) -> bool {
    duration::parse(text).is_some()
}
