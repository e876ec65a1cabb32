//! What a plane says about the objects of one resource.

use bincode::{Decode, Encode};

use crate::digest::{Digest, FieldHasher};
use crate::head::{Key, Version};
use crate::ids::Uid;
use crate::object::ObjectRef;

/// Health of one object, in the words of OpenChoreo's `healthStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Health {
    /// Not there, or it cannot be judged.
    Unknown,
    /// On its way.
    Progressing,
    /// As desired.
    Healthy,
    /// Stopped on purpose.
    Suspended,
    /// Failing.
    Degraded,
}

/// Why an object is not as desired, in a word that scripts can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum BlockerReason {
    /// Another field manager owns a field.
    Conflict,
    /// The plane's RBAC does not let the agent do it.
    Forbidden,
    /// The API server finds the object invalid.
    Invalid,
    /// A field that cannot change would have to.
    Immutable,
    /// A quota of the namespace is used up.
    QuotaExceeded,
    /// An admission webhook said no.
    WebhookRefused,
    /// An admission webhook did not answer.
    WebhookUnavailable,
    /// The cluster does not serve this kind.
    KindUnknown,
    /// The namespace is being deleted.
    NamespaceTerminating,
    /// The object is too large for the API server.
    TooLarge,
    /// The API server is away, overloaded or failing.
    ApiUnavailable,
    /// The object exists and carries the tracking labels of another owner.
    OwnedByAnother,
    /// The object is being deleted and something holds it.
    Terminating,
    /// The manifest cannot be read.
    Malformed,
    /// Held: letting it go with all that went lately would be more than the plane lets go unasked.
    OverBudget,
    /// Held: it, or an object that would go with it, is of a kind or has an annotation that asks for a confirmation.
    Protected,
    /// Held for one of these reasons, where the policy of the plane's owner takes a confirmation only on the plane.
    OwnerConfirms,
    /// The policy of the plane's owner excludes it: it stays as it is, and is managed no more.
    PolicyForbids,
    /// The policy of the plane's owner pauses all work there.
    PolicyPauses,
    /// The policy of the plane's owner lets nothing be changed there; the message says what would be.
    PolicyObserves,
    /// Something else has the name of an object that is to run once.
    NameTaken,
    /// It ran once, and failed.
    Failed,
    /// It ran once, and was gone before its end was seen.
    Vanished,
    /// It ran once, and was deleted before its end.
    Cancelled,
    /// Held: the plane knows its hub's control plane by another witness, and nobody has confirmed this one.
    ControlPlaneChanged,
    /// A route that is not opened, since what would ask its callers is not in place.
    Unguarded,
}

/// Why one object is stuck, and for people what to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Blocker {
    /// The named reason.
    pub reason: BlockerReason,
    /// A sentence, at most [`crate::limits::MESSAGE_BYTES`] bytes.
    pub message: String,
}

/// The `.status` of a live object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub enum RawStatus {
    /// The object has none, or is not there.
    Absent,
    /// Canonical JSON, at most [`crate::limits::RAW_STATUS`] bytes.
    Json(Vec<u8>),
    /// Too large to travel.
    Summary {
        /// Bytes of its canonical JSON.
        bytes: u64,
        /// Digest of its canonical JSON.
        digest: Digest,
    },
}

/// State of one object of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct ObjectReport {
    /// Its id within the resource's spec.
    pub id: String,
    /// Which object it is in the plane.
    pub object: ObjectRef,
    /// Its uid there, once it exists.
    pub uid: Option<Uid>,
    /// Its health.
    pub health: Health,
    /// Its live status.
    pub status: RawStatus,
    /// What keeps it from being as desired.
    pub blocker: Option<Blocker>,
}

/// An object that the plane still has for a resource although its spec does not name it any more: on its way
/// out, or held.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Leftover {
    /// Which object.
    pub object: ObjectRef,
    /// Its uid.
    pub uid: Option<Uid>,
    /// Why it is still there, if not merely on its way out.
    pub blocker: Option<Blocker>,
}

/// What changed about one resource since the last report, or all of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Report {
    /// The resource.
    pub key: Key,
    /// The version that the plane works on.
    pub version: Version,
    /// Whether `objects` are the whole list; otherwise they replace entries of the same id.
    pub whole: bool,
    /// States of objects. In a whole report they are in spec order.
    pub objects: Vec<ObjectReport>,
    /// All objects on their way out.
    pub leftovers: Vec<Leftover>,
    /// The [`observed`] hash over the list as it now is. A report that does not fit one frame is cut into several:
    /// its lists go on in the next frame, and only the last one has the hash. No other report comes between.
    pub observed: Option<Digest>,
}

