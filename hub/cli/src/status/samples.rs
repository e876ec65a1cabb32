//! Answers as hubs give them, for the tests of what is made of them.

use jiff::Timestamp;
use serde_json::json;

use super::parse;
use crate::answers::{Blocker, Bundle, ObjectName, Plane, Policy};

/// Three minutes after the sample plane connected.
pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:07:10Z".parse().unwrap()
}

/// A plane whose owner's policy is in this mode.
pub(super) fn governed(name: &str, mode: &str) -> Plane {
    Plane {
        policy: Some(Policy {
            mode: mode.to_owned(),
            confirmations: "Hub".to_owned(),
            problem: None,
        }),
        ..plane(name)
    }
}

pub(crate) fn plane(name: &str) -> Plane {
    let answer = json!({
        "name": name,
        "enrolled": true,
        "revoked": false,
        "connection": {
            "since": "2026-01-02T03:04:05Z",
            "remote": "192.0.2.7:50000",
            "term": {"boot": 3, "dial": 14},
            "agentVersion": "0.1.0",
            "kubernetesVersion": "v1.37.1",
            "certificateExpires": "2027-01-02T03:07:10Z",
        },
        "queue": {"bundles": 2, "unacknowledged": 0, "lagMs": 0},
        "orphans": {"total": 0, "bundles": []},
    });
    parse(&answer).unwrap()
}

pub(super) fn bundle(name: &str) -> Bundle {
    let object = |id: &str, group: &str, kind: &str| {
        json!({
            "id": id, "group": group, "version": "v1", "kind": kind, "namespace": "shop-prod", "name": "web",
            "uid": "u", "health": "Healthy",
        })
    };
    let answer = json!({
        "kind": "Release",
        "namespace": "shop",
        "name": name,
        "uid": "u",
        "plane": "eu",
        "version": {"epoch": 1, "generation": 2, "moved": 0},
        "digest": "ab",
        "state": "Ready",
        "objects": [
            object("deployment", "apps", "Deployment"),
            object("route", "gateway.networking.k8s.io", "HTTPRoute"),
        ],
        "leftovers": [],
    });
    parse(&answer).unwrap()
}

pub(super) fn object(kind: &str, group: &str, name: &str) -> ObjectName {
    ObjectName {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: "shop-prod".to_owned(),
        name: name.to_owned(),
    }
}

pub(super) fn blocker(reason: &str) -> Blocker {
    Blocker {
        reason: reason.to_owned(),
        message: "It says why.".to_owned(),
    }
}
