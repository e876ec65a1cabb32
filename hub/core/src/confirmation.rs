//! Where an operator confirms what a plane holds: an annotation of the resource, which says a
//! [`Confirmation`](outhaul_protocol_wire::confirmation::Confirmation).

use outhaul_protocol_wire::head::{BundleKind, Key};

/// The annotation.
pub const ANNOTATION: &str = "outhaul.dev/confirm";

/// What to do about objects of a resource that a plane holds.
pub(crate) fn advice(plane: &str, key: &Key) -> String {
    let kind = match key.kind {
        BundleKind::Release => "release",
        BundleKind::Bundle => "bundle",
    };
    format!(
        "`outhaul confirm {plane} {kind}/{}/{} remove` lets go what is held, `leave` instead of `remove` leaves it there",
        key.namespace, key.name
    )
}
