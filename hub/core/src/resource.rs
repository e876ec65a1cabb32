//! A Release or Bundle as the API server returned it, read once at the edge.
//!
//! The `spec` is taken from the raw JSON: its canonical form is what travels, and its digest is what planes compare.
//! Reading it costs a sort, a hash and a compression, so a [`Reader`] remembers what it read per generation: a
//! status write comes back through the watch and costs almost nothing.

use core::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use kube::{Resource as _, ResourceExt as _};
use outhaul_hub_resources::{DeliveryStatus, Stored, names};
use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::confirmation::Confirmation;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{BundleKind, Confirmed, Key};
use outhaul_protocol_wire::ids::{Generation, InvalidName, Move, PlaneName, Uid};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::spec::{self, Lifecycle, Spec, SpecError};
use serde::Deserialize;
use serde_json::Value;
use zstd::bulk::Compressor;

use crate::confirmation;
use crate::view::{BundleName, KindName};

/// zstd's default: about 300 MB/s, so content near the limit costs 3 ms once per edit.
const ZSTD_LEVEL: i32 = 3;

/// A Release or Bundle.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Which resource.
    pub key: Key,
    /// All but its `spec`.
    pub around: Around,
    /// Its `spec`.
    pub spec: Arc<ReadSpec>,
}

/// What surrounds the `spec` of a resource: the part that our own writes change.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// Its generation.
    pub generation: Generation,
    /// Its `metadata.resourceVersion`; API servers promise that it grows and is a number.
    pub resource_version: u64,
    /// Whether it has a deletionTimestamp.
    pub deleting: bool,
    /// Its deletionTimestamp.
    pub deleted: Option<Timestamp>,
    /// All its finalizers, in their order.
    pub finalizers: Vec<String>,
    /// What somebody confirmed about objects of it that are held.
    pub confirmation: Option<Confirmation>,
    /// Its `status`; the empty one where it has none, or one that cannot be read.
    pub status: DeliveryStatus,
    /// Whether it has one.
    pub has_status: bool,
    /// Whether it could be read.
    pub status_readable: bool,
}

/// What a `spec` says.
#[derive(Debug)]
pub struct ReadSpec {
    /// Where it wants to go.
    pub target: Target,
    /// Digest of its canonical JSON.
    pub digest: Digest,
    /// Length of its canonical JSON.
    pub length: usize,
    /// What to deliver, or why it cannot be delivered.
    pub delivery: Result<Deliverable, Undeliverable>,
}

/// Why a `spec` cannot be delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undeliverable {
    /// It breaks a rule or a limit.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// It is no JSON that can be read. The error names a place, never what stands there.
    #[error("spec cannot be read: {0}")]
    Json(String),
}

/// Where a resource wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To the plane of this Environment.
    Environment(String),
    /// To this Plane.
    Plane(String),
}

/// A spec that can travel.
#[derive(Debug)]
pub struct Deliverable {
    /// Its canonical JSON, compressed.
    pub content: Content,
    /// Its objects in spec order.
    pub objects: Vec<DesiredObject>,
    /// The namespaces and cluster-scoped kinds that its objects are in, and those that have to be there first.
    pub scopes: BTreeSet<Scope>,
    /// How long it is worked on.
    pub lifecycle: Lifecycle,
}

/// One object of a spec, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredObject {
    /// Its id.
    pub id: String,
    /// Which object; none where the entry is no Kubernetes object.
    pub object: Option<ObjectRef>,
}

/// What an object needs an admission for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A namespace of the plane.
    Namespace(String),
    /// A kind without namespace: `Kind`, or `group/Kind`.
    Cluster(String),
}

/// An object without what every stored object has.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It has no usable uid.
    #[error("the object's uid cannot be used")]
    Uid(#[source] InvalidName),
}

/// Reads resources of one kind.
#[derive(Debug)]
pub struct Reader {
    kind: BundleKind,
    read: HashMap<(String, String), Remembered>,
}

#[derive(Debug)]
struct Remembered {
    uid: Uid,
    generation: Generation,
    spec: Arc<ReadSpec>,
}

