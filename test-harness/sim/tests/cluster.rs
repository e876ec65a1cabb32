//! The cheap API server of the simulator and the embedded one that other tests run on are asked the same, one request
//! after the other, and must answer the same: code, object, field ownership, and what a watch shows.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says enough when it fails, its helpers too"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use outhaul_fake_kube_core::access::User;
use outhaul_fake_kube_core::cluster::Cluster as Embedded;
use outhaul_fake_kube_core::moment::Moment;
use outhaul_fake_kube_core::reply::Outcome;
use outhaul_fake_kube_core::request::{RawRequest, Request};
use outhaul_fake_kube_core::watch::Polled;
use outhaul_sim::cluster::{Cluster, Patch, Place, Seen};
use outhaul_sim::dice::Dice;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/namespaces/shop/configmaps";
const LABEL: &str = "team";

/// A request. Objects are ConfigMaps in the namespace `shop`, but for `Astray`.
#[derive(Debug, Clone)]
enum Ask {
    Get(&'static str),
    Create(&'static str, Value),
    Apply(&'static str, &'static str, Value),
    /// An apply into a namespace that is not there.
    Astray,
    /// A change by somebody who reads, changes and replaces.
    Update(&'static str, Value),
    /// A merge patch, with the uid or the version that the object has, or another one.
    Merge(&'static str, Value, Precondition),
    /// A JSON patch.
    Json(&'static str, Value),
    Delete(&'static str, Option<bool>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Precondition {
    None,
    Holds,
    Fails,
}

/// What is compared: the code, the object without its names and times, and whether it was written.
#[derive(Debug, PartialEq)]
struct Answer {
    code: u16,
    object: Option<Value>,
}

struct Both {
    cheap: Cluster,
    embedded: Embedded,
    moment: Moment,
}

impl Both {
    fn new() -> Self {
        let mut moment = Moment::new(Timestamp::UNIX_EPOCH, 1);
        let mut both = Self {
            cheap: Cluster::new("c"),
            embedded: Embedded::new(&mut moment),
            moment,
        };
        let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
        both.send("POST", "/api/v1/namespaces", "", "application/json", &shop);
        both.cheap
            .create(&Place::new("Namespace", "", "shop"), &shop)
            .unwrap();
        both
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        content_type: &str,
        body: &Value,
    ) -> (u16, Value) {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let raw = RawRequest {
            method,
            path,
            query,
            content_type,
            accept: "application/json",
            user_agent: "test",
            body: &body,
        };
        let request = match Request::parse(&raw) {
            Ok(request) => request,
            Err(refusal) => return (refusal.code, Value::Null),
        };
        match self.embedded.handle(&request, &User::admin(), &mut self.moment) {
            Outcome::Reply(reply) => {
                let code = reply.code;
                (
                    code,
                    serde_json::from_slice(&reply.body.encode()).unwrap_or_default(),
                )
            }
            Outcome::Watch(_) => panic!("no watch was asked for"),
        }
    }

    fn ask(&mut self, ask: &Ask) {
        let (cheap, embedded) = (self.ask_cheap(ask), self.ask_embedded(ask));
        let name = name(ask);
        let cheap = Answer {
            code: cheap,
            object: self.cheap.find(&place(name)).map(|object| plain(object)),
        };
        let (code, object) = self.send("GET", &format!("{PATH}/{name}"), "", "", &Value::Null);
        let embedded = Answer {
            code: embedded,
            object: (code == 200).then(|| plain(&object)),
        };
        assert_eq!(
            cheap, embedded,
            "the cheap answer and the embedded one to {ask:?}"
        );
    }

    fn ask_cheap(&mut self, ask: &Ask) -> u16 {
        let place = place(name(ask));
        let there = self.cheap.find(&place).map(|object| Value::clone(object));
        let cheap = &mut self.cheap;
        let result = match ask {
            Ask::Get(_) => cheap.get(&place).map(|_| 200),
            Ask::Create(_, body) => cheap.create(&place, body).map(|_| 201),
            Ask::Apply(_, manager, body) => cheap
                .apply(&place, manager, body)
                .map(|_| if there.is_some() { 200 } else { 201 }),
            Ask::Astray => {
                let place = Place::new("ConfigMap", "nowhere", "a");
                cheap.apply(&place, "ours", &stray()).map(|_| 201)
            }
            Ask::Update(_, patch) => cheap
                .update(&place, "somebody", |object| json_patch::merge(object, patch))
                .map(|_| 200),
            Ask::Merge(_, patch, precondition) => {
                let patch = with_precondition(patch, *precondition, there.as_ref());
                cheap.patch(&place, false, Patch::Merge(patch)).map(|_| 200)
            }
            Ask::Json(_, patch) => {
                let patch = serde_json::from_value(patch.clone()).unwrap();
                cheap.patch(&place, false, Patch::Json(patch)).map(|_| 200)
            }
            Ask::Delete(_, uid) => {
                let uid = uid.map(|right| uid_of(there.as_ref(), right));
                cheap.delete(&place, uid.as_deref()).map(|()| 200)
            }
        };
        result.unwrap_or_else(|refusal| refusal.code)
    }

    fn ask_embedded(&mut self, ask: &Ask) -> u16 {
        let path = format!("{PATH}/{}", name(ask));
        let (found, there) = self.send("GET", &path, "", "", &Value::Null);
        let there = (found == 200).then_some(there);
        let json = "application/json";
        match ask {
            Ask::Get(_) => found,
            Ask::Create(_, body) => self.send("POST", PATH, "fieldManager=creator", json, body).0,
            Ask::Apply(_, manager, body) => {
                let query = format!("fieldManager={manager}&force=true");
                self.send("PATCH", &path, &query, "application/apply-patch+yaml", body)
                    .0
            }
            Ask::Astray => {
                let path = "/api/v1/namespaces/nowhere/configmaps/a";
                let query = "fieldManager=ours&force=true";
                let body = stray();
                self.send("PATCH", path, query, "application/apply-patch+yaml", &body)
                    .0
            }
            Ask::Update(_, patch) => {
                let Some(mut object) = there else { return 404 };
                json_patch::merge(&mut object, patch);
                self.send("PUT", &path, "fieldManager=somebody", json, &object).0
            }
            Ask::Merge(_, patch, precondition) => {
                let patch = with_precondition(patch, *precondition, there.as_ref());
                self.send("PATCH", &path, "", "application/merge-patch+json", &patch)
                    .0
            }
            Ask::Json(_, patch) => {
                self.send("PATCH", &path, "", "application/json-patch+json", patch)
                    .0
            }
            Ask::Delete(_, uid) => {
                let options = match uid {
                    None => Value::Null,
                    Some(right) => json!({"apiVersion": "v1", "kind": "DeleteOptions",
                        "preconditions": {"uid": uid_of(there.as_ref(), *right)}}),
                };
                self.send("DELETE", &path, "", json, &options).0
            }
        }
    }

    /// What a watch from the beginning shows of objects with a label.
    fn watch_embedded(&mut self) -> Vec<(bool, String)> {
        let query = format!("watch=true&resourceVersion=1&labelSelector={LABEL}%3Dours");
        let raw = RawRequest {
            method: "GET",
            path: PATH,
            query: &query,
            accept: "application/json",
            ..RawRequest::default()
        };
        let request = Request::parse(&raw).unwrap();
        let Outcome::Watch(mut watch) = self.embedded.handle(&request, &User::admin(), &mut self.moment)
        else {
            panic!("no watch");
        };
        let mut shown = Vec::new();
        while let Polled::Lines(lines) = self.embedded.poll_watch(&mut watch, Timestamp::UNIX_EPOCH) {
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let event: Value = serde_json::from_slice(line).unwrap();
                let name = event["object"]["metadata"]["name"].as_str().unwrap().to_owned();
                shown.push((event["type"] != "DELETED", name));
            }
        }
        shown
    }

    fn watch_cheap(&self) -> Vec<(bool, String)> {
        let ours = |object: &Value| object["metadata"]["labels"][LABEL] == "ours";
        let changes = self.cheap.changes_since(0).unwrap().iter();
        let maps = changes.filter(|change| change.place.kind == "ConfigMap");
        maps.filter_map(|change| {
            Some((
                matches!(change.seen(ours)?, Seen::There(_)),
                change.place.name.clone(),
            ))
        })
        .collect()
    }
}

fn name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Get(name)
        | Ask::Create(name, _)
        | Ask::Apply(name, ..)
        | Ask::Update(name, _)
        | Ask::Merge(name, ..)
        | Ask::Json(name, _)
        | Ask::Delete(name, _) => name,
        Ask::Astray => "a",
    }
}

fn place(name: &str) -> Place {
    Place::new("ConfigMap", "shop", name)
}

fn uid_of(object: Option<&Value>, right: bool) -> String {
    let uid = object.and_then(|object| object["metadata"]["uid"].as_str());
    match right {
        true => uid.unwrap_or("none").to_owned(),
        false => "another".to_owned(),
    }
}

fn with_precondition(patch: &Value, precondition: Precondition, there: Option<&Value>) -> Value {
    let mut patch = patch.clone();
    if let (Some(there), true) = (there, precondition != Precondition::None) {
        patch["metadata"]["resourceVersion"] = match precondition {
            Precondition::Fails => "1".into(),
            Precondition::Holds | Precondition::None => there["metadata"]["resourceVersion"].clone(),
        };
    }
    patch
}

/// What both must have alike.
fn plain(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let entries = metadata["managedFields"].as_array().into_iter().flatten();
    let applies = entries.filter(|entry| entry["operation"] == "Apply");
    let ours: BTreeMap<&str, Value> = applies
        .map(|entry| (entry["manager"].as_str().unwrap(), fields(&entry["fieldsV1"])))
        .filter(|(_, fields)| *fields != json!({}))
        .collect();
    let some = |value: &Value| match value {
        Value::Array(list) if list.is_empty() => Value::Null,
        Value::Object(fields) if fields.is_empty() => Value::Null,
        value => value.clone(),
    };
    json!({
        "data": some(&object["data"]), "labels": some(&metadata["labels"]),
        "annotations": some(&metadata["annotations"]), "finalizers": some(&metadata["finalizers"]),
        "deleting": metadata["deletionTimestamp"].is_string(), "applied by": ours,
    })
}

/// The fields of a manager but finalizers, which nobody owns in the cheap server.
fn fields(owned: &Value) -> Value {
    let mut owned = owned.clone();
    if let Some(metadata) = owned["f:metadata"].as_object_mut() {
        metadata.remove("f:finalizers");
        if metadata.is_empty() {
            owned.as_object_mut().unwrap().remove("f:metadata");
        }
    }
    owned
}

fn stray() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"value": "1"}})
}

