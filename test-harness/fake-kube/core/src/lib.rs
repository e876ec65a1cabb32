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
//!
//! Built-in kinds
//! - Served are those in the table of [`registry`], each in one version, without `exec`, `attach`, `portforward`,
//!   `proxy`, `eviction` and `ephemeralcontainers`.
//! - Of the rules that the real server has in code, these are not there: of pods those for affinity, DNS settings,
//!   devices and volumes of hardware and clouds; of a CronJob whether there is its time zone, and the selector
//!   of its Jobs; of a Job those for numbers by index, a selector that it brings and who manages it;
//!   of a Service those for the range of addresses and node ports, what is taken of them, a second family, and what
//!   only a load balancer has; quantities of a HorizontalPodAutoscaler; for the class of an Ingress that an annotation
//!   contradicts; of an Event the namespace of what it is about and the length of its note, of an EndpointSlice the
//!   type of its addresses; any of PersistentVolumes, quotas, limits, priorities, revisions, webhook configurations,
//!   API services and signing requests. Nobody is warned about pod specs, nor of keys that are none in a Secret.
//! - What is quoted is quoted as it was sent, where the real server shows its own types, and without the difference to
//!   what was there.
//! - Deleted pods go at once: there is no kubelet that would need a grace period.
//! - Services get no node ports, and addresses of one family. Their type may become ExternalName and back; a policy for
//!   inner traffic, which means nothing there, is dropped rather than hidden.
//! - ServiceAccounts keep more of their `secrets` than names.
//! - A number too large for its field is refused when it is applied; the real server cuts it to fit.
//! - Who owns the number of replicas is not followed through a scale to zero, or to the number that is there.
//! - Fields behind features that are off are kept.
//! - Namespaces get a `default` ServiceAccount, but no `kube-root-ca.crt`. Tokens are opaque; of 10,000 the oldest
//!   ends. Tokens do not say which they are: reviews show no credential id. Pods come whether or not their
//!   ServiceAccount and priority class are there.
//! - The log of each container is what an annotation of its pod says, as old as the pod; to follow it is to read it.
//!
//! Custom kinds
//! - There are no conversion webhooks: another version shows the same fields.
//! - Of `x-kubernetes-validations` those rules are enforced whose expression is understood; whoever installs a definition
//!   is warned of each other one, and it is not refused for one that no server would understand. Types of a rule are not
//!   checked beforehand, nor what it costs. Texts of a format stay texts, and lists that are sets or maps are compared in
//!   their order.
//! - Of the formats, those of books, cards and colours by number are not looked at, nor the name before an email address.
//! - Definitions are served at once. Of one with several faults that keep it from being served, the first is named;
//!   whether defaults fit their schemas is not checked.
//! - Embedded resources must have a type and fit their schema; their metadata and the form of their type are not looked
//!   at. Faults in the entries of a map are said to be at `a.key`, not at `a[key]`; of what is neither a number nor a
//!   text and may be either, another one of the two is said to be missing.
//! - Who scaled is recorded as for built-in kinds.
//! - A watch goes on when its definition changes, and shows objects by the one that was there when it began; the real
//!   server ends it within minutes.
//! - Of empty or null metadata, only what an apply leaves so is written again where nothing changes.
//! - A whole number with a point is an integer, also where it is of the wrong type. Below declared fields of a root that
//!   keeps unknown ones, unknown ones are dropped from an apply before anybody owns them.
//!
//! Requests and answers
//! - That a version is still to come is said at once; the real server waits three seconds for it first.
//! - There is no admission beyond namespaces, tolerations and what protects claims: no webhooks, policies, quotas,
//!   limits, priorities.
//! - Of the roles that a cluster has from the start, those of its own parts are not there. Nobody is impersonated as the
//!   node that a token is bound to; of extra fields and groups, what is none is not refused. Who grants too much is not
//!   told which of their bindings are to roles that are not there.
//! - What is done in the background has no owner in `managedFields`, but for roles that gather others. A namespace is
//!   looked at again whenever something of it goes, not after seconds.
//! - Tokens are bound to pods, Secrets and nodes, not to webhook configurations.
//! - Reviews are answered whatever they lack but a subject, and whatever they contradict, without `managedFields`;
//!   SelfSubjectRulesReview knows no rules. Whatever allows an access, the reason is the same.
//! - Answers are JSON whatever else a client accepts; protobuf is read but not written. PartialObjectMetadata of a list,
//!   or a list of them for an object, is not refused with 406 but turned into the other.
//! - Tables of built-in kinds do not describe their columns, and of some kinds show fewer. Discovery has no
//!   `storageVersionHash`.
//! - Watches, and the built-in versions that are deprecated (Endpoints), do not warn of it.
//! - What decoders say names types as OpenAPI does; objects that are quoted have their fields in alphabetical order.

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
