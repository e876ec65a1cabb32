//! What is kept of an object that a watch tells.

use kube::core::ObjectMeta;
use kube::{Resource as _, ResourceExt as _};
use outhaul_hub_resources::{Condition, ConfigurationGroupSpec, Release, Stored};
use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::digest::Digest;
use serde::Deserialize;
use serde_json::Value;

use super::platform::project::ORGANIZATION;
use super::{Id, Kind, Object, credentials};

/// An object, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// Which object.
    pub id: Id,
    /// Its uid.
    pub uid: String,
    /// Its `metadata.resourceVersion`; API servers promise that it grows and is a number.
    pub version: u64,
    /// What it says, or why nobody can tell.
    pub object: Result<Object, Unread>,
    /// Digest of the `spec` of a Release.
    pub digest: Option<Digest>,
}

/// An object that does not have the form of its kind: why, and what can be said of it nevertheless.
#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    /// Why.
    pub why: String,
    /// Its `metadata.generation`.
    pub generation: Option<i64>,
    /// What its status says.
    pub conditions: Vec<Condition>,
    /// Of which generation.
    pub observed_generation: Option<i64>,
}

impl Unread {
    fn of(stored: &Stored, why: String) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Status {
            #[serde(default)]
            conditions: Vec<Condition>,
            #[serde(default)]
            observed_generation: Option<i64>,
        }
        let status: Option<Status> = stored
            .status()
            .and_then(|status| serde_json::from_str(status).ok());
        let status = status.unwrap_or_default();
        Self {
            why,
            generation: stored.meta().generation,
            conditions: status.conditions,
            observed_generation: status.observed_generation,
        }
    }
}

impl Sight {
    /// Reads an object as the API server returned it. Nobody here needs its managed fields; of a Release the ids of
    /// its objects are kept, and neither what they are nor their raw status nor the inventory; of a DataPlane or
    /// BuildPlane that it holds credentials, and not which; no values of a ConfigurationGroup. Of what nothing is made of,
    /// labels and the like are not kept either, but for the one that names a Project's Organization: a fleet has many of
    /// them.
    pub fn read(kind: Kind, stored: &Stored) -> Self {
        let mut object = Object::read(kind, stored).map_err(|error| Unread::of(stored, described(&error)));
        let mut digest = None;
        if let Ok(object) = &mut object {
            object.metadata_mut().managed_fields = None;
            match object {
                Object::Release(release) => {
                    digest = digest_of_spec(stored);
                    leave_out_content(release);
                }
                Object::DataPlane(plane) => {
                    credentials::leave_out(&mut plane.metadata, plane.spec.kubernetes_cluster.as_mut());
                    plane.spec.observer = None;
                }
                Object::BuildPlane(plane) => {
                    credentials::leave_out(&mut plane.metadata, plane.spec.kubernetes_cluster.as_mut());
                    plane.spec.observer = None;
                }
                Object::ConfigurationGroup(group) => group.spec = ConfigurationGroupSpec::default(),
                Object::Namespace(namespace) => {
                    namespace.spec = None;
                    namespace.status = None;
                }
                _ => {}
            }
            if kind.is_platform() || matches!(kind, Kind::Namespace | Kind::Plane) {
                leave_out_metadata(kind, object.metadata_mut());
            }
        }
        Self {
            id: Id {
                kind,
                namespace: stored.namespace().unwrap_or_default(),
                name: stored.name_any(),
            },
            uid: stored.uid().unwrap_or_default(),
            version: stored
                .resource_version()
                .and_then(|version| version.parse().ok())
                .unwrap_or_default(),
            object,
            digest,
        }
    }
}

/// Digest of a `spec`, as [`Sight::digest`] has it.
pub(super) fn digest(spec: &Value) -> Digest {
    Digest::of(&canonical::to_vec(spec))
}

fn digest_of_spec(stored: &Stored) -> Option<Digest> {
    let spec = serde_json::from_str(stored.spec()?).ok()?;
    Some(digest(&spec))
}

fn leave_out_metadata(kind: Kind, metadata: &mut ObjectMeta) {
    if !matches!(kind, Kind::DataPlane | Kind::BuildPlane) {
        metadata.annotations = None;
    }
    let labels = metadata.labels.take().unwrap_or_default().into_iter();
    let mut kept = labels.filter(|(label, _)| kind == Kind::Project && label == ORGANIZATION);
    metadata.labels = kept.next().map(|label| [label].into());
    metadata.finalizers = None;
    metadata.owner_references = None;
}

fn leave_out_content(release: &mut Release) {
    for resource in &mut release.spec.resources {
        resource.object = Value::Null;
    }
    if let Some(status) = &mut release.status {
        status.inventory = Vec::new();
        for resource in &mut status.resources {
            resource.status = None;
        }
    }
}

fn described(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
