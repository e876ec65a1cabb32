//! The `status` of a Release or Bundle, from what its plane reported: a pure function, so that an unchanged plane
//! gives an unchanged status and nothing is written.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use outhaul_hub_resources::conditions::{self, FINALIZING, HELD, READY};
use outhaul_hub_resources::{DeliveredContent, DeliveryStatus, InventoryEntry, ResourceStatus, SessionTerm};
use outhaul_protocol_session::hub::Reported;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::{Generation, Move, PlaneName, Term, Uid};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{ObjectReport, RawStatus};
use serde_json::{Value, json};

use crate::condition::{self, Said, whole_seconds};
use crate::confirmation;
use crate::decision::{Record, Refusal, RefusalReason};
use crate::reason;
use crate::verdict::{self, Verdict};

/// Raw status of all objects of one resource that is stored whole, at most.
pub const RAW_STATUS: usize = 256 * 1024;

/// What a stored resource may come to. etcd takes 1.5 MiB; the rest is for metadata, managed fields and conditions.
const STORED: usize = 1_400_000;

/// What one object adds to `resources` beside its raw status, and to `inventory`.
const ENTRY: usize = 300;

/// The condition that names a plane which keeps a former copy.
pub const MOVED: &str = "Moved";

/// What a status is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The resource.
    pub(crate) key: &'a Key,
    /// The status as it is stored.
    pub(crate) stored: &'a DeliveryStatus,
    /// `metadata.generation`.
    pub(crate) generation: u64,
    /// What its plane is known to hold, or gets as soon as the plane is recorded.
    pub(crate) content: Option<(Generation, Digest)>,
    /// Length of the spec.
    pub(crate) spec_bytes: usize,
    /// Whether its objects run once.
    pub(crate) once: bool,
    /// The plane to record, where it is not recorded yet.
    pub(crate) record: Option<&'a Record>,
    /// Why the resource cannot be delivered.
    pub(crate) refusal: Option<&'a Refusal>,
    /// Whether its objects are on their way out.
    pub(crate) removing: bool,
    /// What its plane said, if that is known.
    pub(crate) reported: Option<&'a Reported>,
    /// The session that said it.
    pub(crate) term: Option<Term>,
    /// Whether this hub hears the plane: another one knows more otherwise.
    pub(crate) hears: bool,
}

/// The status that says the facts.
pub(crate) fn fold(facts: Facts<'_>, now: Timestamp) -> DeliveryStatus {
    let mut status = facts.stored.clone();
    match facts.record {
        Some(Record::Goes(plane, moved)) => record(&mut status, plane, *moved, now),
        Some(Record::Forgotten(plane)) => release(&mut status, plane, now),
        None => {}
    }
    // What names no plane is on none: another hub may have let it go while this one still hears the plane.
    let is_placed = status.plane.is_some();
    if let Some(reported) = facts.reported.filter(|_| is_placed) {
        report(&mut status, reported, facts.spec_bytes, now);
        status.term = facts.term.map(session_term);
    }
    if let Some((generation, digest)) = facts.content.filter(|_| is_placed) {
        status.content = Some(DeliveredContent {
            generation: signed(generation.0),
            digest: digest.to_string(),
        });
    }
    if let Some(said) = ready(&facts) {
        condition::set(&mut status.conditions, said, now);
    }
    if facts.removing {
        condition::set(&mut status.conditions, finalizing(&facts), now);
    }
    if let Some(said) = held(&facts, status.plane.as_deref().unwrap_or_default()) {
        condition::set(&mut status.conditions, said, now);
    }
    status
}

