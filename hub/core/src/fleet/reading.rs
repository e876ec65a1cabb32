//! What is shown of the fleet.

use core::time::Duration;

use outhaul_hub_resources::ResourceStatus;
use outhaul_hub_resources::conditions::{CONNECTED, FINALIZING, HELD, READY, status};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::ids::{PlaneName, Uid};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, Leftover, ObjectReport};

use super::{Fleet, Live, refusal};
use crate::condition;
use crate::confirmation;
use crate::decision::{Refusal, RefusalReason};
use crate::delivery::{Delivery, Entry};
use crate::now::Now;
use crate::plane::{Judgement, Plane, PlaneRecord};
use crate::policy;
use crate::resource::bundle_name;
use crate::verdict;
use crate::view::{
    BlockerView, BundleName, BundleState, BundleView, ConnectionView, Found, LeftoverView, ObjectName,
    ObjectView, OrphansView, PlaneView, PolicyView, QueueView, TermView, VersionView,
};

impl Fleet {
    /// All planes that have a resource, by name.
    pub fn planes(&self, now: Now) -> Vec<PlaneView> {
        let names = self.planes.keys();
        names.filter_map(|name| self.plane_view(name, now)).collect()
    }

    /// One plane.
    pub fn plane_view(&self, name: &PlaneName, now: Now) -> Option<PlaneView> {
        let plane = self.planes.get(name)?;
        let record = plane.record.as_ref()?;
        Some(PlaneView {
            name: name.to_string(),
            enrolled: record.enrolled.is_some() || !record.keys.is_empty(),
            revoked: record.revoked,
            forgotten: record.forgotten,
            connection: self.live.get(name).map(connection),
            queue: self.queue(plane, now.uptime),
            orphans: OrphansView {
                total: plane.orphans.total,
                bundles: plane.orphans.keys.iter().map(bundle_name).collect(),
            },
            unconfirmed: self.waits_for(name, record).map(|witness| witness.to_string()),
            since: match self.live.contains_key(name) {
                true => None,
                false => disconnected(record),
            },
            policy: match self.live.get(name) {
                Some(live) => policy::shown(&live.policy).map(PolicyView::from),
                None => record.policy.clone().map(PolicyView::from),
            },
        })
    }

    /// What is meant for a plane.
    pub fn bundles(&self, name: &PlaneName) -> Option<Vec<BundleView>> {
        let plane = self.planes.get(name)?;
        let deliveries = plane.keys().filter_map(|key| self.deliveries.get(key));
        Some(deliveries.filter_map(bundle).collect())
    }

    /// A resource, wherever it is meant to go.
    pub fn find(&self, wanted: &BundleName) -> Option<Found> {
        let named = self.deliveries.iter().filter(|(key, _)| same_name(key, wanted));
        let found = named.map(|(_, delivery)| match bundle(delivery) {
            Some(view) => Found::On(Box::new(view)),
            None => Found::Nowhere(nowhere(delivery), since(delivery)),
        });
        // Of several that have had the name, one that is on a plane says more.
        found.max_by_key(|found| matches!(found, Found::On(_)))
    }

    /// One resource on a plane.
    pub fn bundle(&self, name: &PlaneName, wanted: &BundleName) -> Option<BundleView> {
        let plane = self.planes.get(name)?;
        let key = plane
            .keys()
            .filter(|key| same_name(key, wanted))
            .find_map(|key| self.deliveries.get(key))?;
        bundle(key)
    }

    /// Whether a key may connect as a plane; `None` where there is no such Plane.
    pub(super) fn judge(&self, name: &PlaneName, key: &Digest) -> Option<Judgement> {
        let record = self.planes.get(name)?.record.as_ref()?;
        Some(record.judge(key))
    }

