//! Content of a head: the canonical JSON of a `spec`, compressed, named by the digest of what comes out.
//!
//! Compression itself is the business of the ends; this crate only carries the bytes and their bounds.

use bincode::{Decode, Encode};

use crate::digest::Digest;

/// A `spec` on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Content {
    /// Length of the canonical JSON, at most [`crate::limits::CONTENT_BYTES`]. A receiver reserves this much and
    /// treats a frame that decompresses to any other length as damaged.
    pub length: u32,
    /// The canonical JSON as one zstd frame (RFC 8878).
    pub zstd: Vec<u8>,
}

/// The one message that the agent sends on a fetch stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Fetch {
    /// Digest of the canonical JSON wanted.
    pub digest: Digest,
}

/// The one message that the hub answers on a fetch stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Fetched {
    /// The content.
    Content(Content),
    /// No head in this plane's queue has that digest (any more). The newer head is on its way.
    NotQueued,
}
