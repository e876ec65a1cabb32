//! A plane, what is meant for it, and one object.

use outhaul_hub_core::view::{
    BundleName, BundleState, BundleView, ConnectionView, KindName, ObjectName, ObjectView, OrphansView,
    PlaneView, QueueView, TermView, VersionView,
};

/// A connected plane.
pub(in crate::rest) fn plane(name: &str) -> PlaneView {
    PlaneView {
        name: name.to_owned(),
        enrolled: true,
        revoked: false,
        forgotten: false,
        connection: Some(ConnectionView {
            since: "2026-01-02T03:04:05Z".to_owned(),
            remote: "192.0.2.7:50000".to_owned(),
            term: TermView { boot: 3, dial: 14 },
            agent_version: "0.1.0".to_owned(),
            kubernetes_version: "v1.37.1".to_owned(),
            certificate_expires: "2027-01-02T03:04:05Z".to_owned(),
        }),
        queue: QueueView {
            bundles: 1,
            unacknowledged: 0,
            lag_ms: 0,
        },
        orphans: OrphansView::default(),
        policy: None,
        unconfirmed: None,
        since: None,
    }
}

pub(in crate::rest) fn bundle_name(name: &str) -> BundleName {
    BundleName {
        kind: KindName::Release,
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    }
}

/// A Release that is ready.
pub(in crate::rest) fn bundle(plane: &str, name: &str) -> BundleView {
    BundleView {
        bundle: bundle_name(name),
        uid: format!("uid-of-{name}"),
        plane: plane.to_owned(),
        version: VersionView {
            epoch: 1,
            generation: 2,
            moved: 0,
        },
        digest: "ab".repeat(32),
        state: BundleState::Ready,
        blocker: None,
        observed: Some("cd".repeat(32)),
        objects: vec![object("web")],
        leftovers: Vec::new(),
        since: None,
    }
}

/// A healthy Deployment.
pub(in crate::rest) fn object(name: &str) -> ObjectView {
    ObjectView {
        id: "deployment".to_owned(),
        object: ObjectName {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: "shop-prod".to_owned(),
            name: name.to_owned(),
        },
        uid: Some(format!("uid-of-{name}")),
        health: "Healthy".to_owned(),
        blocker: None,
    }
}
