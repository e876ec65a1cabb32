//! Values that several test modules start from.

use outhaul_protocol_wire::head::{BundleKind, Key};
use outhaul_protocol_wire::ids::Uid;

pub(crate) fn release_key(name: &str) -> Key {
    key(BundleKind::Release, name)
}

pub(crate) fn bundle_key(name: &str) -> Key {
    key(BundleKind::Bundle, name)
}

fn key(kind: BundleKind, name: &str) -> Key {
    Key {
        kind,
        namespace: "acme".into(),
        name: name.into(),
        uid: Uid::new(format!("uid-{name}")).unwrap(),
    }
}
