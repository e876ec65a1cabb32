//! A control plane in memory, and the fleet over it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use outhaul_hub_core::bulk::Surroundings;
use outhaul_hub_core::resource::{Around, Reader};
use outhaul_hub_core::{
    Change, Fleet, Note, Now, Origin, Outcome, Output, PlaneRecord, SessionId, Settings, Subject, Write,
};
use outhaul_hub_resources::{Admission, AdmittedKind, DeliveryStatus};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{BundleKind, Key};
use outhaul_protocol_wire::ids::{Epoch, PlaneName, Uid};
use outhaul_protocol_wire::message::{Closing, HubMessage};
use serde_json::{Value, json};

pub(crate) const NAMESPACE: &str = "acme";

/// The key that every agent of these tests has.
pub(crate) fn agent_key() -> Digest {
    Digest::of(b"agent")
}

pub(crate) struct World {
    pub(crate) fleet: Fleet,
    pub(crate) now: Now,
    /// Releases as the API server has them.
    objects: BTreeMap<String, Value>,
    planes: BTreeMap<PlaneName, PlaneRecord>,
    resource_version: u64,
    uids: u64,
    /// Every write that was asked for.
    pub(crate) writes: Vec<Write>,
    /// Those that were not answered yet.
    pub(crate) pending: Vec<Write>,
    pub(crate) notes: Vec<Note>,
    pub(crate) goodbyes: Vec<(SessionId, Closing)>,
    pub(crate) reads: Vec<Key>,
    pub(crate) epoch_reads: Vec<Epoch>,
    /// What resources are in; none where nobody answers.
    pub(crate) surroundings: Option<Surroundings>,
    /// How often that was asked.
    pub(crate) looks: usize,
    pub(crate) sent: BTreeMap<SessionId, Vec<HubMessage>>,
}

impl World {
    /// Environment `dev` of `acme` is on plane `eu`, `prod` on plane `us`; everything has been listed.
    pub(crate) fn new() -> Self {
        let mut world = Self::unsynced();
        world.set_up();
        world.fleet.synced(world.now);
        world.run();
        world.writes.clear();
        world
    }

    pub(crate) fn unsynced() -> Self {
        Self {
            fleet: Fleet::new(Settings {
                epoch: Epoch(1),
                kube_system: Uid::new("kube-system").unwrap(),
                fallback: true,
            }),
            now: Now {
                uptime: Duration::from_secs(100),
                wall: Timestamp::from_second(1_800_000_000).unwrap(),
            },
            objects: BTreeMap::new(),
            planes: BTreeMap::new(),
            resource_version: 1,
            uids: 0,
            writes: Vec::new(),
            pending: Vec::new(),
            notes: Vec::new(),
            goodbyes: Vec::new(),
            reads: Vec::new(),
            epoch_reads: Vec::new(),
            surroundings: Some(Surroundings::default()),
            looks: 0,
            sent: BTreeMap::new(),
        }
    }

    pub(crate) fn set_up(&mut self) {
        for (environment, data_plane, plane) in [("dev", "dp-eu", "eu"), ("prod", "dp-us", "us")] {
            let name = |name: &str| (NAMESPACE.to_owned(), name.to_owned());
            self.fleet
                .environment(name(environment), Some(Some(data_plane.to_owned())), self.now);
            self.fleet.user(
                AdmittedKind::DataPlane,
                name(data_plane),
                Some(Some(plane.to_owned())),
                self.now,
            );
            let known = self.planes.get(&Self::plane(plane)).cloned();
            let record = known.unwrap_or_else(|| record(plane, data_plane));
            self.planes.insert(record.name.clone(), record.clone());
            self.fleet.plane(record, Origin::List, self.now);
        }
    }

    /// A hub that starts again over the same control plane.
    pub(crate) fn restarted(self) -> Self {
        let mut world = Self {
            objects: self.objects,
            planes: self.planes,
            resource_version: self.resource_version,
            uids: self.uids,
            now: Now {
                uptime: Duration::from_secs(5),
                wall: self.now.wall + jiff::SignedDuration::from_secs(60),
            },
            surroundings: self.surroundings,
            ..Self::unsynced()
        };
        world.list();
        world
    }

    /// Everything is listed, and then planes are served.
    pub(crate) fn list(&mut self) {
        self.set_up();
        for name in self.objects.keys().cloned().collect::<Vec<_>>() {
            self.see(&name, Origin::List);
        }
        self.fleet.synced(self.now);
        self.run();
    }

    /// Creates a Release in Environment `dev`, and has it seen.
    pub(crate) fn create(&mut self, name: &str) -> Key {
        self.create_with(name, &spec("dev", 1))
    }

    /// The same as the controllers make it: with our finalizer.
    pub(crate) fn create_kept_with(&mut self, name: &str, spec: &Value) -> Key {
        self.add(name, spec, json!(["openchoreo.dev/dataplane-cleanup"]))
    }

    pub(crate) fn create_with(&mut self, name: &str, spec: &Value) -> Key {
        self.add(name, spec, Value::Null)
    }

