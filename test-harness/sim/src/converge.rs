//! After the schedule everything heals, and then everything must be as the control plane says, statuses included, and
//! stay quiet: a reconnect of what is converged changes nothing anywhere.

use core::time::Duration;
use std::collections::BTreeMap;

use outhaul_agent_core::health;
use outhaul_protocol_session::agent::{Plane as _, Standing};
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::Value;

use crate::cluster::Place;
use crate::control::{entries, environments, value_of};
use crate::model::{at, owner, text};
use crate::schedule::{Governing, HUBS, Kind, PLANES};
use crate::world::{Violation, World};

/// After so long without any fault all must be well: the longest wait of any retry is a minute, and an object that
/// somebody fought over is repaired less and less often.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(20);

/// How long everything must stay as it is after a reconnect.
const QUIET: Duration = Duration::from_secs(50);

/// Something after which everything comes back as it was.
type Disturbance = fn(&mut World);

/// The last part of a schedule.
pub(crate) fn converge(world: &mut World) -> Result<(), Violation> {
    world.heal();
    let end = world.agenda.now() + PATIENCE;
    loop {
        world.confirm_what_is_held();
        world.confirm_control_planes();
        world.correct_what_waits_for_it();
        let next = world.agenda.now() + LOOK;
        world.run_until(next)?;
        match world.discrepancy() {
            None => break,
            Some(text) if next >= end => {
                world.violate("everything converges once faults heal", text);
                world.run_until(next)?;
            }
            Some(_) => {}
        }
    }
    stay_quiet(world)
}

/// What reconnecting may change: nothing.
fn stay_quiet(world: &mut World) -> Result<(), Violation> {
    // What left a queue without a word is known to be an orphan from the next complete announcement on.
    // And what is damaged in a store is found by the next start.
    world.restart_all_hubs();
    world.kill_all_agents();
    let rest = world.agenda.now() + QUIET;
    world.run_until(rest)?;
    let disturbances: [(&str, Disturbance); 3] = [
        ("every connection broke", World::break_all),
        ("every hub restarted", World::restart_all_hubs),
        ("every agent was killed", World::kill_all_agents),
    ];
    for (what, disturb) in disturbances {
        let before = world.footprint();
        disturb(world);
        let end = world.agenda.now() + QUIET;
        world.run_until(end)?;
        let after = world.footprint();
        if before != after {
            let text = format!("after {what}: {before:?} became {after:?}");
            world.violate("reconnecting when converged changes nothing", text);
        } else if let Some(text) = world.discrepancy() {
            world.violate(
                "reconnecting when converged changes nothing",
                format!("after {what}: {text}"),
            );
        }
        world.run_until(end)?;
    }
    Ok(())
}

impl World {
    fn heal(&mut self) {
        self.tell(|| "everything heals".to_owned());
        self.control_api.heal();
        for hub in &mut self.hubs {
            hub.armed = None;
            hub.stale_until = Duration::ZERO;
        }
        for plane in 0..PLANES.len() {
            let it = &mut self.planes[plane];
            it.api.heal();
            it.network.heal();
            it.armed = None;
            it.usurper = false;
            it.stale_until = Duration::ZERO;
            it.enrolled = true;
            self.end_copy(plane);
            self.restore_plane(plane);
            let it = &mut self.planes[plane];
            it.cluster.serve(Kind::Widget.as_str(), true);
            self.write_policy(plane, Governing::Open);
            self.start_agent(plane);
            self.definitions_changed(plane);
            self.release_held(plane);
        }
        if self.restored {
            self.raise_epoch();
        }
    }

    /// What was written so far, by where it went. The one condition of a Plane is not counted: replicas do not know yet
    /// whether another one has the plane, so each that restarts says once that it was lost, and is corrected.
    fn footprint(&self) -> Vec<u64> {
        let planes = self.planes.iter();
        let planes = planes.flat_map(|plane| [plane.cluster.version(), plane.store.writes]);
        [self.resource_writes].into_iter().chain(planes).collect()
    }