/// Whether two statuses say the same. Who reported it is nothing that anybody waits for.
pub(crate) fn same(left: &DeliveryStatus, right: &DeliveryStatus) -> bool {
    // Field by field, so that comparing large statuses copies nothing; a new field must be placed here.
    let DeliveryStatus {
        conditions,
        observed_generation,
        plane,
        r#move,
        content,
        term: _,
        observed,
        inventory,
        resources,
    } = left;
    (observed, observed_generation, plane, r#move, content)
        == (
            &right.observed,
            &right.observed_generation,
            &right.plane,
            &right.r#move,
            &right.content,
        )
        && conditions == &right.conditions
        && inventory == &right.inventory
        && resources == &right.resources
}

/// The term as a status has it.
pub(crate) fn session_term(term: Term) -> SessionTerm {
    SessionTerm {
        boot: signed(term.boot),
        dial: signed(term.dial),
    }
}

fn record(status: &mut DeliveryStatus, plane: &PlaneName, moved: Move, now: Timestamp) {
    let former = status.plane.replace(plane.to_string());
    status.r#move = Some(signed(moved.0));
    let Some(former) = former else { return };
    let kept = status.inventory.len();
    let said = Said {
        r#type: MOVED,
        status: conditions::status::TRUE,
        reason: reason::OLD_COPY_KEPT.to_owned(),
        message: format!(
            "moved from plane {former}, which keeps {kept} objects until they are removed there"
        ),
        generation: None,
    };
    condition::set(&mut status.conditions, said, now);
    unsay(status);
}

/// The plane was forgotten. How often it moved stays: the plane may be served again one day.
fn release(status: &mut DeliveryStatus, plane: &PlaneName, now: Timestamp) {
    status.plane = None;
    let kept = status.inventory.len();
    let said = Said {
        r#type: conditions::PLANE_FORGOTTEN,
        status: conditions::status::TRUE,
        reason: reason::PLANE_FORGOTTEN.to_owned(),
        message: format!(
            "plane {plane} was forgotten; it had {kept} objects when it was last heard of, and nothing was removed there"
        ),
        generation: None,
    };
    condition::set(&mut status.conditions, said, now);
    unsay(status);
}

/// Forgets what a former plane said.
fn unsay(status: &mut DeliveryStatus) {
    status.observed = None;
    status.observed_generation = None;
    status.content = None;
    status.term = None;
    status.inventory.clear();
    status.resources.clear();
}

fn report(status: &mut DeliveryStatus, reported: &Reported, spec_bytes: usize, now: Timestamp) {
    status.observed_generation = Some(signed(reported.version.generation.0));
    status.observed = Some(reported.observed.to_string());
    // What everybody reads has room first, then what `resources` does not name, then the rest.
    let (listed, left) = (ENTRY * reported.objects.len(), ENTRY * reported.leftovers.len());
    let room = STORED.saturating_sub(spec_bytes + listed);
    let (inventory, room) = match room {
        room if room >= listed + left => (whole_inventory(reported), room - listed - left),
        room if room >= left => (leaving(reported).collect(), room - left),
        room => (Vec::new(), room),
    };
    status.inventory = inventory;
    let mut room = room.min(RAW_STATUS);
    let former = core::mem::take(&mut status.resources);
    status.resources = reported
        .objects
        .iter()
        .filter(|object| is_named(&object.object))
        .enumerate()
        .map(|(place, object)| {
            let entry = entry(object, &mut room);
            seen(entry, object, find(&former, place, &object.id), now)
        })
        .collect();
}

fn whole_inventory(reported: &Reported) -> Vec<InventoryEntry> {
    let objects = reported.objects.iter();
    let there = objects.filter_map(|object| inventory_entry(&object.object, Some(object.uid.as_ref()?)));
    there.chain(leaving(reported)).collect()
}

/// The part that `resources` does not name.
fn leaving(reported: &Reported) -> impl Iterator<Item = InventoryEntry> {
    let leftovers = reported.leftovers.iter();
    leftovers.filter_map(|leftover| inventory_entry(&leftover.object, leftover.uid.as_ref()))
}

fn inventory_entry(object: &ObjectRef, uid: Option<&Uid>) -> Option<InventoryEntry> {
    is_named(object).then(|| InventoryEntry {
        group: object.group.clone(),
        version: object.version.clone(),
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        uid: uid.map(Uid::as_str).unwrap_or_default().to_owned(),
    })
}

/// An entry of a spec that is no Kubernetes object has no place in a list of objects: the condition names it.
fn is_named(object: &ObjectRef) -> bool {
    ![&object.version, &object.kind, &object.name]
        .iter()
        .any(|text| text.is_empty())
}

fn entry(report: &ObjectReport, room: &mut usize) -> ResourceStatus {
    let mut raw = report.status.clone();
    *room = raw.within(*room);
    let (status, summarized) = match &raw {
        RawStatus::Absent => (None, false),
        RawStatus::Json(json) => (serde_json::from_slice::<Value>(json).ok(), false),
        RawStatus::Summary { bytes, digest } => {
            (Some(json!({"bytes": bytes, "sha256": digest.to_string()})), true)
        }
    };
    ResourceStatus {
        id: report.id.clone(),
        group: report.object.group.clone(),
        version: report.object.version.clone(),
        kind: report.object.kind.clone(),
        namespace: report.object.namespace.clone(),
        name: report.object.name.clone(),
        health_status: Some(report.health.as_str().to_owned()),
        last_observed_time: None,
        status,
        summarized,
    }
}

/// `lastObservedTime` is absent while there is no live object, and moves with status or health only.
fn seen(
    mut entry: ResourceStatus,
    report: &ObjectReport,
    former: Option<&ResourceStatus>,
    now: Timestamp,
) -> ResourceStatus {
    let unchanged =
        former.filter(|former| former.status == entry.status && former.health_status == entry.health_status);
    entry.last_observed_time = report.uid.as_ref().map(|_exists| {
        unchanged
            .and_then(|former| former.last_observed_time.clone())
            .unwrap_or(Time(whole_seconds(now)))
    });
    entry
}

/// Lists keep their order mostly, so the same place is looked at first.
fn find<'a>(entries: &'a [ResourceStatus], place: usize, id: &str) -> Option<&'a ResourceStatus> {
    let same = |entry: &&ResourceStatus| entry.id == id;
    entries
        .get(place)
        .filter(same)
        .or_else(|| entries.iter().find(same))
}