    fn queue(&self, plane: &Plane, now: Duration) -> QueueView {
        let waiting = plane
            .keys()
            .filter_map(|key| self.deliveries.get(key))
            .filter(|delivery| delivery.is_unacknowledged())
            .filter_map(|delivery| delivery.queued.as_ref());
        let (mut unacknowledged, mut oldest) = (0, now);
        for entry in waiting {
            unacknowledged += 1;
            oldest = oldest.min(entry.since);
        }
        QueueView {
            bundles: plane.keys().len(),
            unacknowledged,
            lag_ms: u64::try_from((now - oldest).as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Since when its condition says that no agent has a session.
fn disconnected(record: &PlaneRecord) -> Option<String> {
    let connected = condition::get(&record.conditions, CONNECTED).filter(|it| it.status == status::FALSE)?;
    Some(connected.last_transition_time.0.to_string())
}

fn same_name(key: &Key, wanted: &BundleName) -> bool {
    (key.kind, &key.namespace, &key.name) == (wanted.kind.into(), &wanted.namespace, &wanted.name)
}

fn connection(live: &Live) -> ConnectionView {
    let term = live.session.term();
    ConnectionView {
        since: live.since.to_string(),
        remote: live.dialer.remote.clone(),
        term: TermView {
            boot: term.boot,
            dial: term.dial,
        },
        agent_version: live.agent_version.clone(),
        kubernetes_version: live.kubernetes_version.clone(),
        certificate_expires: live.dialer.certificate_expires.to_string(),
    }
}

fn bundle(delivery: &Delivery) -> Option<BundleView> {
    let entry = delivery.queued.as_ref()?;
    let refusal = refusal::of(delivery);
    let mut version = entry.head.version;
    if refusal
        .as_ref()
        .is_some_and(|refusal| refusal.reason == RefusalReason::DeletedInBulk)
    {
        // What waits to be confirmed is the deletion.
        version.generation = delivery.resource.around.generation;
    }
    let blocker = refusal.as_ref().map(|refusal| BlockerView {
        reason: refusal.reason.as_str().to_owned(),
        message: refusal.message.clone(),
    });
    Some(BundleView {
        bundle: bundle_name(&entry.head.key),
        uid: entry.head.key.uid.to_string(),
        plane: entry.plane.to_string(),
        version: VersionView {
            epoch: version.epoch.0,
            generation: version.generation.0,
            moved: version.moved.0,
        },
        digest: entry.head.digest.to_string(),
        state: state(delivery, entry, refusal.as_ref()),
        blocker: blocker.or_else(|| held(delivery, entry)),
        observed: delivery.observed.map(|observed| observed.to_string()),
        objects: objects(delivery),
        leftovers: leftovers(delivery),
        since: since(delivery),
    })
}

/// Since when it is not as desired, as its conditions say it.
fn since(delivery: &Delivery) -> Option<String> {
    let conditions = &delivery.resource.around.status.conditions;
    let told = [
        (HELD, status::TRUE),
        (FINALIZING, status::TRUE),
        (READY, status::FALSE),
    ];
    let mut told = told.into_iter().filter_map(|(name, wanted)| {
        condition::get(conditions, name).filter(|condition| condition.status == wanted)
    });
    told.next()
        .map(|condition| condition.last_transition_time.0.to_string())
}

fn state(delivery: &Delivery, entry: &Entry, refusal: Option<&Refusal>) -> BundleState {
    let newest = Some(entry.head.version);
    let reported = delivery.reported.as_ref().map(|reported| reported.version) == newest
        || (delivery.reported.is_none() && delivery.resource.is_reported(entry.head.version.generation));
    // Before its plane hears of it, it is found out what else is deleted.
    let removing = delivery.resource.around.deleting && refusal.is_none();
    match () {
        () if removing || entry.head.state == HeadState::Removed => BundleState::Removing,
        () if refusal.is_some() => BundleState::Refused,
        () if reported && is_ready(delivery) => BundleState::Ready,
        () if reported => BundleState::Progressing,
        () if entry.stored == newest => BundleState::Stored,
        () => BundleState::Queued,
    }
}

fn is_ready(delivery: &Delivery) -> bool {
    match &delivery.reported {
        Some(reported) => verdict::judge(reported).reason == crate::reason::ALL_HEALTHY,
        None => delivery.is_ready(),
    }
}

/// Why it is on no plane.
fn nowhere(delivery: &Delivery) -> Option<BlockerView> {
    refusal::of(delivery).map(|refusal| BlockerView {
        reason: refusal.reason.as_str().to_owned(),
        message: refusal.message,
    })
}

/// As the plane said it; after a restart, until the plane says it again, as the status keeps it.
fn objects(delivery: &Delivery) -> Vec<ObjectView> {
    match &delivery.reported {
        Some(reported) => reported.objects.iter().map(reported_object).collect(),
        None => {
            let status = &delivery.resource.around.status;
            status.resources.iter().map(stored_object).collect()
        }
    }
}

/// What its plane holds, as it said it; after a restart, until the plane says it again, as the status keeps it.
fn held(delivery: &Delivery, entry: &Entry) -> Option<BlockerView> {
    let Some(reported) = &delivery.reported else {
        return delivery.held().map(|held| BlockerView {
            reason: held.reason.clone(),
            message: held.message.clone(),
        });
    };
    let held = verdict::held(reported)?;
    let BlockerView { reason, message } = blocker(held);
    let advice = confirmation::advice(entry.plane.as_str(), &entry.head.key, held.reason);
    Some(BlockerView {
        reason,
        message: format!("{message}; {advice}"),
    })
}

fn leftovers(delivery: &Delivery) -> Vec<LeftoverView> {
    let reported = delivery.reported.iter();
    reported
        .flat_map(|reported| &reported.leftovers)
        .map(leftover)
        .collect()
}

fn reported_object(report: &ObjectReport) -> ObjectView {
    ObjectView {
        id: report.id.clone(),
        object: object_name(&report.object),
        uid: report.uid.as_ref().map(Uid::to_string),
        health: report.health.as_str().to_owned(),
        blocker: report.blocker.as_ref().map(blocker),
    }
}

fn stored_object(stored: &ResourceStatus) -> ObjectView {
    ObjectView {
        id: stored.id.clone(),
        object: ObjectName {
            group: stored.group.clone(),
            version: stored.version.clone(),
            kind: stored.kind.clone(),
            namespace: stored.namespace.clone(),
            name: stored.name.clone(),
        },
        uid: None,
        health: stored.health_status.clone().unwrap_or_default(),
        blocker: None,
    }
}

fn leftover(leftover: &Leftover) -> LeftoverView {
    LeftoverView {
        object: object_name(&leftover.object),
        uid: leftover.uid.as_ref().map(Uid::to_string),
        blocker: leftover.blocker.as_ref().map(blocker),
    }
}

fn object_name(object: &ObjectRef) -> ObjectName {
    ObjectName {
        group: object.group.clone(),
        version: object.version.clone(),
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    }
}

fn blocker(blocker: &Blocker) -> BlockerView {
    BlockerView {
        reason: blocker.reason.as_str().to_owned(),
        message: blocker.message.clone(),
    }
}
