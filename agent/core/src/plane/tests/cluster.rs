//! A cluster in a map: enough of an API server to be wrong with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;
use serde_json::{Value, json};

use crate::adoption;
use crate::blocker::{Failure, Refusal};
use crate::kinds::Watched;
use crate::labels;
use crate::live;
use crate::once;
use crate::plane::{Action, Answer, Plane};
use crate::testing::{live_config_map, release_key};

/// Objects by name: the tests use each name once.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    objects: BTreeMap<String, Value>,
    namespaces: BTreeSet<String>,
    /// Labels of the namespaces that were made.
    made: BTreeMap<String, BTreeMap<String, String>>,
    version: u64,
    failing: BTreeMap<String, u16>,
    undefined: BTreeSet<String>,
    /// Objects whose create admission refuses, before it is known whether they are there.
    uncreatable: BTreeSet<String>,
    /// Objects that answers do not show.
    blank: BTreeSet<String>,
    away: bool,
    unwatchable: bool,
    no_namespaces: bool,
    /// Every object that was deleted, as it was last.
    deleted: Vec<Value>,
    /// The name of every object that was created, and not applied.
    created: Vec<String>,
    /// What each watch has shown, by name, and how many deletions it knows.
    shown: BTreeMap<Watched, (BTreeMap<String, Value>, usize)>,
}

impl Cluster {
    pub(super) fn has(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.objects.get(name)
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.objects.get(name)?["data"]["value"].as_str()
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        self.objects.keys().cloned().collect()
    }

    /// The namespaces that were made, and their labels.
    pub(super) fn made(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.made
    }

    /// A namespace that somebody else made.
    pub(super) fn put_namespace(&mut self, name: &str) {
        self.namespaces.insert(name.to_owned());
    }

    /// How often an object of this name was created.
    pub(super) fn created(&self, name: &str) -> usize {
        self.created.iter().filter(|it| *it == name).count()
    }

    pub(super) fn fail(&mut self, name: &str, code: u16) {
        self.failing.insert(name.into(), code);
    }

    pub(super) fn forbid_creating(&mut self, name: &str) {
        self.uncreatable.insert(name.into());
    }