fn ready(facts: &Facts<'_>) -> Option<Said> {
    if facts.removing {
        return None;
    }
    let (status, reason, message, generation) = match (facts.refusal, facts.reported, facts.record) {
        (Some(refusal), _, _) => (
            conditions::status::FALSE,
            refusal.reason.as_str(),
            fullest(facts, refusal).to_owned(),
            facts.generation,
        ),
        (None, _, Some(Record::Goes(plane, _))) => (
            conditions::status::FALSE,
            reason::DELIVERING,
            format!("on its way to plane {plane}"),
            facts.generation,
        ),
        (None, Some(reported), None) => {
            let Verdict { reason, message } = match facts.once {
                true => verdict::judge_run(reported),
                false => verdict::judge(reported),
            };
            let status = match reason == reason::ALL_HEALTHY {
                true => conditions::status::TRUE,
                false => conditions::status::FALSE,
            };
            (status, reason, message, reported.version.generation.0)
        }
        (None, _, Some(Record::Forgotten(_))) | (None, None, None) => return no_longer_refused(facts),
    };
    Some(Said {
        r#type: READY,
        status,
        reason: reason.to_owned(),
        message,
        generation: Some(generation),
    })
}

/// What is stored may say more of the same refusal: another hub, or this one before it restarted, heard from the plane
/// what came of it. That stands until the plane reports, so that two hubs do not write over each other's words.
fn fullest<'a>(facts: &Facts<'a>, refusal: &'a Refusal) -> &'a str {
    let has_it = facts.reported.is_some_and(|reported| {
        facts
            .content
            .is_some_and(|(held, _)| held == reported.version.generation)
    });
    let stored = condition::get(&facts.stored.conditions, READY).filter(|stored| {
        !has_it
            && stored.reason == refusal.reason.as_str()
            && stored.observed_generation == Some(signed(facts.generation))
            && stored.message.starts_with(&refusal.message)
    });
    stored.map_or(&refusal.message, |stored| &stored.message)
}

/// After a restart the last report is not known, and what is stored stands; except that a refusal may be over. Of one
/// that follows from what the plane said, only its next report says that: a replica without a session of it would
/// otherwise take back what the replica with one says, again and again.
fn no_longer_refused(facts: &Facts<'_>) -> Option<Said> {
    let stored = condition::get(&facts.stored.conditions, READY)?;
    let edited = stored.observed_generation != Some(signed(facts.generation));
    let over = match stored.reason.as_str() {
        reason::INVALID_SPEC | reason::NO_PLANE | reason::NOT_ADMITTED => true,
        reason::HUB_BEHIND | reason::STATUS_REFUSED => edited,
        _ => false,
    };
    over.then(|| Said {
        r#type: READY,
        status: conditions::status::FALSE,
        reason: reason::DELIVERING.to_owned(),
        message: "on its way to its plane".to_owned(),
        generation: Some(facts.generation),
    })
}

fn finalizing(facts: &Facts<'_>) -> Said {
    let held = facts.refusal.map(|refusal| refusal.message.clone());
    let stuck = match facts.reported {
        Some(reported) if facts.hears => held.or_else(|| verdict::stuck(reported)),
        Some(_) | None => held.or_else(|| stored_failure(facts)),
    };
    let (reason, message) = match stuck {
        None => (
            reason::CLEANUP_IN_PROGRESS,
            "Cleaning up dataplane resources".to_owned(),
        ),
        Some(message) => (reason::CLEANUP_FAILED, message),
    };
    Said {
        r#type: FINALIZING,
        status: conditions::status::TRUE,
        reason: reason.to_owned(),
        message,
        generation: Some(facts.generation),
    }
}

/// What its plane holds; said until nothing is held any more, and never where nothing ever was.
fn held(facts: &Facts<'_>, plane: &str) -> Option<Said> {
    if let Some(refusal) = facts
        .refusal
        .filter(|it| it.reason == RefusalReason::DeletedInBulk)
    {
        return Some(Said {
            r#type: HELD,
            status: conditions::status::TRUE,
            reason: refusal.reason.as_str().to_owned(),
            message: format!("{}; {}", refusal.message, confirmation::either(plane, facts.key)),
            generation: Some(facts.generation),
        });
    }
    let reported = facts.reported?;
    let (status, reason, message) = match verdict::held(reported) {
        Some(blocker) => (
            conditions::status::TRUE,
            blocker.reason.as_str(),
            format!(
                "{}; {}",
                verdict::shortened(&blocker.message),
                confirmation::advice(plane, facts.key, blocker.reason)
            ),
        ),
        None => {
            condition::get(&facts.stored.conditions, HELD)?;
            (
                conditions::status::FALSE,
                reason::RELEASED,
                "nothing is held".to_owned(),
            )
        }
    };
    Some(Said {
        r#type: HELD,
        status,
        reason: reason.to_owned(),
        message,
        generation: Some(reported.version.generation.0),
    })
}

/// What another hub, or this one before it restarted, heard of a removal; it stands until the plane reports to this one.
fn stored_failure(facts: &Facts<'_>) -> Option<String> {
    let stored = condition::get(&facts.stored.conditions, FINALIZING)?;
    let same = stored.reason == reason::CLEANUP_FAILED
        && stored.observed_generation == Some(signed(facts.generation));
    same.then(|| stored.message.clone())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
