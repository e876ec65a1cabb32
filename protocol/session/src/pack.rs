//! How much fits in one message.
//!
//! A receiver decodes with a limit on *memory*, not only on bytes: a list claims the size of its entries when its
//! length is read, and every number claims its full width. So a message is filled to half its frame, and each entry
//! is charged for both.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, Key};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::Announced;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, Leftover, ObjectReport, RawStatus};

/// What one message may be charged.
const BUDGET: usize = limits::CONTROL_FRAME / 2;

/// The numbers and lengths around the texts of one entry, at full width.
const FIXED: usize = 128;

/// Room left in the message being built.
pub(crate) struct Budget {
    left: usize,
    empty: bool,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            left: BUDGET,
            empty: true,
        }
    }

    /// Takes `cost`, or says that the entry belongs in the next message. The first entry always fits: the limits of
    /// single entries are far below a frame.
    pub(crate) fn take(&mut self, cost: usize) -> bool {
        if cost > self.left && !self.empty {
            return false;
        }
        self.left = self.left.saturating_sub(cost);
        self.empty = false;
        true
    }
}

pub(crate) fn announced(head: &Head, content_bytes: usize) -> usize {
    size_of::<Announced>() + FIXED + key_text(&head.key) + content_bytes
}

pub(crate) fn hash(key: &Key) -> usize {
    size_of::<(Key, Digest)>() + FIXED + key_text(key)
}

pub(crate) fn object(report: &ObjectReport) -> usize {
    let status = match &report.status {
        RawStatus::Absent | RawStatus::Summary { .. } => 0,
        RawStatus::Json(json) => json.len(),
    };
    size_of::<ObjectReport>()
        + FIXED
        + report.id.len()
        + object_text(&report.object)
        + blocker_text(report.blocker.as_ref())
        + status
}

pub(crate) fn leftover(leftover: &Leftover) -> usize {
    size_of::<Leftover>() + FIXED + object_text(&leftover.object) + blocker_text(leftover.blocker.as_ref())
}

fn key_text(key: &Key) -> usize {
    key.namespace.len() + key.name.len() + key.uid.as_str().len()
}

fn object_text(object: &ObjectRef) -> usize {
    let ObjectRef {
        group,
        version,
        kind,
        namespace,
        name,
    } = object;
    limits::UID_BYTES
        + [group, version, kind, namespace, name]
            .map(String::len)
            .iter()
            .sum::<usize>()
}

fn blocker_text(blocker: Option<&Blocker>) -> usize {
    blocker.map_or(0, |blocker| blocker.message.len())
}
