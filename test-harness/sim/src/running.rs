//! What runs once on planes: what it is in truth, and the checks of it. The truth is what clusters did and what users
//! said; it asks no part of the product.

use core::time::Duration;
use std::collections::BTreeMap;

use outhaul_agent_core::once::FINALIZER;
use outhaul_agent_core::record::Record;
use serde_json::{Value, json};

use crate::cluster::{Patch, Place};
use crate::model::{owner, text};
use crate::schedule::{Kind, PLANES};
use crate::world::{Event, World};

/// How long a Job takes from one state to the next, and how long one that has ended stays where nothing keeps it.
const STEP: Duration = Duration::from_millis(300);

/// What is true of an object that runs once: of one plane, resource and place.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// How often it was created.
    created: u32,
    /// Whether the plane wrote down that it may be created, which one it is, and how it ended.
    attempted: bool,
    known: bool,
    noted: bool,
    /// How it ended, if it did so by itself.
    succeeded: Option<bool>,
    /// Somebody took it away with all that kept it.
    forced: bool,
}

/// All of them.
pub(crate) type Runs = BTreeMap<(usize, String, Place), Run>;

impl World {
    /// A cluster is about to create what an agent asked for.
    pub(crate) fn check_create(&mut self, plane: usize, place: &Place, body: &Value) {
        let Some(uid) = owner(body).filter(|_| is_run(place)) else {
            return;
        };
        let run = self.model.runs.entry((plane, uid.clone(), place.clone()));
        if !run.or_default().attempted {
            let text = format!("{place} of {} on {}", self.name_of(&uid), PLANES[plane]);
            self.violate("what runs once is written down before it begins", text);
        }
    }

    /// A cluster has created it.
    pub(crate) fn run_created(&mut self, plane: usize, place: &Place, object: &Value) {
        let Some(uid) = owner(object).filter(|_| is_run(place)) else {
            return;
        };
        let run = self.model.runs.entry((plane, uid.clone(), place.clone()));
        let run = run.or_default();
        run.created += 1;
        let again = run.created > 1;
        // A plane that lost what it wrote down knows only what is there.
        if again && !self.model.is_forgotten(plane, &uid) {
            let text = format!("{place} of {} on {}", self.name_of(&uid), PLANES[plane]);
            self.violate("a Once bundle runs once", text);
        }
    }

    /// A record was stored.
    pub(crate) fn runs_stored(&mut self, plane: usize, record: &Record) {
        let uid = record.head.key.uid.as_str();
        for item in &record.inventory {
            let Some(run) = &item.run else { continue };
            let object = &item.object;
            let place = Place::new(&object.kind, &object.namespace, &object.name);
            let truth = self.model.runs.entry((plane, uid.to_owned(), place)).or_default();
            truth.attempted = true;
            truth.known |= item.uid.is_some();
            truth.noted |= run.end.is_some();
        }
    }

    /// Somebody deletes what runs; by force with all that keeps it.
    pub(crate) fn cancel(&mut self, plane: usize, pick: u64, force: bool) {
        let cluster = &mut self.planes[plane].cluster;
        let running: Vec<(Place, String)> = cluster
            .of_kind(Kind::Job.as_str())
            .filter_map(|(place, object)| Some((place.clone(), owner(object)?)))
            .collect();
        let index = usize::try_from(pick % running.len().max(1) as u64).unwrap_or_default();
        let Some((place, uid)) = running.get(index).cloned() else {
            return;
        };
        if force {
            let free = |object: &mut Value| object["metadata"]["finalizers"] = json!([]);
            cluster
                .update(&place, "somebody", free)
                .expect("it was just seen");
        }
        if cluster.find(&place).is_some() {
            cluster.delete(&place, None).expect("it was just seen");
        }
        if let Some(run) = self.model.runs.get_mut(&(plane, uid, place.clone())) {
            run.forced |= force;
            // Nobody can tell that it ever was.
            if force && !run.known {
                run.created = 0;
            }
        }
        self.coverage.note(format!("run cancelled, by force: {force}"));
        self.tell(|| format!("somebody deletes {place} on {}, by force: {force}", PLANES[plane]));
        self.plane_changed(plane);
    }

    /// Whether a cluster's controllers have something to do about Jobs.
    pub(crate) fn has_jobs_to_do(&self, plane: usize) -> bool {
        let mut jobs = self.planes[plane].cluster.of_kind(Kind::Job.as_str());
        jobs.any(|(_, object)| next(object).is_some())
    }

