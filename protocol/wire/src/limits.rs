//! Every bound of the wire, with the reason for its size.

use core::time::Duration;

/// Objects in one Release or Bundle. At 1,000 a bundle still fits one report list that a person can read, and
/// a plan over it stays below a millisecond; larger applications are several resources.
pub const OBJECTS: usize = 1_000;

/// Bytes of one `spec`, measured as Go's `encoding/json` writes it, since that is what the API server stores.
/// etcd refuses requests over 1.5 MiB; the rest is room for status and metadata.
pub const SPEC_BYTES: usize = 1024 * 1024;

/// Lists and maps in each other in one `spec`. API servers take 10,000, but JSON readers end much sooner (serde_json at
/// 128), and what a plane reads back has a few more around it. The deepest definitions in use nest about 50.
pub const SPEC_DEPTH: usize = 100;

/// Canonical JSON is never longer than what Go writes, so content has the same bound.
pub const CONTENT_BYTES: usize = SPEC_BYTES;

/// Content up to this size, compressed, rides in the announcement and saves a round trip. A full window of
/// inline content is then at most 4 MiB per plane.
pub const INLINE_BYTES: usize = 16 * 1024;

/// A frame of the control stream: 64 inline contents need several frames, which keeps the latency of small
/// messages behind them in the low milliseconds.
pub const CONTROL_FRAME: usize = 512 * 1024;

/// The single frame of an enrolment request or answer. An unauthenticated peer gets no more than this.
pub const ENROLMENT_FRAME: usize = 4 * 1024;

/// The answer to a fetch: content, and a little room for its head.
pub const FETCH_FRAME: usize = CONTENT_BYTES + 4 * 1024;

/// Announced heads that the agent has not acknowledged yet.
pub const UNACKNOWLEDGED: usize = 256;

/// Entries in one chunk of acknowledgements or hashes.
pub const CHUNK: usize = 256;

/// Orphaned keys that a hello lists; the total is told beside them.
pub const ORPHANS: usize = 256;

/// Raw `.status` of one object that travels whole; a larger one is summarised by size and digest.
pub const RAW_STATUS: usize = 64 * 1024;

/// Raw `.status` of all objects of one resource, in a report and in the hub's memory. What is over it travels as
/// a summary, which has the same digest.
pub const LIST_STATUS: usize = 1024 * 1024;

/// Objects of one resource that are on their way out or held, in its reports. A plane that holds more lists the
/// first of them.
pub const LEFTOVERS: usize = 1_000;

/// An object's id within its spec. Generated ids join a kind and a name.
pub const ID_BYTES: usize = 512;

/// A Kubernetes object name (RFC 1123 subdomain) at its longest.
pub const NAME_BYTES: usize = 253;

/// A Kubernetes uid. Real ones are 36 bytes; the API does not promise the form.
pub const UID_BYTES: usize = 128;

/// Text meant for people: the message of a blocker or a refusal.
pub const MESSAGE_BYTES: usize = 1024;

/// How long an unauthenticated connection may take to enrol.
pub const ENROLMENT_TIME: Duration = Duration::from_secs(5);

/// How long a peer may take from an accepted connection to its hello, and the hub to its answer.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
