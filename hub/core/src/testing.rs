//! Values for tests.

use outhaul_protocol_session::hub::Reported;
use outhaul_protocol_wire::head::Version;
use outhaul_protocol_wire::ids::{Generation, Uid};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{self, Health, ObjectReport, RawStatus};

/// A Deployment of namespace `shop`, as its plane reports it.
pub(crate) fn object(name: &str, health: Health) -> ObjectReport {
    ObjectReport {
        id: name.to_owned(),
        object: ObjectRef {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            namespace: "shop".into(),
            name: name.to_owned(),
        },
        uid: (health != Health::Unknown).then(|| Uid::new(format!("u-{name}")).unwrap()),
        health,
        status: RawStatus::Json(br#"{"replicas":1}"#.to_vec()),
        blocker: None,
    }
}

/// A list of a generation.
pub(crate) fn reported(generation: u64, objects: Vec<ObjectReport>) -> Reported {
    Reported {
        version: Version {
            generation: Generation(generation),
            ..Version::default()
        },
        observed: report::observed(&objects, &[]),
        objects,
        leftovers: Vec::new(),
    }
}
