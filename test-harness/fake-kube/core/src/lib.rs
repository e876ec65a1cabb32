//! The rules of a small in-memory Kubernetes API, pure: state and request in, response and events out.
pub mod apply;
pub mod fieldset;
pub mod patch;
pub mod schema;
