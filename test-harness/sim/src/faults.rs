//! What goes wrong.

use core::time::Duration;

use outhaul_agent_core::plane::Action;
use serde_json::{Value, json};

use crate::agent::place_of;
use crate::cluster::Place;
use crate::control::is_ensured;
use crate::schedule::{Fault, Machine, Moment, PLANES, Site, Tampering};
use crate::world::{Event, World, plane_index};

/// A finalizer of somebody else.
const HELD: &str = "example.dev/hold";

/// How long somebody holds an object with a finalizer.
const HOLD: Duration = Duration::from_secs(20);

/// How long an agent whose store was lost is away.
const AWAY: Duration = Duration::from_secs(2);

impl World {
    pub(crate) fn afflict(&mut self, fault: Fault) {
        self.coverage.note(format!("fault {}", name(&fault)));
        let now = self.agenda.now();
        match fault {
            Fault::Partition { plane, ms } => self.partition(plane_index(&plane), millis(ms)),
            Fault::Cut {
                plane,
                agent_ms,
                hub_ms,
            } => {
                for link in self.links_of(plane_index(&plane)) {
                    self.break_link(link, millis(agent_ms), millis(hub_ms));
                }
            }
            Fault::Latency { plane, by_ms, ms } => {
                self.planes[plane_index(&plane)].network.slow = Some((by_ms, now + millis(ms)));
            }
            Fault::KillHub { hub, moment, ms } => {
                self.hubs[hub].armed = Some((moment, millis(ms)));
                self.crash_hub_at(hub, Moment::Now);
            }
            Fault::RestartHub { hub } => self.restart_hub(hub),
            Fault::KillAgent { plane, moment, ms } => {
                let plane = plane_index(&plane);
                self.planes[plane].armed = Some((moment, millis(ms)));
                self.crash_agent_at(plane, Moment::Now);
            }
            Fault::StaleHub { hub, ms } => self.hubs[hub].stale_until = now + millis(ms),
            Fault::StaleAgent { plane, ms } => {
                self.planes[plane_index(&plane)].stale_until = now + millis(ms)
            }
            Fault::Expire { site } => match site {
                Site::Control => self.control.forget_history(),
                Site::Plane(plane) => self.planes[plane_index(&plane)].cluster.forget_history(),
            },
            Fault::Refuse { site, code, ms } => self.api(&site).refuse(code, now + millis(ms)),
            Fault::Slow { site, by_ms, ms } => self.api(&site).slow_down(by_ms, now + millis(ms)),
            Fault::BackUp => self.backup = Some((self.control.clone(), self.epoch)),
            Fault::Restore { raised } => self.restore(raised),
            Fault::Empty => self.empty(),
            Fault::Foreign { plane, pick, how } => self.tamper(plane_index(&plane), pick, how),
            Fault::Damage { plane, pick } => self.damage(plane_index(&plane), pick),
            Fault::SetClock { machine, by_s } => match machine {
                Machine::Hub(hub) => self.hubs[hub].ahead_s += by_s,
                Machine::Agent(plane) => self.planes[plane_index(&plane)].ahead_s += by_s,
            },
            Fault::CopyIdentity { plane, ms } => self.copy_identity(plane_index(&plane), millis(ms)),
            Fault::LoseStore { plane } => self.lose_store(plane_index(&plane)),
        }
    }

    fn api(&mut self, site: &Site) -> &mut crate::api::Api {
        match site {
            Site::Control => &mut self.control_api,
            Site::Plane(plane) => &mut self.planes[plane_index(plane)].api,
        }
    }

    fn restore(&mut self, raised: bool) {
        let Some((backup, epoch)) = self.backup.clone() else {
            return;
        };
        self.restored = true;
        self.control.restore(&backup);
        self.epoch = epoch;
        self.model.restored(&self.control);
        self.hubs_list_again();
        if raised {
            self.raise_epoch();
        }
    }

    /// What the operator does after a restore, as `outhaul hub restored` does it. The hubs notice by and by.
    pub(crate) fn raise_epoch(&mut self) {
        let unix_time = u64::try_from(self.wall(0).as_second()).unwrap_or_default();
        self.epoch = self.epoch.after_restore(unix_time);
        self.restored = false;
        for hub in 0..self.hubs.len() {
            self.hub_notices_epoch(hub);
        }
    }

    fn empty(&mut self) {
        let uids = self.control.remove_kinds(&["Release", "Bundle"]);
        self.tell(|| format!("lost without a word: {uids:?}"));
        self.hubs_list_again();
    }

    fn damage(&mut self, plane: usize, pick: u64) {
        let secrets = &mut self.planes[plane].store.secrets;
        let count = secrets.len().max(1) as u64;
        let index = usize::try_from(pick % count).unwrap_or_default();
        if let Some(secret) = secrets.values_mut().nth(index) {
            // A record cut short, or content that is another's.
            match pick % 3 {
                0 => secret.content = None,
                1 => secret.damage_record(),
                _ => secret.damage_content(),
            }
        }
    }

    fn lose_store(&mut self, plane: usize) {
        let keys: Vec<_> = self.planes[plane].store.secrets.keys().cloned().collect();
        self.planes[plane].store.secrets.clear();
        for key in keys {
            self.model.store_lost(plane, &key);
        }
        self.kill_agent(plane, AWAY);
    }

