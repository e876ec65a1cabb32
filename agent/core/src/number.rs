//! Objects as numbers: for looking them up among thousands that are alike in most of what names them, and for knowing
//! those again of which nothing else is kept.

use outhaul_protocol_wire::digest::FieldHasher;
use outhaul_protocol_wire::object::ObjectRef;

/// The first bytes of a digest over what makes an object one: group, kind, namespace and name. That two objects have the
/// same one is as good as impossible, and nobody can find a name with the number of a given object. Who has the objects
/// at hand compares all the same.
pub(crate) fn of(object: &ObjectRef) -> u64 {
    let (group, kind, namespace, name) = object.identity();
    let mut hasher = FieldHasher::default();
    for field in [group, kind, namespace, name] {
        hasher.field(field);
    }
    let [a, b, c, d, e, f, g, h, ..] = hasher.finish().0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
