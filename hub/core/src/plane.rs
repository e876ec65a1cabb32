//! One plane: what its resource says, and the order of its queue.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use outhaul_hub_resources::{self as resources, OrphanDecision, PlanePolicy, names};
use outhaul_protocol_session::hub::{Queue, Queued};
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{BundleKind, Head, Key};
use outhaul_protocol_wire::ids::{InvalidName, PlaneName, Uid};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::Orphans;

use crate::delivery::{Delivery, Entry};
use crate::output::WriteId;
use crate::routing::Going;

/// A `Plane` as the API server returned it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneRecord {
    /// Its name.
    pub name: PlaneName,
    /// Its uid.
    pub uid: Uid,
    /// Its `metadata.resourceVersion`, a number that grows.
    pub resource_version: u64,
    /// Whether its agent is refused.
    pub revoked: bool,
    /// Whether it will never return.
    pub forgotten: bool,
    /// Whether it has a deletionTimestamp.
    pub deleting: bool,
    /// All its finalizers, in their order.
    pub finalizers: Vec<String>,
    /// Public keys that may connect, as its spec names them.
    pub keys: Vec<String>,
    /// The key that enrolled.
    pub enrolled: Option<String>,
    /// What becomes of its orphans.
    pub decisions: Vec<OrphanDecision>,
    /// The control plane that it is to take for the one that it knew, as its spec says.
    pub control_plane: String,
    /// What its status says of the policy of the plane's owner.
    pub policy: Option<PlanePolicy>,
    /// Who may use it, and for what.
    pub admits: Vec<resources::Admission>,
    /// What is said of it.
    pub conditions: Vec<Condition>,
}

/// Whether a key may connect as a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It may.
    Accepted,
    /// It may, being the first: it has to be recorded.
    First,
    /// It is not the one that the Plane records.
    KeyUnknown,
    /// The plane is revoked.
    Revoked,
    /// The plane was forgotten.
    Forgotten,
}

/// The hub's state of one plane.
#[derive(Debug, Default)]
pub(crate) struct Plane {
    pub(crate) record: Option<PlaneRecord>,
    pub(crate) orphans: Orphans,
    /// Orphans that the plane is told what to do with, in its session.
    pub(crate) decided: BTreeMap<Key, Head>,
    /// Those that it has done since: their decisions are not needed any more.
    pub(crate) done: BTreeSet<Key>,
    /// Since when it has no session; none where another hub has one, and says so.
    pub(crate) lost: Option<Duration>,
    pub(crate) writes: PlaneWrites,
    order: BTreeMap<u64, Key>,
    keys: BTreeSet<Key>,
    contents: BTreeSet<(Digest, Key)>,
    /// Heads whose content the hub does not have.
    digests: BTreeSet<(Digest, Key)>,
}

/// Writes to the Plane that are on their way.
#[derive(Debug, Default)]
pub(crate) struct PlaneWrites {
    /// The one under way.
    pub(crate) pending: Option<WriteId>,
    pub(crate) failures: u32,
    /// When the next may be made.
    pub(crate) not_before: Duration,
    /// When it is looked at again whether anything is on a Plane that is deleted.
    pub(crate) look: Option<Duration>,
    /// Since when a Plane that is deleted has nothing on it.
    pub(crate) empty: Option<Duration>,
}

/// A plane's queue as its session reads it.
#[derive(Clone, Copy)]
pub(crate) struct PlaneQueue<'a> {
    pub(crate) plane: &'a Plane,
    pub(crate) deliveries: &'a BTreeMap<Key, Delivery>,
}

impl PlaneRecord {
    /// Reads a Plane.
    ///
    /// # Errors
    /// Its name or uid cannot be used.
    pub fn read(plane: resources::Plane) -> Result<Self, InvalidName> {
        let status = plane.status.unwrap_or_default();
        let resource_version = plane.metadata.resource_version.as_deref();
        Ok(Self {
            resource_version: resource_version
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            name: PlaneName::new(plane.metadata.name.unwrap_or_default())?,
            uid: Uid::new(plane.metadata.uid.unwrap_or_default())?,
            revoked: plane.spec.revoked,
            forgotten: plane.spec.forgotten,
            deleting: plane.metadata.deletion_timestamp.is_some(),
            finalizers: plane.metadata.finalizers.unwrap_or_default(),
            keys: plane.spec.keys,
            enrolled: status.key,
            decisions: plane.spec.decisions,
            control_plane: plane.spec.control_plane,
            policy: status.policy,
            admits: plane.spec.admits,
            conditions: status.conditions,
        })
    }

