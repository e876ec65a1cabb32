//! Objects as numbers, for looking them up among thousands that are alike in most of what names them.

use core::hash::{Hash as _, Hasher as _};
use std::hash::DefaultHasher;

use outhaul_protocol_wire::object::ObjectRef;

/// A hash over what makes an object one: group, kind, namespace and name. The same in every process. Two objects may have
/// the same one, so whoever finds something by it compares.
pub(crate) fn of(object: &ObjectRef) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.identity().hash(&mut hasher);
    hasher.finish()
}
