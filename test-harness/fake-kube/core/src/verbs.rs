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

use crate::access::User;
use crate::request::{Request, Target};

pub(crate) use delete::{FOREGROUND, ORPHAN, says_propagation};
pub use log::LOG_ANNOTATION;

/// A request for a resource, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) target: &'a Target,
    pub(crate) request: &'a Request,
    pub(crate) user: &'a User,
}