    /// Whether it has our finalizer.
    pub fn has_finalizer(&self) -> bool {
        self.finalizers.iter().any(|name| name == names::FINALIZER)
    }

    /// Whether nothing new goes there, and why.
    pub(crate) fn going(&self) -> Option<Going> {
        match (self.forgotten, self.deleting) {
            (true, _) => Some(Going::Forgotten),
            (false, true) => Some(Going::Deleted),
            (false, false) => None,
        }
    }

    /// Judges the SHA-256 of a public key.
    pub fn judge(&self, key: &Digest) -> Judgement {
        if self.forgotten {
            return Judgement::Forgotten;
        }
        let key = key.to_string();
        match (self.revoked, self.keys.is_empty(), &self.enrolled) {
            (true, _, _) => Judgement::Revoked,
            (false, false, _) if self.keys.contains(&key) => Judgement::Accepted,
            (false, true, Some(enrolled)) if *enrolled == key => Judgement::Accepted,
            (false, true, None) => Judgement::First,
            (false, _, _) => Judgement::KeyUnknown,
        }
    }
}

impl Plane {
    pub(crate) fn enqueue(&mut self, entry: &Entry) {
        let key = &entry.head.key;
        self.decided.remove(key);
        self.order.insert(entry.place, key.clone());
        self.keys.insert(key.clone());
        let digest = (entry.head.digest, key.clone());
        match entry.content() {
            Some(_) => self.contents.insert(digest),
            None => self.digests.insert(digest),
        };
    }

    pub(crate) fn dequeue(&mut self, entry: &Entry) {
        let key = &entry.head.key;
        self.order.remove(&entry.place);
        self.keys.remove(key);
        let digest = (entry.head.digest, key.clone());
        self.contents.remove(&digest);
        self.digests.remove(&digest);
    }

    /// The plane has nothing left of this one. Returns whether it was shown as an orphan.
    pub(crate) fn no_orphan(&mut self, key: &Key) -> bool {
        let shown = self.orphans.keys.iter().position(|orphan| orphan == key);
        if let Some(place) = shown {
            self.orphans.keys.remove(place);
            self.orphans.total = self.orphans.total.saturating_sub(1);
        }
        shown.is_some()
    }

    /// Keys in their order.
    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.keys.iter()
    }

    /// A resource in the queue whose head has this content, which the hub has too.
    pub(crate) fn with_content(&self, digest: Digest) -> Option<&Key> {
        first_of(&self.contents, digest)
    }

    /// One of which the hub only has the digest.
    pub(crate) fn without_content(&self, digest: Digest) -> Option<&Key> {
        first_of(&self.digests, digest)
    }
}

impl<'a> PlaneQueue<'a> {
    fn entry(self, key: &Key) -> Option<&'a Entry> {
        self.deliveries.get(key)?.queued.as_ref()
    }
}

impl Queue for PlaneQueue<'_> {
    fn heads(&self) -> impl Iterator<Item = Queued<'_>> {
        self.plane
            .order
            .values()
            .filter_map(|key| Some(queued(self.entry(key)?)))
    }

    fn head(&self, key: &Key) -> Option<Queued<'_>> {
        if self.plane.keys.contains(key) {
            return Some(queued(self.entry(key)?));
        }
        let head = self.plane.decided.get(key)?;
        Some(Queued { head, recorded: true })
    }

    fn observed(&self) -> impl Iterator<Item = (&Key, &Digest)> {
        self.plane.keys.iter().filter_map(|key| {
            let observed = self.deliveries.get(key)?.observed.as_ref()?;
            Some((key, observed))
        })
    }

    fn inline(&self, digest: &Digest) -> Option<Content> {
        let key = self.plane.with_content(*digest)?;
        let content = self.entry(key)?.content()?;
        (content.zstd.len() <= limits::INLINE_BYTES).then(|| content.clone())
    }
}

fn queued(entry: &Entry) -> Queued<'_> {
    Queued {
        head: &entry.head,
        recorded: entry.recorded,
    }
}

fn first_of(index: &BTreeSet<(Digest, Key)>, digest: Digest) -> Option<&Key> {
    let (found, key) = index.range((digest, first_key())..).next()?;
    (*found == digest).then_some(key)
}

/// Below every key.
fn first_key() -> Key {
    Key {
        kind: BundleKind::Release,
        namespace: String::new(),
        name: String::new(),
        uid: Uid::new("-").expect("one byte is a uid"),
    }
}
