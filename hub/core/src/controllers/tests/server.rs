//! An API server in memory that the controllers write to, and that tells them what it has.

use core::time::Duration;
use std::collections::BTreeMap;

use jiff::Timestamp;
use outhaul_hub_resources::Stored;
use serde_json::{Value, json};

use crate::Now;
use crate::controllers::{
    Controllers, Id, Job, Kind, News, Next, NotPushed, Note, Outcome, Pushed, Settings, Sight, Step,
};

const NAMESPACE: &str = "acme";

/// Looks until the controllers must be silent: one that never ends fails a test instead of hanging it.
const PATIENCE: usize = 2_000;

#[derive(Default)]
pub(super) struct Server {
    pub(super) controllers: Controllers,
    objects: BTreeMap<Id, Value>,
    version: u64,
    now: Duration,
    started: bool,
    pub(super) settings: Settings,
    /// What comes of every commit.
    pub(super) git: Option<Result<Pushed, NotPushed>>,
    /// How often one was asked for.
    pub(super) commits: usize,
    /// Of this kind nothing is kept that a status says.
    pub(super) prunes: Option<Kind>,
    /// Every write that was taken.
    pub(super) writes: Vec<String>,
    /// Reasons of the Events.
    pub(super) notes: Vec<String>,
    /// Reasons and messages of the Events.
    pub(super) events: Vec<String>,
    /// Reads of Releases.
    pub(super) read: usize,
    /// Writes of this kind's objects are refused, in these words.
    pub(super) refuse: Option<(Kind, &'static str)>,
    /// Writes of this kind's objects fail, and this is said.
    pub(super) fail: Option<(Kind, &'static str)>,
    /// Writes of this kind's objects are called outdated.
    pub(super) conflict: Option<Kind>,
    /// What comes of every write of the status of this kind's objects.
    pub(super) statuses: Option<(Kind, Outcome)>,
    /// How often that or a refusal came.
    pub(super) refused: usize,
    /// Writes that still fail as outdated.
    pub(super) outdated: usize,
    /// The next object of this kind that is written is deleted, and watches say so before the write is answered.
    pub(super) gone_before_answer: Option<Kind>,
    /// Deleted Releases stay until that is finished.
    pub(super) hold_deletions: bool,
    /// Releases are kept otherwise than they are written.
    pub(super) alters: bool,
}

impl Server {
    pub(super) fn has(&self, kind: Kind, name: &str) -> bool {
        self.objects.contains_key(&id(kind, name))
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> &Value {
        &self.objects[&id(kind, name)]
    }

    /// From here on writes and Events are counted anew.
    pub(super) fn forget_what_was_said(&mut self) {
        self.writes.clear();
        self.notes.clear();
        self.events.clear();
    }

    /// An object of a Release.
    pub(super) fn object(&self, release: &str, object: &str) -> &Value {
        let resources = self.get(Kind::Release, release)["spec"]["resources"]
            .as_array()
            .unwrap();
        let found = resources
            .iter()
            .find(|resource| resource["id"] == object)
            .unwrap();
        &found["object"]
    }

    /// Creates an object or replaces its spec.
    pub(super) fn put(&mut self, kind: Kind, name: &str, spec: Value) {
        let id = id(kind, name);
        let mut object = match self.objects.get(&id) {
            Some(object) => object.clone(),
            None => json!({
                "apiVersion": kind.resource().api_version, "kind": kind.as_str(),
                "metadata": {"name": name, "namespace": Some(&id.namespace).filter(|namespace| !namespace.is_empty())},
            }),
        };
        object["spec"] = spec;
        self.store(&id, object);
    }

    pub(super) fn merge(&mut self, kind: Kind, name: &str, patch: Value) {
        let id = id(kind, name);
        let mut object = self.objects[&id].clone();
        json_patch::merge(&mut object, &patch);
        self.store(&id, object);
    }

    /// Has an object in another namespace; for what starts anew.
    pub(super) fn move_to(&mut self, namespace: &str, kind: Kind, name: &str) {
        let mut object = self.objects.remove(&id(kind, name)).unwrap();
        object["metadata"]["namespace"] = json!(namespace);
        let id = Id {
            namespace: namespace.to_owned(),
            ..id(kind, name)
        };
        self.objects.insert(id, object);
    }

    /// Deletes an object, and what it owns.
    pub(super) fn delete(&mut self, kind: Kind, name: &str) {
        let id = id(kind, name);
        let Some(object) = self.objects.remove(&id) else {
            return;
        };
        let uid = object["metadata"]["uid"].clone();
        if self.started {
            self.controllers.tell(News::Gone {
                id,
                uid: uid.as_str().unwrap().to_owned(),
            });
        }
        let owned = |object: &&Value| object["metadata"]["ownerReferences"][0]["uid"] == uid;
        let owned: Vec<Id> = self.objects.values().filter(owned).map(name_of).collect();
        for owned in owned {
            self.delete(owned.kind, &owned.name);
        }
    }

    /// Removes what is being deleted.
    pub(super) fn finish_deletions(&mut self) {
        let going = |object: &&Value| object["metadata"].get("deletionTimestamp").is_some();
        let going: Vec<Id> = self.objects.values().filter(going).map(name_of).collect();
        for id in going {
            self.delete(id.kind, &id.name);
        }
    }

    /// The plane reports this health of all objects of a Release.
    pub(super) fn report(&mut self, release: &str, health: &str) {
        let object = self.get(Kind::Release, release);
        let generation = object["metadata"]["generation"].clone();
        let resources = object["spec"]["resources"].as_array().unwrap();
        let one = |resource: &Value| json!({"id": resource["id"], "version": "v1", "kind": "Any", "name": "any", "healthStatus": health});
        let resources: Vec<_> = resources.iter().map(one).collect();
        let status = json!({"observedGeneration": generation, "resources": resources});
        self.merge(Kind::Release, release, json!({"status": status}));
    }

    /// Other controllers take over.
    pub(super) fn restart(&mut self) {
        self.restart_in_order(Kind::ALL);
    }

    /// Nobody watches until others take over.
    pub(super) fn stop(&mut self) {
        self.started = false;
    }

    /// What a watch of this kind missed is told by its next list.
    pub(super) fn relist(&mut self, kind: Kind, missed: impl FnOnce(&mut Self)) {
        self.started = false;
        missed(self);
        self.started = true;
        self.list(kind);
    }

    fn list(&mut self, kind: Kind) {
        self.controllers.tell(News::Begin(kind));
        for (id, object) in &self.objects {
            if id.kind == kind {
                self.controllers.tell(News::Listed(Box::new(sight(kind, object))));
            }
        }
        self.controllers.tell(News::Complete(kind));
    }

    pub(super) fn restart_in_order(&mut self, kinds: impl IntoIterator<Item = Kind>) {
        self.controllers = Controllers::new(self.settings.clone());
        self.started = true;
        for kind in kinds {
            self.list(kind);
        }
    }

    /// Runs until nothing waits any more, however long that takes.
    pub(super) fn settle(&mut self) {
        self.run_until_idle();
        while let Some(deadline) = self.controllers.next_deadline() {
            assert!(
                deadline < Duration::from_secs(1_000),
                "it never settles: {:?}",
                self.writes
            );
            self.now = deadline;
            self.run_until_idle();
        }
        assert!(self.controllers.is_settled());
    }

    /// Runs for so long.
    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until_idle();
        while let Some(deadline) = self
            .controllers
            .next_deadline()
            .filter(|deadline| *deadline <= end)
        {
            self.now = deadline;
            self.run_until_idle();
        }
        self.now = end;
    }

    /// Runs until something would have to be waited for.
    pub(super) fn run_until_idle(&mut self) {
        if !self.started {
            self.restart();
        }
        for _ in 0..PATIENCE {
            match self.controllers.next(self.time()) {
                Next::Idle => return,
                Next::Looked => {}
                Next::Job(job) => {
                    let outcome = self.take(&job);
                    let written = job.step.id();
                    if self
                        .gone_before_answer
                        .take_if(|kind| *kind == written.kind)
                        .is_some()
                    {
                        self.delete(written.kind, &written.name);
                    }
                    let note = self.controllers.finished(&job, outcome, self.time());
                    self.heard(note.as_slice());
                }
            }
        }
        panic!("it never ends: {:?}", self.writes);
    }

    /// Requests that are due begin, and are not answered. Returns how many.
    pub(super) fn begin(&mut self) -> usize {
        if !self.started {
            self.restart();
        }
        let mut begun = 0;
        loop {
            match self.controllers.next(self.time()) {
                Next::Idle => return begun,
                Next::Looked => {}
                Next::Job(_) => begun += 1,
            }
        }
    }

    pub(super) fn time(&self) -> Now {
        Now {
            uptime: self.now,
            wall: Timestamp::UNIX_EPOCH + self.now,
        }
    }

    fn take(&mut self, job: &Job) -> Outcome {
        if let Some((kind, words)) = self.refuse
            && matches!(&job.step, Step::Create { id, .. } | Step::Replace { id, .. } if id.kind == kind)
        {
            self.refused += 1;
            return Outcome::Refused(words.to_owned());
        }
        if let Some((kind, outcome)) = &self.statuses
            && matches!(&job.step, Step::Status { id, .. } if id.kind == *kind)
        {
            self.refused += 1;
            return outcome.clone();
        }
        if let Some((kind, words)) = self.fail
            && matches!(&job.step, Step::Create { id, .. } | Step::Replace { id, .. } if id.kind == kind)
        {
            self.refused += 1;
            return Outcome::Failed {
                said: Some(format!("{words} {}", self.refused)),
                retry_after: None,
            };
        }
        if let Step::Create { id, .. } | Step::Replace { id, .. } = &job.step
            && self.conflict == Some(id.kind)
        {
            return outdated();
        }
        if self.outdated > 0 && !matches!(job.step, Step::Read(_) | Step::Commit(_)) {
            self.outdated -= 1;
            return outdated();
        }
        let outcome = self.execute(&job.step);
        if !matches!(outcome, Outcome::Outdated(_)) {
            self.heard(&job.notes);
        }
        outcome
    }

    fn heard(&mut self, notes: &[Note]) {
        self.notes.extend(notes.iter().map(|note| note.reason.clone()));
        let said = |note: &Note| format!("{}: {}", note.reason, note.message);
        self.events.extend(notes.iter().map(said));
    }

    fn execute(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Commit(_) => {
                self.commits += 1;
                Outcome::Committed(self.git.clone().expect("a test says what comes of commits"))
            }
            Step::Read(id) => {
                self.read += 1;
                match self.objects.get(id) {
                    Some(object) => Outcome::Read(Box::new(serde_json::from_value(object.clone()).unwrap())),
                    None => outdated(),
                }
            }
            Step::Create { id, object, .. } => match self.objects.contains_key(id) {
                true => outdated(),
                false => self.write("create", id, object.clone()),
            },
            Step::Replace { id, object, .. } => {
                let Some(stored) = self.objects.get(id) else {
                    return outdated();
                };
                if stored["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
                    return outdated();
                }
                let mut object = object.clone();
                object["status"] = stored["status"].clone();
                self.write("replace", id, object)
            }
            Step::Status { id, patch, .. } => {
                let Some(stored) = self.objects.get(id) else {
                    return outdated();
                };
                let same = |field| stored["metadata"][field] == patch["metadata"][field];
                if !same("resourceVersion") || !same("uid") {
                    return outdated();
                }
                let mut object = stored.clone();
                json_patch::merge(&mut object, patch);
                if self.prunes == Some(id.kind) {
                    object["status"] = json!({});
                }
                self.write("status", id, object)
            }
            Step::Delete { id, uid, .. } => {
                assert_eq!(self.objects[id]["metadata"]["uid"], **uid);
                self.writes.push(format!("delete {id}"));
                match self.hold_deletions {
                    true => {
                        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
                        self.merge(id.kind, &id.name, going);
                    }
                    false => self.delete(id.kind, &id.name),
                }
                Outcome::Deleted
            }
        }
    }

    fn write(&mut self, verb: &str, id: &Id, mut object: Value) -> Outcome {
        let labels = object["metadata"]["labels"].as_object();
        let mut values = labels
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| value.as_str());
        if let Some(value) = values.find(|value| !is_label_value(value)) {
            self.refused += 1;
            return Outcome::Refused(format!("metadata.labels: Invalid value: {value:?}"));
        }
        if self.alters && id.kind == Kind::Release {
            object["spec"]["resources"][0]["object"]["altered"] = json!(true);
        }
        self.writes.push(format!("{verb} {id}"));
        self.store(id, object);
        Outcome::Written(Box::new(sight(id.kind, &self.objects[id])))
    }

