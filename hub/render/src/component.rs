//! What is common to the components of all types.

/// The environment of a component's first binding. Bindings for others are made by promotion.
pub(crate) const DEVELOPMENT: &str = "development";
