//! What the session reads of the hub's state of one plane.

use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Key};

/// One entry of a plane's queue.
#[derive(Debug, Clone, Copy)]
pub struct Queued<'a> {
    /// What the plane should hold.
    pub head: &'a Head,
    /// Whether finalizer and plane are written in the resource.
    pub recorded: bool,
}

/// The newest head of every resource that belongs to one plane, removed ones included until they are settled.
pub trait Queue {
    /// All heads, oldest edit first.
    fn heads(&self) -> impl Iterator<Item = Queued<'_>>;

    /// The newest head of one resource.
    fn head(&self, key: &Key) -> Option<Queued<'_>>;

    /// The observed hash of every resource that the plane has reported on, in the order of their keys.
    fn observed(&self) -> impl Iterator<Item = (&Key, &Digest)>;

    /// Content to send along with a head: if it is at hand and, compressed, at most
    /// [`INLINE_BYTES`](outhaul_protocol_wire::limits::INLINE_BYTES) long.
    fn inline(&self, digest: &Digest) -> Option<Content>;
}