    /// Somebody does something to an object of ours.
    fn tamper(&mut self, plane: usize, pick: u64, how: Tampering) {
        if how == Tampering::Usurp {
            self.planes[plane].usurper = true;
            return;
        }
        if how == Tampering::Release {
            return self.release_held(plane);
        }
        let cluster = &mut self.planes[plane].cluster;
        let places: Vec<Place> = cluster
            .objects()
            .filter(|(place, _)| !["Namespace", "Job"].contains(&place.kind.as_str()) && !is_ensured(place))
            .map(|(place, _)| place.clone())
            .collect();
        let count = places.len().max(1) as u64;
        let index = usize::try_from(pick % count).unwrap_or_default();
        let Some(place) = places.get(index).filter(|place| cluster.serves(&place.kind)) else {
            return;
        };
        let tampered = match how {
            Tampering::Edit => cluster.update(place, "somebody", edit).map(drop),
            Tampering::Annotate => {
                let annotate =
                    |object: &mut Value| object["metadata"]["annotations"]["somebody"] = "was here".into();
                cluster.update(place, "somebody", annotate).map(drop)
            }
            Tampering::Delete => cluster.delete(place, None),
            Tampering::Unlabel => {
                let unlabel = |object: &mut Value| object["metadata"]["labels"] = json!({});
                cluster.update(place, "somebody", unlabel).map(drop)
            }
            Tampering::Hold => {
                self.agenda.after(HOLD, Event::Release(plane));
                // Nobody can begin to hold what is being deleted.
                let hold = |object: &mut Value| {
                    if object["metadata"]["deletionTimestamp"].is_null() {
                        object["metadata"]["finalizers"] = json!([HELD]);
                    }
                };
                cluster.update(place, "somebody", hold).map(drop)
            }
            Tampering::Usurp | Tampering::Release => Ok(()),
        };
        self.tell(|| format!("somebody: {how:?} {place} on {}: {tampered:?}", PLANES[plane]));
        self.plane_changed(plane);
    }

    pub(crate) fn release_held(&mut self, plane: usize) {
        let cluster = &mut self.planes[plane].cluster;
        let held: Vec<Place> = cluster
            .objects()
            .filter(|(_, object)| object["metadata"]["finalizers"] == json!([HELD]))
            .map(|(place, _)| place.clone())
            .collect();
        for place in &held {
            let release = |object: &mut Value| object["metadata"]["finalizers"] = json!([]);
            // A kind that is not served now is released once it is.
            if cluster.update(place, "somebody", release).is_err() {
                self.agenda.after(HOLD, Event::Release(plane));
            }
        }
        if !held.is_empty() {
            self.plane_changed(plane);
        }
    }

    /// Somebody puts another object under the name of one that is about to be deleted.
    pub(crate) fn usurp(&mut self, plane: usize, action: &Action) {
        let Action::Delete { .. } = action else { return };
        if !core::mem::take(&mut self.planes[plane].usurper) {
            return;
        }
        let place = place_of(action);
        let cluster = &mut self.planes[plane].cluster;
        let Some(there) = cluster.find(&place).cloned() else {
            return;
        };
        if !cluster.serves(&place.kind)
            || cluster.delete(&place, None).is_err()
            || cluster.find(&place).is_some()
        {
            return;
        }
        let api_version = there["apiVersion"].clone();
        let body = json!({"apiVersion": api_version, "kind": place.kind, "data": {"of": "somebody"}});
        let usurped = cluster.create(&place, &body).is_ok();
        self.coverage.note(format!("usurped: {usurped}"));
        self.tell(|| format!("somebody takes the place of {place} on {}", PLANES[plane]));
        self.plane_changed(plane);
    }
}

fn edit(object: &mut Value) {
    for pointer in ["/data/value", "/spec/value"] {
        if let Some(value) = object.pointer_mut(pointer) {
            *value = "changed by somebody".into();
        }
    }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn name(fault: &Fault) -> String {
    match fault {
        Fault::Partition { .. } => "partition".to_owned(),
        Fault::Cut { .. } => "cut".to_owned(),
        Fault::Latency { .. } => "latency".to_owned(),
        Fault::KillHub { moment, .. } => format!("kill hub {moment:?}"),
        Fault::RestartHub { .. } => "restart hub".to_owned(),
        Fault::KillAgent { moment, .. } => format!("kill agent {moment:?}"),
        Fault::StaleHub { .. } => "stale hub".to_owned(),
        Fault::StaleAgent { .. } => "stale agent".to_owned(),
        Fault::Expire { .. } => "expire".to_owned(),
        Fault::Refuse { code, .. } => format!("refuse {code}"),
        Fault::Slow { .. } => "slow".to_owned(),
        Fault::BackUp => "back up".to_owned(),
        Fault::Restore { raised } => format!("restore, epoch raised: {raised}"),
        Fault::Empty => "empty".to_owned(),
        Fault::Foreign { how, .. } => format!("foreign {how:?}"),
        Fault::Damage { .. } => "damage".to_owned(),
        Fault::SetClock {
            machine: Machine::Hub(_),
            ..
        } => "set a hub's clock".to_owned(),
        Fault::SetClock {
            machine: Machine::Agent(_),
            ..
        } => "set an agent's clock".to_owned(),
        Fault::CopyIdentity { .. } => "copy identity".to_owned(),
        Fault::LoseStore { .. } => "lose store".to_owned(),
    }
}
