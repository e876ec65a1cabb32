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
    let command = format!("`outhaul confirm {plane} {}", bundle_name(key).path());
    match reason.awaits_owner() {
        true => format!("{command} leave` leaves it there and forgets it"),
        false => {
            format!("{command} remove` lets go what is held, `leave` instead of `remove` leaves it there")
        }
    }
}
