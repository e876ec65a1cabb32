//! What requests do, one verb per file. All are methods of [`crate::cluster::Cluster`].

mod change;
mod create;
pub(crate) mod decoding;
mod delete;
pub(crate) mod incoming;
mod log;
mod read;
mod scale;
mod state;
mod subresource;
mod token;
mod versions;

pub(crate) use delete::{FOREGROUND, ORPHAN, says_propagation};
pub use log::LOG_ANNOTATION;
