//! PersistentVolumeClaims: bound to a volume that a provisioner might have made, which goes with its claim.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::note::Note;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::store::Key;

const CONTROLLER: &str = "persistentvolume-controller";
const PROVISIONER: &str = "outhaul.dev/test-provisioner";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

pub(super) fn plan(cluster: &Cluster, claim: &Value, _: &Moment) -> Vec<Action> {
    if claim["status"]["phase"] == "Bound" {
        return Vec::new();
    }
    let resource = claims();
    let name = volume_of(claim);
    let patch = json!({
        "metadata": {"annotations": {
            "pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
            "volume.kubernetes.io/storage-provisioner": PROVISIONER,
        }},
        "spec": {"volumeName": name},
    });
    let status = json!({
        "phase": "Bound", "accessModes": claim["spec"]["accessModes"],
        "capacity": claim["spec"]["resources"]["requests"],
    });
    let key = action::key(claim);
    let mut actions = Vec::new();
    if cluster.store.get(&volumes(), &Key::new("", &name)).is_none() {
        let message = format!("Successfully provisioned volume {name}");
        let note = Note::normal(claim, CONTROLLER, "ProvisioningSucceeded", message);
        actions.extend([create_volume(claim, &name), Action::Say(note)]);
    }
    actions.push(Action::Patch {
        resource: resource.clone(),
        key: key.clone(),
        patch,
    });
    actions.push(Action::SetStatus {
        resource,
        key,
        status,
    });
    actions
}

/// A volume that was made for a claim goes with it, unless it is to be kept.
pub(super) fn plan_volume(cluster: &Cluster, volume: &Value, _: &Moment) -> Vec<Action> {
    if volume["metadata"]["annotations"][PROVISIONED_BY] != PROVISIONER {
        return Vec::new();
    }
    let claim = &volume["spec"]["claimRef"];
    let text = |field: &str| claim[field].as_str().unwrap_or_default();
    let key = Key::new(text("namespace"), text("name"));
    let exists = cluster
        .store
        .get(&claims(), &key)
        .is_some_and(|found| meta::uid(found.value()) == text("uid"));
    let phase = if exists { "Bound" } else { "Released" };
    let key = action::key(volume);
    if !exists && volume["spec"]["persistentVolumeReclaimPolicy"] != "Retain" {
        return vec![Action::Delete {
            resource: volumes(),
            key,
        }];
    }
    let mut status = volume["status"].clone();
    status["phase"] = phase.into();
    vec![Action::SetStatus {
        resource: volumes(),
        key,
        status,
    }]
}

/// The name of the volume that a claim gets.
pub(super) fn volume_of(claim: &Value) -> String {
    format!("pvc-{}", meta::uid(claim))
}

fn create_volume(claim: &Value, name: &str) -> Action {
    let mut object = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"], "capacity": claim["spec"]["resources"]["requests"],
            "persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": format!("/var/volumes/{name}")},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": meta::name(claim),
                "namespace": meta::namespace(claim), "uid": meta::uid(claim),
                "resourceVersion": meta::text(claim, "resourceVersion"),
            },
        },
    });
    if claim["spec"]["storageClassName"].is_string() {
        object["spec"]["storageClassName"] = claim["spec"]["storageClassName"].clone();
    }
    Action::Create {
        resource: volumes(),
        object,
        note: None,
    }
}

fn claims() -> GroupResource {
    GroupResource::new("", "persistentvolumeclaims")
}

/// The kind of volumes.
pub(super) fn volumes() -> GroupResource {
    GroupResource::new("", "persistentvolumes")
}