    /// Stores an object, and tells of it unless nothing changed.
    fn store(&mut self, id: &Id, mut object: Value) {
        let stored = self.objects.get(id);
        if object["status"].is_null() {
            object.as_object_mut().unwrap().remove("status");
        }
        let same_spec = stored.is_some_and(|stored| stored["spec"] == object["spec"]);
        let generation = stored.and_then(|stored| stored["metadata"]["generation"].as_u64());
        let is_going = |object: &Value| object["metadata"].get("deletionTimestamp").is_some();
        // API servers count the beginning of an end as a change.
        let goes = stored.is_some_and(|stored| !is_going(stored)) && is_going(&object);
        let metadata = &mut object["metadata"];
        metadata["generation"] = json!(generation.unwrap_or_default() + u64::from(!same_spec || goes));
        if stored.is_none() {
            metadata["uid"] = json!(format!("u-{}", self.version + 1));
        }
        if stored == Some(&object) {
            return;
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(id.clone(), object);
        if self.started {
            let sight = sight(id.kind, &self.objects[id]);
            self.controllers.tell(News::Seen(Box::new(sight)));
        }
    }
}

/// As API servers have it.
fn is_label_value(text: &str) -> bool {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_end = |letter: char| letter.is_ascii_alphanumeric();
    text.is_empty()
        || text.len() <= 63
            && text.starts_with(is_end)
            && text.ends_with(is_end)
            && text.chars().all(is_inner)
}

fn id(kind: Kind, name: &str) -> Id {
    Id {
        kind,
        namespace: match kind {
            Kind::Namespace | Kind::Plane | Kind::Organization => String::new(),
            _ => NAMESPACE.to_owned(),
        },
        name: name.to_owned(),
    }
}

fn name_of(object: &Value) -> Id {
    let kind = object["kind"].as_str().unwrap();
    let kind = Kind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .unwrap();
    id(kind, object["metadata"]["name"].as_str().unwrap())
}

fn sight(kind: Kind, object: &Value) -> Sight {
    let stored: Stored = serde_json::from_str(&object.to_string()).unwrap();
    Sight::read(kind, &stored)
}

fn outdated() -> Outcome {
    Outcome::Outdated("the object has been modified".to_owned())
}
