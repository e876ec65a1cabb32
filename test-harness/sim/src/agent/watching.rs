//! The agent's watches: one per kind of object and kind of resource, each a list and then changes.

use core::time::Duration;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::kinds::Watched;
use outhaul_agent_core::labels;
use serde_json::{Value, json};

use super::store::failure;
use super::{AgentEvent, Plane};
use crate::cluster::{Place, Seen};
use crate::schedule::PLANES;
use crate::world::{Event, World};

/// One watch.
#[derive(Debug)]
pub(super) struct Watch {
    /// A watch that was stopped may have left events, and the same kind be watched anew since.
    id: u64,
    position: Option<u64>,
    planned: bool,
}

impl World {
    /// Watches what the plane wants watched.
    pub(super) fn set_watches(&mut self, number: usize) {
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        let revision = running.plane.watch_revision();
        if running.watch_revision == Some(revision) {
            return;
        }
        running.watch_revision = Some(revision);
        let wanted: BTreeSet<Watched> = running.plane.watched().cloned().collect();
        running.watches.retain(|watched, _| wanted.contains(&**watched));
        let fresh: Vec<Watched> = wanted
            .into_iter()
            .filter(|watched| !running.watches.contains_key(watched))
            .collect();
        for watched in fresh.into_iter().map(Arc::new) {
            let Some(running) = &mut self.planes[number].running else {
                return;
            };
            running.last_watch += 1;
            let watch = Watch {
                id: running.last_watch,
                position: None,
                planned: false,
            };
            running.watches.insert(Arc::clone(&watched), watch);
            self.begin_list(number, &watched);
        }
    }

    /// A list begins: the plane is told before anything is asked.
    fn begin_list(&mut self, number: usize, watched: &Arc<Watched>) {
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        running.plane.listing(watched);
        self.plan_watch_of_agent(number, watched, AgentEvent::List);
    }

    /// Objects of a cluster changed: its agent's watches will bring it.
    pub(crate) fn plane_changed(&mut self, number: usize) {
        self.stand_in(number);
        let Plane { running, cluster, .. } = &mut self.planes[number];
        let watches = running.iter().flat_map(|running| running.watches.values());
        let seen = watches.filter_map(|watch| watch.position).min();
        cluster.forget_until(seen.unwrap_or(u64::MAX));
        let watches = running.iter().flat_map(|running| running.watches.keys());
        for watched in watches.cloned().collect::<Vec<_>>() {
            self.plan_watch_of_agent(number, &watched, AgentEvent::Poll);
        }
    }

    fn plan_watch_of_agent(
        &mut self,
        number: usize,
        watched: &Arc<Watched>,
        event: impl Fn(u64, Arc<Watched>, u64) -> AgentEvent,
    ) {
        let now = self.agenda.now();
        let plane = &mut self.planes[number];
        let wait = Duration::from_micros(plane.dice.between(200, 8_000));
        let (run, at) = (plane.run, (now + wait).max(plane.stale_until));
        let Some(running) = &mut plane.running else { return };
        let Some(watch) = running.watches.get_mut(watched) else {
            return;
        };
        if !core::mem::replace(&mut watch.planned, true) {
            let event = event(run, Arc::clone(watched), watch.id);
            self.agenda.at(at, Event::Agent(number, event));
        }
    }