    fn break_all(&mut self) {
        for plane in 0..PLANES.len() {
            for link in self.links_of(plane) {
                self.break_link(link, Duration::from_millis(5), Duration::from_millis(5));
            }
        }
    }

    fn restart_all_hubs(&mut self) {
        (0..HUBS).for_each(|hub| self.restart_hub(hub));
    }

    fn kill_all_agents(&mut self) {
        (0..PLANES.len()).for_each(|plane| self.kill_agent(plane, Duration::from_secs(1)));
    }

    /// What is not as it should be, if anything is.
    fn discrepancy(&self) -> Option<String> {
        let environments = environments(&self.control);
        let resources = ["Release", "Bundle"]
            .into_iter()
            .flat_map(|kind| self.control.of_kind(kind));
        for (place, resource) in resources {
            if let Some(problem) = self.resource_problem(place, resource, &environments) {
                let uid = text(resource, "/metadata/uid");
                return Some(format!(
                    "{place} ({uid}): {problem}; its status: {}",
                    resource["status"]
                ));
            }
        }
        (0..PLANES.len()).find_map(|plane| self.plane_problem(plane))
    }

    fn resource_problem(
        &self,
        place: &Place,
        resource: &Value,
        environments: &BTreeMap<String, String>,
    ) -> Option<String> {
        let uid = text(resource, "/metadata/uid");
        if resource["metadata"]["deletionTimestamp"].is_string() {
            return Some("it is still there although it was deleted".to_owned());
        }
        let wish = self.model.last_wish(uid)?;
        let ready = ready(resource);
        if !wish.delivered {
            let named = ["InvalidSpec", "NotAdmitted", "NoPlane"].contains(&ready.1);
            return (ready.0 != "False" || !named).then(|| format!("it is refused, and says {ready:?}"));
        }
        let plane = match place.kind.as_str() {
            "Release" => environments.get(text(resource, "/spec/environmentName"))?,
            _ => text(resource, "/spec/plane"),
        };
        if text(resource, "/status/plane") != plane {
            let going = PLANES.iter().position(|name| *name == plane);
            let excused = going.is_some_and(|plane| self.is_going(plane)) && ready.1 == "NoPlane";
            return (!excused).then(|| format!("it belongs on {plane}"));
        }
        if resource["status"]["observedGeneration"] != resource["metadata"]["generation"] {
            return Some("its status is of another generation".to_owned());
        }
        let plane = PLANES.iter().position(|name| *name == plane)?;
        if resource["spec"]["lifecycle"] == "Once" {
            return self.run_problem(plane, resource);
        }
        self.objects_problem(plane, resource, &wish.things)
    }

    fn objects_problem(
        &self,
        plane: usize,
        resource: &Value,
        things: &BTreeMap<Place, String>,
    ) -> Option<String> {
        let uid = text(resource, "/metadata/uid");
        let cluster = &self.planes[plane].cluster;
        let malformed = has_malformed(resource);
        let (mut blocked, mut healthy) = (malformed, true);
        for (place, value) in things {
            let Some(live) = cluster.find(place) else {
                return Some(format!("{place} is missing"));
            };
            if self.belongs_to_another(plane, live, uid) {
                blocked = true;
                continue;
            }
            if owner(live).as_deref() != Some(uid) || value_of(live) != value {
                return Some(format!("{place} should say {value} and is {}", ***live));
            }
            if let Some(problem) = status_problem(resource, place, live) {
                return Some(problem);
            }
            healthy &= health_of(place, live).is_settled();
        }
        let left = || {
            let mut ours = cluster
                .objects()
                .filter(|(place, object)| place.kind != "Namespace" && owner(object).as_deref() == Some(uid));
            ours.find(|(place, _)| !things.contains_key(place))
        };
        let excused = blocked || self.model.is_forgotten(plane, uid) || self.model.letting_go.is_left(uid);
        if let (false, Some((place, _))) = (excused, left()) {
            return Some(format!("{place} is still there"));
        }
        let ready = ready(resource);
        let as_expected = match (blocked, healthy) {
            (true, _) => ready.0 == "False" && ["OwnedByAnother", "Malformed"].contains(&ready.1),
            (false, true) => ready.0 == "True",
            (false, false) => ready.0 == "False",
        };
        (!as_expected).then(|| format!("blocked {blocked}, healthy {healthy}, and it says {ready:?}"))
    }

