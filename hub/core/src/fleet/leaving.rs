//! Planes that somebody deletes: they stay while something is on them, and say what.

use core::time::Duration;

use outhaul_hub_resources::conditions::{FINALIZING, status};
use outhaul_hub_resources::names;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::PlaneName;

use super::{Fleet, Owner};
use crate::condition::{self, Said};
use crate::delivery::Delivery;
use crate::now::Now;
use crate::output::Change;
use crate::plane::PlaneRecord;
use crate::reason;
use crate::resource::bundle_name;
use crate::view::BundleName;

/// How long changes of what is on such a Plane are gathered: each look goes through all resources, and may be a write.
const GATHER: Duration = Duration::from_secs(1);

/// How long nothing may be on a Plane before it is let go, counted anew from each list that shows it. After a restore under a
/// running hub the kinds are listed one after the other: by then a list that was late has come.
const STILL: Duration = Duration::from_secs(30);

/// Resources that are named to people; the others are counted.
const NAMED: usize = 5;

impl Fleet {
    /// Every Release and Bundle on a plane: its status names the plane, or it is queued for it.
    pub fn on(&self, plane: &PlaneName) -> Vec<BundleName> {
        self.keys_on(plane).into_iter().map(bundle_name).collect()
    }

    fn keys_on(&self, plane: &PlaneName) -> Vec<&Key> {
        let here = |delivery: &Delivery| {
            let queued = delivery
                .queued
                .as_ref()
                .is_some_and(|entry| entry.plane == *plane);
            queued || delivery.resource.around.status.plane.as_deref() == Some(plane.as_str())
        };
        let deliveries = self.deliveries.iter().filter(|(_, delivery)| here(delivery));
        deliveries.map(|(key, _)| key).collect()
    }

    /// Something changed that may have been on a Plane that is deleted.
    pub(super) fn look_at_leaving(&mut self, now: Now) {
        for name in self.leaving.clone() {
            let Some(state) = self.planes.get_mut(&name) else {
                continue;
            };
            if state.writes.look.is_none() {
                let at = now.uptime + GATHER;
                state.writes.look = Some(at);
                self.due.insert((at, Owner::Plane(name)));
            }
        }
    }

    /// Notes since when nothing is on a Plane that is deleted.
    pub(super) fn note_empty(&mut self, name: &PlaneName, now: Now) {
        let empty = self.leaving.contains(name) && self.keys_on(name).is_empty();
        let Some(state) = self.planes.get_mut(name) else {
            return;
        };
        if !empty {
            state.writes.empty = None;
        } else if state.writes.empty.is_none() {
            state.writes.empty = Some(now.uptime);
            self.due.insert((now.uptime + STILL, Owner::Plane(name.clone())));
        }
    }

    /// Says once in an Event that a Plane waits.
    pub(super) fn note_in_use(&mut self, name: &PlaneName, change: &Change) {
        let Change::PlaneConditions { conditions, .. } = change else {
            return;
        };
        let record = self.planes.get(name).and_then(|state| state.record.as_ref());
        let said = record.and_then(|record| condition::get(&record.conditions, FINALIZING));
        if let (None, Some(news)) = (said, condition::get(conditions, FINALIZING)) {
            let message = news.message.clone();
            self.note_plane(name, reason::IN_USE, &message);
        }
    }

    /// The write that a Plane needs because of what is, or is not, on it.
    pub(super) fn finalizer_due(&self, name: &PlaneName, now: Now) -> Option<Change> {
        let state = self.planes.get(name)?;
        let record = state.record.as_ref()?;
        let known = record.resource_version;
        match (record.deleting, record.has_finalizer()) {
            (false, false) if state.keys().len() > 0 => {
                let mut finalizers = record.finalizers.clone();
                finalizers.push(names::FINALIZER.to_owned());
                Some(Change::PlaneFinalizers { finalizers, known })
            }
            (true, true) => match state.writes.empty {
                None => say(record, &self.keys_on(name), now),
                Some(since) if since + STILL <= now.uptime => Some(let_go(record)),
                Some(_) => None,
            },
            (_, _) => None,
        }
    }
}

fn let_go(record: &PlaneRecord) -> Change {
    let others = record.finalizers.iter().filter(|name| *name != names::FINALIZER);
    Change::PlaneFinalizers {
        finalizers: others.cloned().collect(),
        known: record.resource_version,
    }
}

/// The condition, where it does not say so yet.
fn say(record: &PlaneRecord, here: &[&Key], now: Now) -> Option<Change> {
    let said = Said {
        r#type: FINALIZING,
        status: status::TRUE,
        reason: reason::IN_USE.to_owned(),
        message: message(record, here),
        generation: None,
    };
    let known = condition::get(&record.conditions, FINALIZING);
    if known.is_some_and(|known| known.message == said.message) {
        return None;
    }
    let mut conditions = record.conditions.clone();
    condition::set(&mut conditions, said, now.wall);
    Some(Change::PlaneConditions {
        conditions,
        known: record.resource_version,
    })
}

fn message(record: &PlaneRecord, here: &[&Key]) -> String {
    let named: Vec<String> = here.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match here.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{} still on it: {}{more}; delete them or send them to another plane, or run `outhaul plane forget {}` if it \
         will never return",
        here.len(),
        named.join(", "),
        record.name
    )
}