fn applied(name: &str, value: &str, label: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop", "labels": {LABEL: label}}, "data": {"value": value}})
}

fn cases() -> Vec<Ask> {
    let (a, b) = ("a", "b");
    let hold = |list: Value| json!({"metadata": {"finalizers": list}});
    let finalizer = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": a, "finalizers": ["example.dev/x"]}});
    vec![
        Ask::Get(a),
        Ask::Astray,
        Ask::Update(a, json!({"data": {"value": "2"}})),
        Ask::Delete(a, None),
        Ask::Apply(a, "ours", applied(a, "1", "ours")),
        Ask::Apply(a, "ours", applied(a, "1", "ours")),
        Ask::Apply(a, "ours", applied(a, "2", "ours")),
        Ask::Create(a, applied(a, "3", "ours")),
        Ask::Update(a, json!({"data": {"value": "theirs", "more": "theirs"}})),
        Ask::Apply(a, "ours", applied(a, "2", "ours")),
        Ask::Apply(
            a,
            "theirs",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": a}, "data": {"value": "4"}}),
        ),
        Ask::Apply(
            a,
            "ours",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": a}, "data": {"other": "5"}}),
        ),
        Ask::Apply(a, "ours", applied(a, "6", "ours")),
        Ask::Update(a, json!({"metadata": {"labels": {LABEL: "theirs"}}})),
        Ask::Update(
            a,
            json!({"metadata": {"labels": {LABEL: "ours"}, "annotations": {"note": "1"}}}),
        ),
        Ask::Merge(a, json!({"data": {"value": "7"}}), Precondition::Fails),
        Ask::Merge(a, json!({"data": {"value": "7"}}), Precondition::Holds),
        Ask::Merge(a, json!({"data": {"value": "7"}}), Precondition::None),
        Ask::Json(
            a,
            json!([{"op": "test", "path": "/data/value", "value": "7"}, {"op": "replace", "path": "/data/value", "value": "8"}]),
        ),
        Ask::Json(
            a,
            json!([{"op": "test", "path": "/data/value", "value": "7"}, {"op": "replace", "path": "/data/value", "value": "9"}]),
        ),
        Ask::Json(
            a,
            json!([{"op": "test", "path": "/data/nothing", "value": null}, {"op": "add", "path": "/data/value", "value": "10"}]),
        ),
        Ask::Json(
            a,
            json!([{"op": "test", "path": "/data/value", "value": null}, {"op": "add", "path": "/data/value", "value": "11"}]),
        ),
        Ask::Json(
            a,
            json!([{"op": "test", "path": "/status/nothing", "value": null}, {"op": "add", "path": "/data/value", "value": "12"}]),
        ),
        Ask::Delete(a, Some(false)),
        Ask::Apply(a, "finalizing", finalizer.clone()),
        Ask::Apply(a, "finalizing", finalizer.clone()),
        Ask::Delete(a, Some(true)),
        Ask::Delete(a, None),
        Ask::Apply(a, "ours", applied(a, "10", "ours")),
        Ask::Update(a, hold(json!([]))),
        Ask::Get(a),
        Ask::Apply(b, "ours", applied(b, "1", "ours")),
        Ask::Delete(b, Some(true)),
        Ask::Apply(b, "ours", applied(b, "1", "theirs")),
        Ask::Update(b, json!({"metadata": {"labels": {LABEL: "ours"}}})),
        Ask::Update(b, json!({"metadata": {"labels": {LABEL: null}}})),
        Ask::Delete(b, None),
    ]
}

