//! The rules of a small in-memory Kubernetes API, pure: state and request in, response and events out.
//!
//! [`cluster::Cluster`] is the whole state of one cluster. A driver parses what came over the wire
//! ([`request::Request::parse`]), asks [`cluster::Cluster::handle`], encodes the [`reply::Reply`] or polls the
//! [`watch::Watch`] that comes back, and calls [`cluster::Cluster::settle`] after writes. Time and randomness come in
//! with each call as a [`moment::Moment`]; there is no socket, no clock, no task in here, so a simulator can use the
//! same rules in virtual time.
//!
//! One engine serves built-in kinds and custom resources alike: what the server does to an object follows from its
//! schema ([`schema`], [`apply`], [`patch`]) and from tables of data, not from code per kind.

pub mod access;
pub mod apply;
pub mod cluster;
mod effects;
pub mod fieldset;
mod housekeeping;
pub mod kind;
pub mod meta;
pub mod moment;
pub mod object;
pub mod patch;
pub mod refusal;
pub mod registry;
pub mod reply;
pub mod request;
mod rules;
pub mod schema;
pub mod selector;
pub mod standins;
pub mod store;
pub mod table;
mod verbs;
pub mod watch;