    pub(super) fn agent_lists(&mut self, number: usize, watched: &Arc<Watched>, id: u64) {
        let (virtual_now, now) = (self.agenda.now(), self.instant());
        let plane = &mut self.planes[number];
        let fare = plane.api.fare(virtual_now);
        let served = plane.cluster.serves(&watched.kind);
        let Some(running) = &mut plane.running else { return };
        let Some(watch) = running.watches.get_mut(watched).filter(|watch| watch.id == id) else {
            return;
        };
        let problem = match (fare.instead, served) {
            (Some(instead), _) => Some(failure(instead.refusal(&Place::new(&watched.kind, "", "")))),
            (None, false) => Some(Failure::KindUnknown(watched.kind.clone())),
            (None, true) => None,
        };
        if let Some(problem) = problem {
            running.plane.unwatched(watched, problem);
            let wait = Duration::from_millis(plane.dice.between(250, 10_000));
            let event = AgentEvent::Relist(plane.run, Arc::clone(watched), id);
            return self.agenda.after(wait, Event::Agent(number, event));
        }
        watch.planned = false;
        watch.position = Some(plane.cluster.version());
        let objects = plane.cluster.of_kind(&watched.kind);
        for (_, object) in objects.filter(|(_, object)| matches(watched, object)) {
            running.plane.seen(watched, &complete(watched, object), now);
        }
        running.plane.listed(watched, now);
        self.coverage.note("agent listed");
        self.tell(|| {
            format!(
                "agent {} listed {} of {:?}",
                PLANES[number], watched.kind, watched.owner
            )
        });
        self.plan_watch_of_agent(number, watched, AgentEvent::Poll);
    }

    /// A list failed before; it begins anew.
    pub(super) fn agent_lists_again(&mut self, number: usize, watched: &Arc<Watched>, id: u64) {
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        let Some(watch) = running.watches.get_mut(watched).filter(|watch| watch.id == id) else {
            return;
        };
        watch.planned = false;
        self.begin_list(number, watched);
    }

    pub(super) fn agent_polls(&mut self, number: usize, watched: &Arc<Watched>, id: u64) {
        let (virtual_now, now) = (self.agenda.now(), self.instant());
        let plane = &mut self.planes[number];
        let Some(running) = &mut plane.running else { return };
        let Some(watch) = running.watches.get_mut(watched).filter(|watch| watch.id == id) else {
            return;
        };
        if plane.stale_until > virtual_now {
            let event = AgentEvent::Poll(plane.run, Arc::clone(watched), id);
            return self.agenda.at(plane.stale_until, Event::Agent(number, event));
        }
        watch.planned = false;
        let served = plane.cluster.serves(&watched.kind);
        let changes = watch
            .position
            .filter(|_| served)
            .and_then(|position| plane.cluster.changes_since(position));
        let Some(changes) = changes else {
            self.coverage.note("agent watch expired");
            return self.begin_list(number, watched);
        };
        let from = watch.position;
        let mut seen = Vec::new();
        for change in changes.iter().filter(|change| change.place.kind == watched.kind) {
            seen.extend(change.seen(|object| matches(watched, object)));
        }
        watch.position = Some(plane.cluster.version());
        let count = seen.len();
        for seen in seen {
            match seen {
                Seen::There(object) => running.plane.seen(watched, &complete(watched, &object), now),
                Seen::Gone(object) => running.plane.vanished(watched, &complete(watched, &object), now),
            }
        }
        self.tell(|| {
            format!(
                "agent {} sees {count} changes of {} since {from:?}",
                PLANES[number], watched.kind
            )
        });
    }

    /// Kinds appeared or changed: the agent hears of it by its watch on definitions.
    pub(crate) fn definitions_changed(&mut self, number: usize) {
        if let Some(running) = &mut self.planes[number].running {
            running.plane.kinds_changed("example.dev");
        }
        self.plane_changed(number);
        self.progress(number);
    }
}

fn matches(watched: &Watched, object: &Value) -> bool {
    let selector = labels::selector(watched.owner);
    let Some((label, value)) = selector.split_once('=') else {
        return false;
    };
    object["metadata"]["labels"][label] == value
}

/// Items of lists leave out what the list says once.
fn complete<'a>(watched: &Watched, object: &'a Value) -> Cow<'a, Value> {
    let mut object = Cow::Borrowed(object);
    if object["apiVersion"].is_null() {
        object.to_mut()["apiVersion"] = json!(match watched.group.as_str() {
            "" => watched.version.clone(),
            group => format!("{group}/{}", watched.version),
        });
    }
    object
}
