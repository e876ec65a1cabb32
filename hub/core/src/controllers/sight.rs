//! What is kept of an object that a watch tells.

use std::collections::{HashMap, VecDeque};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::ObjectMeta;
use kube::{Resource as _, ResourceExt as _};
use outhaul_hub_resources::{
    Condition, ConfigurationGroupSpec, DeliveryStatus, Release, ReleaseSpec, Stored,
};
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
    /// What owns it.
    pub owners: Vec<OwnerReference>,
    /// Whether it is being deleted.
    pub is_going: bool,
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
            owners: owners(stored),
            is_going: stored.meta().deletion_timestamp.is_some(),
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
        Self::new(kind, stored, object, digest)
    }

    fn new(kind: Kind, stored: &Stored, object: Result<Object, Unread>, digest: Option<Digest>) -> Self {
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

/// Releases whose spec is remembered: those that roll out at the same time on a busy hub, a megabyte or two.
const REMEMBERED: usize = 1_024;

/// Reads what a watch tells of one kind. It remembers what the spec of a Release came to that changed of late: a rollout
/// writes the status a dozen times, and most of what is told then is the spec again.
#[derive(Debug)]
pub struct Reader {
    kind: Kind,
    specs: HashMap<(String, String), Remembered>,
    /// In the order in which they came to be remembered.
    order: VecDeque<(String, String)>,
}

#[derive(Debug)]
struct Remembered {
    uid: String,
    generation: i64,
    spec: ReleaseSpec,
    digest: Option<Digest>,
}

/// All of a Release but its `spec`.
#[derive(Deserialize)]
struct Around {
    metadata: ObjectMeta,
    #[serde(default)]
    status: Option<DeliveryStatus>,
}

impl Reader {
    /// A reader of one kind.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            specs: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Reads an object, as [`Sight::read`] does.
    pub fn read(&mut self, stored: &Stored) -> Sight {
        if let Some(sight) = self.remembered(stored) {
            return sight;
        }
        let sight = Sight::read(self.kind, stored);
        if let (Ok(Object::Release(release)), Some(generation)) = (&sight.object, stored.meta().generation) {
            let remembered = Remembered {
                uid: sight.uid.clone(),
                generation,
                spec: release.spec.clone(),
                digest: sight.digest,
            };
            self.remember(place(stored), remembered);
        }
        sight
    }

    fn remember(&mut self, place: (String, String), remembered: Remembered) {
        if self.specs.insert(place.clone(), remembered).is_none() {
            self.order.push_back(place);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.specs.remove(&oldest);
        }
    }

    /// Forgets one object.
    pub fn forget(&mut self, stored: &Stored) {
        let place = place(stored);
        self.specs.remove(&place);
        self.order.retain(|known| *known != place);
    }

    /// Forgets all: before a complete list, since a restored control plane may reuse a generation.
    pub fn forget_all(&mut self) {
        self.specs.clear();
        self.order.clear();
    }

    fn remembered(&self, stored: &Stored) -> Option<Sight> {
        let known = self.specs.get(&place(stored))?;
        let meta = stored.meta();
        let same = (meta.uid.as_deref(), meta.generation) == (Some(&*known.uid), Some(known.generation));
        if !same {
            return None;
        }
        let Around { metadata, status } = serde_json::from_str(stored.json()).ok()?;
        let mut release = Release {
            metadata,
            spec: known.spec.clone(),
            status,
        };
        release.metadata.managed_fields = None;
        leave_out_content(&mut release);
        let object = Object::Release(Box::new(release));
        Some(Sight::new(self.kind, stored, Ok(object), known.digest))
    }
}

fn place(stored: &Stored) -> (String, String) {
    (stored.namespace().unwrap_or_default(), stored.name_any())
}

/// What owns an object; nothing, as far as that cannot be read either.
fn owners(stored: &Stored) -> Vec<OwnerReference> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Metadata {
        owner_references: Option<Vec<OwnerReference>>,
    }
    #[derive(Default, Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    let object: Object = serde_json::from_str(stored.json()).unwrap_or_default();
    object.metadata.owner_references.unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(object: &Value) -> Stored {
        serde_json::from_str(&object.to_string()).unwrap()
    }

    fn release() -> Value {
        json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
            "metadata": {
                "name": "cart", "namespace": "acme", "uid": "u-1", "resourceVersion": "7", "generation": 1,
                "labels": {"a": "b"},
                "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {
                "owner": {"projectName": "shop", "componentName": "cart"}, "environmentName": "dev",
                "resources": [{"id": "one", "object": {"kind": "ConfigMap", "data": {"a": "1"}}}],
            },
        })
    }

    #[test]
    fn a_release_that_is_told_again_is_read_as_it_would_be_alone() {
        let mut reader = Reader::new(Kind::Release);
        let entry = json!({
            "id": "one", "version": "v1", "kind": "ConfigMap", "name": "cart", "healthStatus": "Healthy",
            "status": {"large": true},
        });
        let mut object = release();
        for change in [
            json!({}),
            json!({"metadata": {"resourceVersion": "8"}, "status": {"plane": "eu", "resources": [entry]}}),
            json!({"metadata": {"labels": {"a": "c"}, "finalizers": ["f"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}),
            json!({"metadata": {"generation": 2}, "spec": {"environmentName": "prod"}}),
            json!({"metadata": {"uid": "u-2"}, "spec": {"environmentName": "dev"}}),
            json!({"status": {"plane": 7}}),
            json!({"status": null}),
            json!({"metadata": {"generation": 3}, "spec": {"resources": 7}}),
            json!({"metadata": {"name": "other"}, "spec": {"resources": null}}),
        ] {
            json_patch::merge(&mut object, &change);
            let stored = stored(&object);
            assert_eq!(
                reader.read(&stored),
                Sight::read(Kind::Release, &stored),
                "{change}"
            );
        }
    }

    #[test]
    fn the_spec_of_a_generation_is_read_once() {
        let mut reader = Reader::new(Kind::Release);
        let first = stored(&release());
        let digest = reader.read(&first).digest;
        let mut object = release();
        object["spec"]["environmentName"] = json!("prod");
        let second = stored(&object);
        assert_eq!(reader.read(&second).digest, digest);
        reader.forget(&first);
        assert_ne!(reader.read(&second).digest, digest);
        reader.forget_all();
        assert_eq!(reader.read(&first).digest, digest);
    }

    #[test]
    fn what_was_forgotten_takes_no_room() {
        let mut reader = Reader::new(Kind::Release);
        let named = |name: &str| {
            let mut object = release();
            object["metadata"]["name"] = json!(name);
            stored(&object)
        };
        let again = named("again");
        reader.read(&again);
        reader.forget(&again);
        reader.read(&again);
        for index in 1..REMEMBERED {
            reader.read(&named(&format!("release-{index}")));
        }
        assert!(reader.remembered(&again).is_some());
    }

    #[test]
    fn only_the_specs_that_changed_last_are_remembered() {
        let mut reader = Reader::new(Kind::Release);
        for index in 0..REMEMBERED + 10 {
            let mut object = release();
            object["metadata"]["name"] = json!(format!("release-{index}"));
            reader.read(&stored(&object));
        }
        assert_eq!((reader.specs.len(), reader.order.len()), (REMEMBERED, REMEMBERED));
        assert!(
            !reader
                .specs
                .contains_key(&("acme".to_owned(), "release-9".to_owned()))
        );
    }
}