    fn add(&mut self, name: &str, spec: &Value, finalizers: Value) -> Key {
        self.uids += 1;
        let uid = format!("uid-{}", self.uids);
        let object = json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
            "metadata": {
                "name": name, "namespace": NAMESPACE, "uid": uid, "generation": 1, "finalizers": finalizers,
            },
            "spec": spec,
        });
        self.objects.insert(name.to_owned(), object);
        self.touch(name);
        self.see(name, Origin::Watch);
        self.key(name)
    }

    pub(crate) fn edit(&mut self, name: &str, spec: &Value) {
        let object = self.objects.get_mut(name).unwrap();
        object["spec"] = spec.clone();
        bump(object);
        self.touch(name);
        self.see(name, Origin::Watch);
    }

    /// As `kubectl delete`.
    pub(crate) fn delete(&mut self, name: &str) {
        let object = self.objects.get_mut(name).unwrap();
        object["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
        bump(object);
        self.touch(name);
        self.see(name, Origin::Watch);
        self.collect(name);
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }

    pub(crate) fn object(&mut self, name: &str) -> &mut Value {
        self.objects.get_mut(name).unwrap()
    }

    pub(crate) fn key(&self, name: &str) -> Key {
        Key {
            kind: BundleKind::Release,
            namespace: NAMESPACE.into(),
            name: name.into(),
            uid: Uid::new(self.objects[name]["metadata"]["uid"].as_str().unwrap()).unwrap(),
        }
    }

    pub(crate) fn status(&self, name: &str) -> DeliveryStatus {
        serde_json::from_value(self.objects[name].get("status").cloned().unwrap_or(json!({}))).unwrap()
    }

    /// The Ready condition: its status, reason and message.
    pub(crate) fn ready(&self, name: &str) -> (String, String, String) {
        let status = self.status(name);
        let ready = status.conditions.into_iter().find(|one| one.type_ == "Ready");
        let ready = ready.unwrap_or_else(|| panic!("{name} has no Ready condition"));
        (ready.status, ready.reason, ready.message)
    }

    pub(crate) fn finalizers(&self, name: &str) -> Value {
        self.objects[name]["metadata"]["finalizers"].clone()
    }

    /// Has an object seen as it is now.
    pub(crate) fn see(&mut self, name: &str, origin: Origin) {
        let object = serde_json::from_value(self.objects[name].clone()).unwrap();
        let resource = Reader::new(BundleKind::Release).read(&object).unwrap();
        self.fleet.seen(resource, origin, self.now);
    }

    pub(crate) fn touch(&mut self, name: &str) {
        self.resource_version += 1;
        self.objects.get_mut(name).unwrap()["metadata"]["resourceVersion"] =
            json!(self.resource_version.to_string());
    }

    /// Takes what the fleet wants, and answers nothing.
    pub(crate) fn poll(&mut self) {
        while let Some(output) = self.fleet.poll_output() {
            match output {
                Output::Write(write) => {
                    self.writes.push(write.clone());
                    self.pending.push(write);
                }
                Output::Read(key) => self.reads.push(key),
                Output::LookAround(key) => {
                    self.looks += 1;
                    self.fleet.surroundings(&key, self.surroundings, self.now);
                }
                Output::ReadEpoch(epoch) => self.epoch_reads.push(epoch),
                Output::Goodbye(session, closing) => self.goodbyes.push((session, closing)),
                Output::Note(note) => self.notes.push(note),
                Output::Changed(..) => {}
            }
        }
        for session in self.fleet.take_talking() {
            while let Some(message) = self.fleet.poll_transmit(session) {
                self.sent.entry(session).or_default().push(message);
            }
        }
    }

    /// Carries out what the fleet wants until it wants nothing more: every write is made, answered, and then seen by
    /// the watch.
    pub(crate) fn run(&mut self) {
        for _ in 0..100 {
            self.poll();
            if self.pending.is_empty() {
                return;
            }
            for write in core::mem::take(&mut self.pending) {
                self.carry_out(write);
            }
        }
        panic!("the fleet writes without end: {:?}", self.writes.last());
    }

    /// Makes one write as an API server does.
    pub(crate) fn carry_out(&mut self, write: Write) {
        let outcome = self.make(&write);
        let done = matches!(outcome, Outcome::Done(_));
        self.fleet.written(write.id, outcome, self.now);
        if let (true, Subject::Bundle(key)) = (done, &write.subject) {
            if self.exists(&key.name) {
                self.see(&key.name, Origin::Watch);
            }
            self.collect(&key.name);
        }
    }

    /// Answers a write without making it.
    pub(crate) fn refuse(&mut self, write: &Write, outcome: Outcome) {
        self.fleet.written(write.id, outcome, self.now);
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, time: Duration) {
        self.now.uptime += time;
        self.now.wall += jiff::SignedDuration::try_from(time).unwrap();
        self.fleet.tick(self.now);
    }

    fn make(&mut self, write: &Write) -> Outcome {
        let Subject::Bundle(key) = &write.subject else {
            return self.make_plane(write);
        };
        let Some(object) = self.objects.get_mut(&key.name) else {
            return Outcome::Gone;
        };
        if object["metadata"]["uid"] != json!(key.uid.as_str()) {
            return Outcome::Outdated;
        }
        match &write.change {
            Change::AddFinalizer => {
                object["metadata"]["finalizers"] = json!(["openchoreo.dev/dataplane-cleanup"]);
            }
            Change::RemoveFinalizer { .. } => object["metadata"]["finalizers"] = json!([]),
            Change::Status { status, known } => {
                let stored = object.get("status").filter(|status| !status.is_null());
                let known = known
                    .as_ref()
                    .map(|known| (json!(known.plane), json!(known.term)));
                if known != stored.map(|stored| (stored["plane"].clone(), stored["term"].clone())) {
                    return Outcome::Outdated;
                }
                object["status"] = json!(status);
            }
            Change::PlaneConditions { .. }
            | Change::PlaneFinalizers { .. }
            | Change::PlaneDecisions { .. }
            | Change::PlanePolicy { .. }
            | Change::PlaneKey { .. } => return Outcome::Outdated,
        }
        self.touch(&key.name);
        let object = serde_json::from_value(self.objects[&key.name].clone()).unwrap();
        Outcome::Done(Box::new(Around::read(&object)))
    }

    fn make_plane(&mut self, write: &Write) -> Outcome {
        let Subject::Plane(name, _) = &write.subject else {
            return Outcome::Outdated;
        };
        let mut record = self.planes[name].clone();
        record.resource_version += 1;
        match &write.change {
            Change::PlaneConditions { conditions, known } if *known + 1 == record.resource_version => {
                record.conditions.clone_from(conditions);
            }
            Change::PlaneKey { key, known } if *known + 1 == record.resource_version => {
                record.enrolled = Some(key.clone());
            }
            Change::PlaneDecisions { decisions, known } if *known + 1 == record.resource_version => {
                record.decisions.clone_from(decisions);
            }
            Change::PlanePolicy { policy, known } if *known + 1 == record.resource_version => {
                record.policy.clone_from(policy);
            }
            Change::PlaneFinalizers { finalizers, known } if *known + 1 == record.resource_version => {
                record.finalizers.clone_from(finalizers);
            }
            _ => return Outcome::Outdated,
        }
        self.planes.insert(name.clone(), record.clone());
        Outcome::PlaneDone(Box::new(record))
    }

    /// A Plane as the API server has it.
    pub(crate) fn plane_record(&self, name: &str) -> &PlaneRecord {
        &self.planes[&Self::plane(name)]
    }

    /// Has a Plane seen as a test made it.
    pub(crate) fn see_plane(&mut self, mut record: PlaneRecord) {
        if let Some(known) = self.planes.get(&record.name) {
            record.resource_version = known.resource_version + 1;
        }
        self.planes.insert(record.name.clone(), record.clone());
        self.fleet.plane(record, Origin::Watch, self.now);
    }

    /// Removes what is deleted and has no finalizer any more.
    fn collect(&mut self, name: &str) {
        let Some(object) = self.objects.get(name) else {
            return;
        };
        let metadata = &object["metadata"];
        let held = metadata["finalizers"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if metadata["deletionTimestamp"].is_string() && !held {
            let key = self.key(name);
            self.objects.remove(name);
            self.fleet.vanished(&key, self.now);
        }
    }

    pub(crate) fn plane(name: &str) -> PlaneName {
        PlaneName::new(name).unwrap()
    }
}

/// A spec for an Environment with this many Deployments.
pub(crate) fn spec(environment: &str, count: usize) -> Value {
    let resources: Vec<_> = (0..count)
        .map(|index| {
            json!({"id": format!("object-{index}"), "object": {
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": format!("object-{index}"), "namespace": "shop"}}})
        })
        .collect();
    json!({
        "environmentName": environment,
        "owner": {"projectName": "shop", "componentName": "cart"},
        "resources": resources,
    })
}

fn bump(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_i64().unwrap();
    object["metadata"]["generation"] = json!(generation + 1);
}

pub(crate) fn record(plane: &str, data_plane: &str) -> PlaneRecord {
    PlaneRecord {
        name: World::plane(plane),
        uid: Uid::new(format!("plane-{plane}")).unwrap(),
        resource_version: 1,
        revoked: false,
        forgotten: false,
        decisions: Vec::new(),
        control_plane: String::new(),
        policy: None,
        deleting: false,
        finalizers: vec!["outhaul.dev/cleanup".into()],
        keys: Vec::new(),
        enrolled: Some(agent_key().to_string()),
        admits: vec![Admission {
            kind: AdmittedKind::DataPlane,
            namespace: NAMESPACE.into(),
            name: data_plane.into(),
            target_namespaces: vec!["shop*".into()],
            cluster_scoped_kinds: vec!["Namespace".into()],
        }],
        conditions: Vec::new(),
    }
}
