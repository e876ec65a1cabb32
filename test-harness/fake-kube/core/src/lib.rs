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
//!
//! # Where it differs from a real server, on purpose
//! - Deleted pods go at once: there is no kubelet that would need a grace period.
//! - What Kubernetes checks of a built-in kind in code of its own, beyond the schema, is checked as far as the tables of
//!   rules have it, and no further.
//! - RBAC keeps nobody from granting rights that they do not have. Impersonation knows users and groups only.
//! - Tables of built-in kinds do not describe their columns, and of some kinds show fewer.
//! - Answers are JSON whatever else a client accepts; protobuf is read but not written.
//! - Of the rules that the real server has in code for built-in kinds, those that releases commonly break are checked
//!   (names, keys, ports, numbers, selectors, what never changes); warnings about pod specs are not given. What decoders
//!   say names types as OpenAPI does.
//! - Who scaled a custom resource is recorded as for built-in kinds. The metadata of built-in kinds is not written through
//!   their status.
//! - In the metadata of custom resources an empty map is the same as none; a role's empty rules have no owner; fields
//!   behind features that are off are kept.
//! - There is no admission beyond namespaces: no webhooks, policies, quotas, limits, priorities.
//! - Custom resources have no conversion webhooks: another version shows the same fields.
//! - Namespaces get a `default` ServiceAccount, but no `kube-root-ca.crt`. Tokens are opaque and do not expire.

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