    /// The namespace goes with everything in it.
    pub(super) fn lose_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
        self.names().iter().for_each(|object| self.delete(object));
    }

    /// Answers about this object, and events, are no objects.
    pub(super) fn blank(&mut self, name: &str) {
        self.blank.insert(name.into());
    }

    pub(super) fn heal(&mut self) {
        self.failing.clear();
        self.uncreatable.clear();
        self.blank.clear();
        self.away = false;
    }

    pub(super) fn away(&mut self, away: bool) {
        self.away = away;
    }

    pub(super) fn undefine(&mut self, kind: &str) {
        self.undefined.insert(kind.into());
    }

    pub(super) fn define(&mut self, kind: &str) {
        self.undefined.remove(kind);
    }

    pub(super) fn forbid_watching(&mut self, forbidden: bool) {
        self.unwatchable = forbidden;
    }

    pub(super) fn forbid_namespaces(&mut self) {
        self.no_namespaces = true;
    }

    pub(super) fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut object = self.objects.remove(name).unwrap();
        edit(&mut object);
        self.put(name, object);
    }

    pub(super) fn delete(&mut self, name: &str) {
        self.deleted.extend(self.objects.remove(name));
    }

    /// A ConfigMap that carries the labels of another Release, and its name as its value.
    pub(super) fn put_of(&mut self, name: &str, owner: &str) {
        let mut object = live_config_map(&release_key(owner), name, owner);
        object["metadata"]["uid"] = format!("uid-of-{owner}").into();
        self.namespaces.insert("shop".into());
        self.put(name, object);
    }

    /// As many more objects that are like `name` in all but name and uid.
    pub(super) fn copy(&mut self, name: &str, count: usize) {
        let original = self.get(name).expect("there is something to copy").clone();
        for number in 0..count {
            let copy = format!("{name}-{number}");
            let mut object = original.clone();
            object["metadata"]["name"] = copy.as_str().into();
            object["metadata"]["uid"] = copy.as_str().into();
            self.objects.insert(copy, object);
        }
    }

    /// Sets replicas as an autoscaler does.
    pub(super) fn scale(&mut self, name: &str, replicas: u64) {
        self.edit(name, |object| {
            object["spec"]["replicas"] = replicas.into();
            let entries = object["metadata"]["managedFields"].as_array_mut().unwrap();
            entries.push(json!({
                "manager": "autoscaler", "operation": "Update", "subresource": "scale",
                "fieldsV1": {"f:spec": {"f:replicas": {}}},
            }));
        });
    }

    /// The agent starts again, and its watches with it.
    pub(super) fn forget_watches(&mut self) {
        self.shown.clear();
    }

    pub(super) fn answer(&mut self, action: &Action) -> Answer {
        if self.away {
            return Answer::Failed(Failure::Unreachable("away".into()));
        }
        match action {
            Action::CreateNamespace { name, labels } => self.create_namespace(name, labels),
            Action::Look(object) => match self.check(object) {
                Some(failure) => Answer::Failed(failure),
                None => self.find(object),
            },
            Action::Adopt { object, manager } => {
                let patch = adoption::patch(&self.objects[&object.name], manager);
                self.edit(&object.name, |there| merge(there, &patch.unwrap()));
                self.find(object)
            }
            Action::Create {
                object,
                manager,
                body,
            } => self.create(object, manager, body),
            Action::Release { object, uid } => self.release(object, uid),
            Action::Delete { object, uid } => self.remove(object, uid.as_str()),
            Action::Sweep(selector) => Answer::Objects(self.select(selector)),
            Action::Apply {
                object,
                manager,
                body,
            } => self.apply(object, manager, body),
        }
    }

    /// Shows the plane what its watches would. Returns whether there was anything new.
    pub(super) fn watch(&mut self, plane: &mut Plane, now: Instant) -> bool {
        let wanted: BTreeSet<Watched> = plane.watched().cloned().collect();
        self.shown.retain(|watched, _| wanted.contains(watched));
        if self.away {
            return false;
        }
        let mut news = false;
        for watched in wanted {
            if self.unwatchable || self.undefined.contains(&watched.kind) {
                let failure = match self.unwatchable {
                    true => refusal(403, ""),
                    false => Failure::KindUnknown(watched.kind.clone()),
                };
                plane.unwatched(&watched, failure);
                self.shown.remove(&watched);
                continue;
            }
            news |= self.show(&watched, plane, now);
        }
        news
    }

    fn show(&mut self, watched: &Watched, plane: &mut Plane, now: Instant) -> bool {
        let there: BTreeMap<String, Value> = self
            .objects
            .iter()
            .filter(|(_, object)| matches(watched, object))
            .map(|(name, object)| (name.clone(), object.clone()))
            .collect();
        let end = (there.clone(), self.deleted.len());
        let Some((before, known)) = self.shown.insert(watched.clone(), end) else {
            plane.listing(watched);
            there.values().for_each(|object| plane.seen(watched, object, now));
            plane.listed(watched, now);
            return true;
        };
        let deleted = self.deleted[known..]
            .iter()
            .filter(|object| matches(watched, object));
        let relabelled = before
            .iter()
            .filter(|(name, _)| self.has(name) && !there.contains_key(*name));
        let vanished: Vec<&Value> = deleted.chain(relabelled.map(|(_, object)| object)).collect();
        vanished
            .iter()
            .for_each(|object| plane.vanished(watched, object, now));
        let changed: Vec<&Value> = there
            .iter()
            .filter(|(name, object)| before.get(*name) != Some(object))
            .map(|(_, object)| object)
            .collect();
        changed.iter().for_each(|object| plane.seen(watched, object, now));
        !vanished.is_empty() || !changed.is_empty()
    }

    fn select(&self, selector: &str) -> Vec<Value> {
        let labels = |object: &Value| object["metadata"]["labels"].clone();
        let has = |object: &&Value| {
            let mut pairs = selector.split(',').map(|pair| pair.split_once('=').unwrap());
            pairs.all(|(label, value)| labels(object)[label] == value)
        };
        let found = self.objects.values().filter(has).cloned();
        found.take(crate::sweep::MOST).collect()
    }

    fn create_namespace(&mut self, name: &str, labels: &[(&'static str, String)]) -> Answer {
        if self.no_namespaces {
            return Answer::Failed(refusal(403, ""));
        }
        match self.namespaces.insert(name.into()) {
            true => {
                let labels = labels
                    .iter()
                    .map(|(label, value)| ((*label).to_owned(), value.clone()));
                self.made.insert(name.to_owned(), labels.collect());
                Answer::Accepted
            }
            false => Answer::Failed(refusal(409, "")),
        }
    }

    fn check(&self, object: &ObjectRef) -> Option<Failure> {
        if self.undefined.contains(&object.kind) {
            return Some(Failure::KindUnknown(object.kind.clone()));
        }
        self.failing
            .get(&object.name)
            .map(|code| refusal(*code, "things"))
    }

    fn find(&self, object: &ObjectRef) -> Answer {
        match self.objects.get(&object.name) {
            Some(_) if self.blank.contains(&object.name) => Answer::Object(json!({})),
            Some(there) => Answer::Object(there.clone()),
            None => Answer::Failed(refusal(404, "things")),
        }
    }

    fn remove(&mut self, object: &ObjectRef, uid: &str) -> Answer {
        if let Some(failure) = self.check(object) {
            return Answer::Failed(failure);
        }
        match self.objects.get(&object.name) {
            None => Answer::Failed(refusal(404, "things")),
            Some(there) if there["metadata"]["uid"] != uid => Answer::Failed(refusal(409, "things")),
            Some(there) if has_finalizers(there) => {
                self.edit(&object.name, |there| {
                    there["metadata"]["deletionTimestamp"] = "now".into()
                });
                Answer::Accepted
            }
            Some(_) => {
                self.delete(&object.name);
                Answer::Accepted
            }
        }
    }

    fn create(&mut self, object: &ObjectRef, manager: &str, body: &[u8]) -> Answer {
        if let Some(failure) = self.check(object) {
            return Answer::Failed(failure);
        }
        if self.uncreatable.contains(&object.name) {
            return Answer::Failed(refusal(403, "things"));
        }
        let namespace = match object.kind.as_str() {
            "Namespace" => {
                self.namespaces.insert(object.name.clone());
                ""
            }
            _ => object.namespace.as_str(),
        };
        if !namespace.is_empty() && !self.namespaces.contains(namespace) {
            return Answer::Failed(refusal(404, "namespaces"));
        }
        if self.has(&object.name) {
            return Answer::Failed(Failure::from(Refusal {
                code: 409,
                reason: "AlreadyExists".into(),
                ..Refusal::default()
            }));
        }
        let mut sent: Value = serde_json::from_slice(body).unwrap();
        sent["metadata"]["uid"] = format!("uid-{}-{}", object.name, self.version).into();
        let entry = json!({"manager": manager, "operation": "Update", "fieldsV1": fields(&sent)});
        sent["metadata"]["managedFields"] = json!([entry]);
        self.created.push(object.name.clone());
        self.put(&object.name, sent);
        self.find(object)
    }

    fn release(&mut self, object: &ObjectRef, uid: &Uid) -> Answer {
        if let Some(failure) = self.check(object) {
            return Answer::Failed(failure);
        }
        let patch = self.get(&object.name).and_then(|there| once::release(there, uid));
        if let Some(patch) = patch {
            self.edit(&object.name, |there| merge(there, &patch));
        }
        let answer = self.find(object);
        let there = self.get(&object.name);
        if there.is_some_and(|it| !has_finalizers(it) && it["metadata"]["deletionTimestamp"].is_string()) {
            self.delete(&object.name);
        }
        answer
    }

    fn apply(&mut self, object: &ObjectRef, manager: &str, body: &[u8]) -> Answer {
        if let Some(failure) = self.check(object) {
            return Answer::Failed(failure);
        }
        if !object.namespace.is_empty() && !self.namespaces.contains(&object.namespace) {
            return Answer::Failed(refusal(404, "namespaces"));
        }
        let sent: Value = serde_json::from_slice(body).unwrap();
        let uid = format!("uid-{}-{}", object.name, self.version);
        let mut there = self
            .objects
            .remove(&object.name)
            .unwrap_or_else(|| json!({"metadata": {"uid": uid, "managedFields": []}}));
        merge(&mut there, &sent);
        let entries = there["metadata"]["managedFields"].as_array_mut().unwrap();
        entries.retain(|entry| entry["operation"] != "Apply");
        entries.push(json!({"manager": manager, "operation": "Apply", "fieldsV1": fields(&sent)}));
        self.put(&object.name, there);
        self.find(object)
    }

    pub(super) fn put(&mut self, name: &str, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.objects.insert(name.into(), object);
    }
}

/// A request in a few words.
pub(super) fn describe(action: &Action) -> String {
    match action {
        Action::CreateNamespace { name, .. } => format!("create namespace {name}"),
        Action::Apply { object, .. } => format!("apply {object}"),
        Action::Adopt { object, .. } => format!("adopt {object}"),
        Action::Look(object) => format!("look {object}"),
        Action::Create { object, .. } => format!("create {object}"),
        Action::Release { object, .. } => format!("release {object}"),
        Action::Delete { object, .. } => format!("delete {object}"),
        Action::Sweep(_) => "sweep".to_owned(),
    }
}

fn has_finalizers(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|finalizers| !finalizers.is_empty())
}

fn matches(watched: &Watched, object: &Value) -> bool {
    let labels = object["metadata"]["labels"].as_object();
    let selector = labels::selector(watched.owner);
    let (label, value) = selector.split_once('=').unwrap();
    let selected = labels.is_some_and(|labels| labels.get(label) == Some(&value.into()));
    let reference = live::reference(object).unwrap();
    selected && reference.group == watched.group && reference.kind == watched.kind
}

pub(super) fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (field, value) in from {
                merge(into.entry(field).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn fields(value: &Value) -> Value {
    let Value::Object(fields_of) = value else {
        return json!({});
    };
    let named = fields_of
        .iter()
        .map(|(field, value)| (format!("f:{field}"), fields(value)));
    Value::Object(named.collect())
}

fn refusal(code: u16, kind: &str) -> Failure {
    Failure::from(Refusal {
        code,
        kind: kind.into(),
        ..Refusal::default()
    })
}