impl Reader {
    /// A reader of one kind.
    pub fn new(kind: BundleKind) -> Self {
        Self {
            kind,
            read: HashMap::new(),
        }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// It lacks what every stored object has. Whatever is wrong with its `spec` is in [`ReadSpec::delivery`].
    pub fn read(&mut self, object: &Stored) -> Result<Resource, Unreadable> {
        let key = key(self.kind, object)?;
        let spec = self.spec(&key, object);
        let around = Around::read(object);
        Ok(Resource { key, around, spec })
    }

    /// Forgets one object.
    pub fn forget(&mut self, namespace: &str, name: &str) {
        self.read.remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Forgets all: before a complete list, since a restored control plane may reuse a generation.
    pub fn forget_all(&mut self) {
        self.read.clear();
    }

    fn spec(&mut self, key: &Key, object: &Stored) -> Arc<ReadSpec> {
        let generation = generation(object);
        let place = (key.namespace.clone(), key.name.clone());
        if let Some(read) = self.read.get(&place)
            && (&read.uid, read.generation) == (&key.uid, generation)
        {
            return Arc::clone(&read.spec);
        }
        let spec = Arc::new(ReadSpec::read(self.kind, object.spec().unwrap_or("null")));
        let remembered = Remembered {
            uid: key.uid.clone(),
            generation,
            spec: Arc::clone(&spec),
        };
        self.read.insert(place, remembered);
        spec
    }
}

impl Resource {
    /// The finalizer that keeps a resource of this kind until its objects are gone.
    pub fn finalizer(&self) -> &'static str {
        finalizer(self.key.kind)
    }

    /// Whether it has our finalizer.
    pub fn has_finalizer(&self) -> bool {
        self.around.finalizers.iter().any(|name| name == self.finalizer())
    }

    /// The plane that its status records, and how often it has moved.
    pub fn recorded(&self) -> Option<(PlaneName, Move)> {
        let plane = self.around.status.plane.as_deref()?;
        let moved = self
            .around
            .status
            .r#move
            .and_then(|number| u64::try_from(number).ok());
        Some((PlaneName::new(plane).ok()?, Move(moved.unwrap_or_default())))
    }

    /// Whether its plane has already reported on this generation: then that plane held it.
    pub fn is_reported(&self, generation: Generation) -> bool {
        let observed = self.around.status.observed_generation;
        observed.and_then(|number| u64::try_from(number).ok()) == Some(generation.0)
    }

    /// Whether its spec says that it runs once.
    pub fn runs_once(&self) -> bool {
        let delivery = self.spec.delivery.as_ref();
        delivery.is_ok_and(|delivery| delivery.lifecycle == Lifecycle::Once)
    }

    /// The content that its plane is known to have been given, by generation and digest.
    pub fn delivered(&self) -> Option<(Generation, Digest)> {
        let content = self.around.status.content.as_ref()?;
        let generation = Generation(u64::try_from(content.generation).ok()?);
        Some((generation, Digest::from_hex(&content.digest)?))
    }
}

impl Around {
    /// What somebody confirmed about a generation of it.
    pub fn confirmed(&self, generation: Generation) -> Option<Confirmed> {
        self.confirmation?.of(generation)
    }

    /// Reads all but the `spec`.
    pub fn read(object: &Stored) -> Self {
        let status = object
            .status()
            .map_or_else(|| Ok(DeliveryStatus::default()), serde_json::from_str);
        Self {
            has_status: object.status().is_some(),
            status_readable: status.is_ok(),
            generation: generation(object),
            resource_version: object
                .resource_version()
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            deleting: object.meta().deletion_timestamp.is_some(),
            deleted: object.meta().deletion_timestamp.as_ref().map(|time| time.0),
            finalizers: object.finalizers().to_vec(),
            confirmation: confirmation(object),
            status: status.unwrap_or_default(),
        }
    }
}

impl ReadSpec {
    fn read(kind: BundleKind, json: &str) -> Self {
        let target = Aim::read(json).target(kind);
        match value(json) {
            Ok(spec) => {
                let canonical = canonical::to_vec(&spec);
                Self {
                    target,
                    digest: Digest::of(&canonical),
                    length: canonical.len(),
                    delivery: deliverable(kind, &spec, &canonical),
                }
            }
            // It travels nowhere: its digest only tells it from others.
            Err(error) => Self {
                target,
                digest: Digest::of(json.as_bytes()),
                length: json.len(),
                delivery: Err(error),
            },
        }
    }
}

/// Reads a spec, if that can be done on any stack.
fn value(json: &str) -> Result<Value, Undeliverable> {
    spec::check_depth(json)?;
    serde_json::from_str(json).map_err(|error| Undeliverable::Json(error.to_string()))
}

/// The fields of a spec that say where it wants to go, read past everything else.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Aim {
    environment_name: String,
    plane: String,
}