/// The hash over everything a plane says about one resource: each object's id, identity, uid, health, raw status
/// and blocker in spec order, then the leftovers. It has no times in it, so an unchanged plane has an unchanged
/// hash.
pub fn observed<'a>(
    objects: impl IntoIterator<Item = &'a ObjectReport>,
    leftovers: impl IntoIterator<Item = &'a Leftover>,
) -> Digest {
    let mut hasher = FieldHasher::default();
    for report in objects {
        hasher.field(&report.id);
        hash_object(&mut hasher, &report.object);
        hasher.optional(report.uid.as_ref().map(Uid::as_str));
        hasher.field(report.health.as_str());
        hasher.optional(report.status.digest().map(|digest| digest.0));
        hash_blocker(&mut hasher, report.blocker.as_ref());
    }
    hasher.field("leftovers");
    for leftover in leftovers {
        hash_object(&mut hasher, &leftover.object);
        hasher.optional(leftover.uid.as_ref().map(Uid::as_str));
        hash_blocker(&mut hasher, leftover.blocker.as_ref());
    }
    hasher.finish()
}

impl Health {
    /// The health as OpenChoreo spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Progressing => "Progressing",
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Degraded => "Degraded",
        }
    }

    /// Whether nothing more is expected to happen.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Healthy | Self::Suspended => true,
            Self::Unknown | Self::Progressing | Self::Degraded => false,
        }
    }
}

impl BlockerReason {
    /// All of them, in the order of their byte form.
    pub const ALL: [Self; 26] = [
        Self::Conflict,
        Self::Forbidden,
        Self::Invalid,
        Self::Immutable,
        Self::QuotaExceeded,
        Self::WebhookRefused,
        Self::WebhookUnavailable,
        Self::KindUnknown,
        Self::NamespaceTerminating,
        Self::TooLarge,
        Self::ApiUnavailable,
        Self::OwnedByAnother,
        Self::Terminating,
        Self::Malformed,
        Self::OverBudget,
        Self::Protected,
        Self::OwnerConfirms,
        Self::PolicyForbids,
        Self::PolicyPauses,
        Self::PolicyObserves,
        Self::NameTaken,
        Self::Failed,
        Self::Vanished,
        Self::Cancelled,
        Self::ControlPlaneChanged,
        Self::Unguarded,
    ];

    /// Why an object that is to go waits for somebody: to confirm that it may, or to change the policy that excludes it.
    pub const HELD: [Self; 5] = [
        Self::OverBudget,
        Self::Protected,
        Self::OwnerConfirms,
        Self::PolicyForbids,
        Self::ControlPlaneChanged,
    ];

    /// The reason as status, REST and Events spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "Conflict",
            Self::Forbidden => "Forbidden",
            Self::Invalid => "Invalid",
            Self::Immutable => "Immutable",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::WebhookRefused => "WebhookRefused",
            Self::WebhookUnavailable => "WebhookUnavailable",
            Self::KindUnknown => "KindUnknown",
            Self::NamespaceTerminating => "NamespaceTerminating",
            Self::TooLarge => "TooLarge",
            Self::ApiUnavailable => "ApiUnavailable",
            Self::OwnedByAnother => "OwnedByAnother",
            Self::Terminating => "Terminating",
            Self::Malformed => "Malformed",
            Self::OverBudget => "OverBudget",
            Self::Protected => "Protected",
            Self::OwnerConfirms => "OwnerConfirms",
            Self::PolicyForbids => "PolicyForbids",
            Self::PolicyPauses => "PolicyPauses",
            Self::PolicyObserves => "PolicyObserves",
            Self::NameTaken => "NameTaken",
            Self::Failed => "Failed",
            Self::Vanished => "Vanished",
            Self::Cancelled => "Cancelled",
            Self::ControlPlaneChanged => "ControlPlaneChanged",
            Self::Unguarded => "Unguarded",
        }
    }

    /// Whether nobody but the owner of the plane can let go what is held for it.
    pub fn awaits_owner(self) -> bool {
        matches!(self, Self::OwnerConfirms | Self::PolicyForbids)
    }

    /// Whether it is one of [`Self::HELD`].
    pub fn is_held(self) -> bool {
        Self::HELD.contains(&self)
    }
}

