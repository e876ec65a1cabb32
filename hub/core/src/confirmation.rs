//! Where an operator confirms what a plane holds: an annotation of the resource, which says a
//! [`Confirmation`](outhaul_protocol_wire::confirmation::Confirmation).

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::report::BlockerReason;

use crate::resource::bundle_name;

/// The annotation.
pub const ANNOTATION: &str = "outhaul.dev/confirm";

/// What to do about objects of a resource that a plane holds for this reason.
pub(crate) fn advice(plane: &str, key: &Key, reason: BlockerReason) -> String {
    if reason == BlockerReason::ControlPlaneChanged {
        return format!("`outhaul plane confirm {plane}`, if this control plane is the right one");
    }
    match reason.awaits_owner() {
        true => format!("{} leave` leaves it there and forgets it", command(plane, key)),
        false => either(plane, key),
    }
}

/// What to do where both verdicts count.
pub(crate) fn either(plane: &str, key: &Key) -> String {
    format!(
        "{} remove` lets go what is held, `leave` instead of `remove` leaves it there",
        command(plane, key)
    )
}

fn command(plane: &str, key: &Key) -> String {
    format!("`outhaul confirm {plane} {}", bundle_name(key).path())
}
