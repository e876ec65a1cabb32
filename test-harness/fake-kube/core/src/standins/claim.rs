//! PersistentVolumeClaims: bound, as if a provisioner had made a volume.

use serde_json::{Value, json};

use super::action::{self, Action};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

pub(super) fn plan(_: &Cluster, claim: &Value, _: &Moment) -> Vec<Action> {
    if claim["status"]["phase"] == "Bound" {
        return Vec::new();
    }
    let resource = GroupResource::new("", "persistentvolumeclaims");
    let volume = json!({"spec": {"volumeName": format!("pvc-{}", meta::uid(claim))}});
    let status = json!({
        "phase": "Bound", "accessModes": claim["spec"]["accessModes"],
        "capacity": claim["spec"]["resources"]["requests"],
    });
    vec![
        Action::Patch {
            resource: resource.clone(),
            key: action::key(claim),
            patch: volume,
        },
        Action::SetStatus {
            resource,
            key: action::key(claim),
            status,
        },
    ]
}