#[test]
fn both_api_servers_answer_the_same() {
    let mut both = Both::new();
    for ask in cases() {
        both.ask(&ask);
    }
    let (cheap, embedded) = (both.watch_cheap(), both.watch_embedded());
    assert_eq!(cheap, embedded, "what the cheap watch shows and the embedded one");
}

#[test]
fn both_api_servers_answer_the_same_in_any_order() {
    let cases = cases();
    for seed in 0..20 {
        let mut dice = Dice::new(seed);
        let mut both = Both::new();
        for _ in 0..60 {
            let ask = dice.pick(&cases).clone();
            both.ask(&ask);
        }
    }
}

#[test]
fn changes_that_are_forgotten_are_not_taken_for_none() {
    let mut cluster = Cluster::new("c");
    cluster
        .create(&Place::new("Namespace", "", "shop"), &json!({}))
        .unwrap();
    for value in 0..100 {
        let body = applied("a", &value.to_string(), "ours");
        cluster.apply(&place("a"), "ours", &body).unwrap();
        cluster.forget_until(60);
    }
    assert!(cluster.changes_since(20).is_none());
    let told = |since| cluster.changes_since(since).unwrap().len() as u64;
    assert_eq!(told(60), cluster.version() - 60);
    assert_eq!(told(cluster.version()), 0);
}