impl Aim {
    fn read(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    fn target(self, kind: BundleKind) -> Target {
        match kind {
            BundleKind::Release => Target::Environment(self.environment_name),
            BundleKind::Bundle => Target::Plane(self.plane),
        }
    }
}

/// What its annotation confirms. One that cannot be read confirms nothing: what is held stays, and still says so.
fn confirmation(object: &Stored) -> Option<Confirmation> {
    object.annotations().get(confirmation::ANNOTATION)?.parse().ok()
}

/// The finalizer of a kind.
pub fn finalizer(kind: BundleKind) -> &'static str {
    match kind {
        BundleKind::Release => names::RELEASE_FINALIZER,
        BundleKind::Bundle => names::FINALIZER,
    }
}

/// The key of an object.
///
/// # Errors
/// It has no usable uid.
pub fn key(kind: BundleKind, object: &Stored) -> Result<Key, Unreadable> {
    Ok(Key {
        kind,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: Uid::new(object.uid().unwrap_or_default()).map_err(Unreadable::Uid)?,
    })
}

/// A key as people name it.
pub fn bundle_name(key: &Key) -> BundleName {
    BundleName {
        kind: match key.kind {
            BundleKind::Release => KindName::Release,
            BundleKind::Bundle => KindName::Bundle,
        },
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}

fn generation(object: &Stored) -> Generation {
    let number = object.meta().generation;
    Generation(
        number
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or_default(),
    )
}

fn deliverable(kind: BundleKind, spec: &Value, canonical: &[u8]) -> Result<Deliverable, Undeliverable> {
    spec::check_length(canonical)?;
    let read = Spec::read(kind, spec)?;
    let objects: Vec<_> = read.entries.iter().map(desired_object).collect();
    let needed = read
        .ensure
        .iter()
        .filter_map(|entry| entry.manifest.as_ref().ok());
    let scopes = objects
        .iter()
        .filter_map(|desired| desired.object.as_ref())
        .chain(needed.map(|manifest| &manifest.object))
        .map(scope)
        .collect();
    Ok(Deliverable {
        content: compress(canonical),
        objects,
        scopes,
        lifecycle: read.lifecycle,
    })
}

fn desired_object(entry: &spec::Entry) -> DesiredObject {
    DesiredObject {
        id: entry.id.clone(),
        object: entry
            .manifest
            .as_ref()
            .ok()
            .map(|manifest| manifest.object.clone()),
    }
}

/// The hub cannot know which kinds have a namespace: an object that names none counts as cluster-scoped. A Namespace
/// always does.
fn scope(object: &ObjectRef) -> Scope {
    let namespace_itself = object.group.is_empty() && object.kind == "Namespace";
    match object.namespace.as_str() {
        namespace if !namespace.is_empty() && !namespace_itself => Scope::Namespace(namespace.to_owned()),
        _ if object.group.is_empty() => Scope::Cluster(object.kind.clone()),
        _ => Scope::Cluster(format!("{}/{}", object.group, object.kind)),
    }
}

thread_local! {
    /// Making its tables takes longer than compressing most specs.
    static COMPRESSOR: RefCell<Compressor<'static>> =
        RefCell::new(Compressor::new(ZSTD_LEVEL).expect("the level is one of zstd's"));
}

fn compress(canonical: &[u8]) -> Content {
    let zstd = COMPRESSOR.with_borrow_mut(|compressor| compressor.compress(canonical));
    Content {
        length: u32::try_from(canonical.len()).expect("a spec within its limit is below 4 GiB"),
        zstd: zstd.expect("compressing to memory cannot fail"),
    }
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::limits;
    use serde_json::json;

    use super::*;

    fn object(generation: i64, spec: &Value) -> Stored {
        with_status(generation, spec, &Value::Null)
    }

    fn with_status(generation: i64, spec: &Value, status: &Value) -> Stored {
        serde_json::from_value(json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
            "metadata": {"name": "cart", "namespace": "shop", "uid": "u-1", "generation": generation,
                "finalizers": ["openchoreo.dev/dataplane-cleanup"]},
            "spec": spec, "status": status,
        }))
        .unwrap()
    }

    fn config_map(id: &str) -> Value {
        json!({"id": id, "object": {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": id, "namespace": "shop"}}})
    }

    #[test]
    fn content_is_the_canonical_form_of_the_raw_spec() {
        let spec = json!({"z": 1, "environmentName": "dev", "resources": [config_map("a")]});
        let resource = Reader::new(BundleKind::Release).read(&object(1, &spec)).unwrap();
        let delivery = resource.spec.delivery.as_ref().unwrap();
        let canonical =
            zstd::bulk::decompress(&delivery.content.zstd, delivery.content.length as usize).unwrap();
        assert_eq!(canonical, canonical::to_vec(&spec));
        assert_eq!(resource.spec.digest, Digest::of(&canonical));
        assert_eq!(resource.spec.target, Target::Environment("dev".into()));
        assert_eq!(delivery.scopes, BTreeSet::from([Scope::Namespace("shop".into())]));
        assert!(resource.has_finalizer());
    }

    #[test]
    fn a_spec_is_read_once_per_generation() {
        let mut reader = Reader::new(BundleKind::Release);
        let spec = json!({"environmentName": "dev"});
        let first = reader.read(&object(1, &spec)).unwrap();
        let same = reader.read(&object(1, &spec)).unwrap();
        assert!(Arc::ptr_eq(&first.spec, &same.spec));
        let edited = reader
            .read(&object(2, &json!({"environmentName": "prod"})))
            .unwrap();
        assert_ne!(edited.spec.digest, first.spec.digest);
        reader.forget_all();
        let again = reader.read(&object(2, &spec)).unwrap();
        assert_eq!(again.spec.digest, first.spec.digest);
    }

    #[test]
    fn what_cannot_be_delivered_is_named_and_still_has_a_digest() {
        let long = json!({"environmentName": "dev", "resources": [], "x": "x".repeat(limits::SPEC_BYTES)});
        let twice = json!({"resources": [config_map("a"), config_map("a")]});
        for (spec, expected) in [
            (long, "1048"),
            (twice, "two objects with id"),
            (json!({"resources": 7}), "list"),
        ] {
            let resource = Reader::new(BundleKind::Release).read(&object(1, &spec)).unwrap();
            let error = resource.spec.delivery.as_ref().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(resource.spec.digest, Digest::of(&canonical::to_vec(&spec)));
        }
    }

    #[test]
    fn a_spec_that_no_reader_bears_is_named_and_still_has_a_target() {
        let read = |odd: &str| {
            let text = format!(
                r#"{{"metadata": {{"name": "cart", "uid": "u-1"}},
                "spec": {{"environmentName": "dev", "resources": [{{"object": {odd}}}]}}}}"#
            );
            Reader::new(BundleKind::Release)
                .read(&serde_json::from_str(&text).unwrap())
                .unwrap()
        };
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        // The spec, its list and its entry are three.
        for (odd, expected) in [
            (
                nested(limits::SPEC_DEPTH - 2),
                "spec nests 101 lists and maps in each other, at most 100",
            ),
            (nested(10_000), "spec nests 10003"),
            (r#""\ud800""#.to_owned(), "spec cannot be read"),
        ] {
            let resource = read(&odd);
            let error = resource.spec.delivery.as_ref().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(resource.spec.target, Target::Environment("dev".into()));
        }
        let error = read(&nested(limits::SPEC_DEPTH - 3))
            .spec
            .delivery
            .as_ref()
            .unwrap_err()
            .to_string();
        assert!(error.contains("id is missing"), "read in full: {error}");
    }

    #[test]
    fn a_status_that_cannot_be_read_is_not_taken_for_none() {
        let malformed = with_status(1, &json!({}), &json!({"conditions": 7}));
        let resource = Reader::new(BundleKind::Release).read(&malformed).unwrap();
        assert!(!resource.around.status_readable);
        let resource = Reader::new(BundleKind::Release)
            .read(&object(1, &json!({})))
            .unwrap();
        assert!(resource.around.status_readable);
    }
}