    /// Jobs begin, end, and are cleared away once nothing keeps them. Returns whether anything changed.
    pub(crate) fn work_on_jobs(&mut self, plane: usize) -> bool {
        let jobs = self.planes[plane].cluster.of_kind(Kind::Job.as_str());
        let due: Vec<(Place, Value, Next)> = jobs
            .filter_map(|(place, object)| Some((place.clone(), Value::clone(object), next(object)?)))
            .collect();
        let changed = !due.is_empty();
        for (place, object, next) in due {
            let uid = owner(&object).unwrap_or_default();
            let key = (plane, uid.clone(), place.clone());
            let cluster = &mut self.planes[plane].cluster;
            let status = match next {
                Next::Begin => json!({"active": 1}),
                Next::End(succeeded) => {
                    if let Some(run) = self.model.runs.get_mut(&key) {
                        run.succeeded = Some(succeeded);
                    }
                    let kind = if succeeded { "Complete" } else { "Failed" };
                    self.coverage.note(format!("run ended: {kind}"));
                    json!({"active": null, "conditions": [{"type": kind, "status": "True"}]})
                }
                Next::ClearAway => {
                    cluster.delete(&place, None).expect("it was just seen");
                    let early = self.model.runs.get(&key).is_some_and(|run| !run.noted);
                    if early && self.is_wanted(&uid, &place) && !self.model.is_forgotten(plane, &uid) {
                        let text = format!("{place} of {} on {}", self.name_of(&uid), PLANES[plane]);
                        self.violate("what runs is kept until its end is written down", text);
                    }
                    continue;
                }
            };
            let patch = Patch::Merge(json!({"status": status}));
            cluster.patch(&place, true, patch).expect("it was just seen");
        }
        changed
    }

    /// What is wrong with a Bundle that runs once, after everything has healed.
    pub(crate) fn run_problem(&self, plane: usize, resource: &Value) -> Option<String> {
        let uid = text(resource, "/metadata/uid");
        let wish = self.model.last_wish(uid)?;
        let missing = |place: &&Place| self.planes[plane].cluster.find(place).is_none();
        if let Some(place) = wish.ensured.iter().find(missing) {
            return Some(format!("{place} is missing"));
        }
        if self.model.is_forgotten(plane, uid) || self.model.was_deleted(uid) || self.model.is_given_up(plane)
        {
            return None;
        }
        let mut all_well = true;
        for place in wish.things.keys() {
            let Some(run) = self.model.runs.get(&(plane, uid.to_owned(), place.clone())) else {
                return Some(format!("{place} never ran"));
            };
            if self.planes[plane].cluster.find(place).is_some() {
                return Some(format!("{place} is still there"));
            }
            let healthy = health(resource, place) == Some("Healthy");
            if !run.forced && healthy != (run.succeeded == Some(true)) {
                return Some(format!("{place} should say what became of {run:?}"));
            }
            all_well &= healthy;
        }
        let conditions = resource["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
        ((ready["status"] == "True") != all_well).then(|| format!("all well {all_well}, and it says {ready}"))
    }

    /// Whether nobody has said that an object may go.
    fn is_wanted(&self, uid: &str, place: &Place) -> bool {
        let wish = self.model.last_wish(uid);
        wish.is_some_and(|wish| wish.things.contains_key(place))
            && !self.model.was_deleted(uid)
            && !self.model.is_adopted(uid)
            && !self.model.letting_go.is_left(uid)
    }

    /// Controllers have something to do soon.
    pub(crate) fn wake_controllers(&mut self, plane: usize) {
        self.agenda.after(STEP, Event::Controllers(plane));
    }
}

/// What a cluster does next about a Job.
#[derive(Debug, Clone, Copy)]
enum Next {
    Begin,
    End(bool),
    ClearAway,
}

fn next(job: &Value) -> Option<Next> {
    let is_ended = !job["status"]["conditions"].is_null();
    let is_kept = job["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|names| !names.is_empty());
    match () {
        () if job["metadata"]["deletionTimestamp"].is_string() => None,
        () if is_ended && is_kept => None,
        () if is_ended => Some(Next::ClearAway),
        () if job["status"]["active"].is_null() => Some(Next::Begin),
        () => Some(Next::End(!text(job, "/spec/value").ends_with('3'))),
    }
}

fn is_run(place: &Place) -> bool {
    place.kind == Kind::Job.as_str()
}

fn health<'a>(resource: &'a Value, place: &Place) -> Option<&'a str> {
    let entries = resource["status"]["resources"].as_array()?;
    let entry = entries
        .iter()
        .find(|entry| text(entry, "/kind") == place.kind && text(entry, "/name") == place.name)?;
    entry["healthStatus"].as_str()
}

/// A body without what keeps it.
pub(crate) fn unkept(body: &mut Value) {
    if let Some(names) = body["metadata"]["finalizers"].as_array_mut() {
        names.retain(|name| name != FINALIZER);
    }
}