    /// Whether an object is of another resource: its labels say so, or somebody took them off what the plane still keeps for
    /// that resource. What is wanted gets its labels back; what waits to be confirmed, or is of an orphan that is on its way
    /// out, does not, and it is that object all the same.
    fn belongs_to_another(&self, plane: usize, live: &Value, uid: &str) -> bool {
        if let Some(owner) = owner(live) {
            return owner != uid;
        }
        let kept = |former: &&String| {
            let running = self.planes[plane].running.as_ref();
            let mut holdings = running.into_iter().flat_map(|running| running.plane.holdings());
            holdings.any(|it| it.head.key.uid.as_str() == *former && it.standing == Standing::Orphaned)
        };
        let former = self.model.was_applied_for(live).filter(kept);
        former.is_some_and(|former| former != uid)
    }

    fn plane_problem(&self, plane: usize) -> Option<String> {
        let name = PLANES[plane];
        let resource = self.control.find(&Place::new("Plane", "", name))?;
        let connected = condition(resource, "Connected").map(|it| text(it, "/status"));
        if connected != Some("True") {
            return Some(format!("Plane {name} is not connected: {}", resource["status"]));
        }
        let running = self.planes[plane].running.as_ref()?;
        if running.plane.is_unconfirmed() {
            return Some(format!("{name} waits until the control plane is confirmed"));
        }
        let orphans = running
            .plane
            .holdings()
            .filter(|holding| holding.standing == Standing::Orphaned)
            .count() as u64;
        let name = PlaneName::new(name).ok()?;
        let shown = (0..HUBS).find_map(|hub| self.hub_view(hub, &name));
        match shown {
            None => Some(format!("no hub has a session of {name}")),
            Some(shown) if shown != orphans => Some(format!(
                "{name} keeps {orphans} orphans, and the hub shows {shown}"
            )),
            Some(_) => None,
        }
    }
}

/// What the status says of one object, against what is there.
fn status_problem(resource: &Value, place: &Place, live: &Value) -> Option<String> {
    let named = |entry: &&Value| {
        text(entry, "/kind") == place.kind
            && text(entry, "/namespace") == place.namespace
            && text(entry, "/name") == place.name
    };
    let find = |pointer: &str| {
        let list = at(resource, pointer).and_then(Value::as_array);
        list.into_iter().flatten().find(named)
    };
    let Some(entry) = find("/status/resources") else {
        return Some(format!("the status does not list {place}"));
    };
    let health = health_of(place, live);
    if text(entry, "/healthStatus") != health.as_str() {
        return Some(format!("{place} is {}", health.as_str()));
    }
    if entry["status"] != live["status"] {
        return Some(format!("the status of {place} is {}", live["status"]));
    }
    let uid = find("/status/inventory").map(|entry| text(entry, "/uid"));
    (uid != Some(text(live, "/metadata/uid"))).then(|| format!("the inventory has another {place}"))
}

fn health_of(place: &Place, live: &Value) -> outhaul_protocol_wire::report::Health {
    let group = match place.kind.as_str() {
        "Deployment" => "apps",
        "Widget" => "example.dev",
        _ => "",
    };
    health::health(group, &place.kind, live)
}

fn has_malformed(resource: &Value) -> bool {
    let mut entries = entries(&resource["spec"]).iter();
    entries.any(|entry| entry["object"]["kind"].is_null())
}

pub(crate) fn condition<'a>(resource: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = resource["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)
}

/// Status and reason of the condition.
fn ready(resource: &Value) -> (&str, &str) {
    condition(resource, "Ready").map_or(("", ""), |it| (text(it, "/status"), text(it, "/reason")))
}