impl RawStatus {
    /// The status as it travels: whole, or summarised where it is larger than [`crate::limits::RAW_STATUS`].
    pub fn from_canonical(json: Vec<u8>) -> Self {
        if json.len() <= crate::limits::RAW_STATUS {
            return Self::Json(json);
        }
        Self::summary(&json)
    }

    /// Summarises a status that is longer than `room`. Returns the room that is left after it.
    pub fn within(&mut self, room: usize) -> usize {
        let Self::Json(json) = self else { return room };
        match room.checked_sub(json.len()) {
            Some(rest) => rest,
            None => {
                *self = Self::summary(json);
                room
            }
        }
    }

    fn summary(json: &[u8]) -> Self {
        Self::Summary {
            bytes: json.len() as u64,
            digest: Digest::of(json),
        }
    }

    /// Digest of the status, the same whether it travels whole or summarised.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::Absent => None,
            Self::Json(json) => Some(Digest::of(json)),
            Self::Summary { digest, .. } => Some(*digest),
        }
    }
}

fn hash_object(hasher: &mut FieldHasher, object: &ObjectRef) {
    let ObjectRef {
        group,
        version,
        kind,
        namespace,
        name,
    } = object;
    for field in [group, version, kind, namespace, name] {
        hasher.field(field);
    }
}

fn hash_blocker(hasher: &mut FieldHasher, blocker: Option<&Blocker>) {
    hasher.optional(blocker.map(|blocker| blocker.reason.as_str()));
    hasher.optional(blocker.map(|blocker| &blocker.message));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> ObjectReport {
        ObjectReport {
            id: "deployment".into(),
            object: ObjectRef {
                group: "apps".into(),
                version: "v1".into(),
                kind: "Deployment".into(),
                namespace: "shop".into(),
                name: "cart".into(),
            },
            uid: Some(Uid::new("u-1").unwrap()),
            health: Health::Progressing,
            status: RawStatus::Json(b"{}".to_vec()),
            blocker: None,
        }
    }

    #[test]
    fn all_reasons_are_all_that_there_are() {
        let read = |number: u8| crate::codec::decode::<BlockerReason, 16>(&[number]).ok();
        let there: Vec<BlockerReason> = (0..u8::MAX).map_while(read).collect();
        assert_eq!(there, BlockerReason::ALL);
    }

    #[test]
    fn every_part_of_a_report_counts_in_the_observed_hash() {
        let original = report();
        let blocker = Blocker {
            reason: BlockerReason::Conflict,
            message: "kubectl owns .spec".into(),
        };
        let changes: [fn(&mut ObjectReport); 5] = [
            |report| report.id.push('x'),
            |report| report.object.name.push('x'),
            |report| report.uid = None,
            |report| report.health = Health::Healthy,
            |report| report.status = RawStatus::Absent,
        ];
        let mut hashes = vec![observed([&original], [])];
        for change in changes {
            let mut changed = report();
            change(&mut changed);
            hashes.push(observed([&changed], []));
        }
        hashes.push(observed(
            [&ObjectReport {
                blocker: Some(blocker.clone()),
                ..report()
            }],
            [],
        ));
        let leftover = Leftover {
            object: report().object,
            uid: None,
            blocker: None,
        };
        hashes.push(observed([&original], [&leftover]));
        hashes.push(observed(
            [&original],
            [&Leftover {
                blocker: Some(blocker),
                ..leftover
            }],
        ));
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn a_summarised_status_has_the_digest_of_the_whole() {
        let large = vec![b' '; crate::limits::RAW_STATUS + 1];
        let summary = RawStatus::from_canonical(large.clone());
        assert!(matches!(summary, RawStatus::Summary { .. }));
        assert_eq!(summary.digest(), RawStatus::Json(large).digest());
    }

    #[test]
    fn statuses_are_summarised_once_their_room_is_used_up() {
        let mut statuses = [30, 50, 10].map(|length| RawStatus::Json(vec![b' '; length]));
        let digests = statuses.each_ref().map(RawStatus::digest);
        let room = statuses.iter_mut().fold(60, |room, status| status.within(room));
        assert_eq!(room, 20);
        assert!(matches!(
            statuses,
            [
                RawStatus::Json(_),
                RawStatus::Summary { bytes: 50, .. },
                RawStatus::Json(_)
            ]
        ));
        assert_eq!(statuses.each_ref().map(RawStatus::digest), digests);
    }
}
