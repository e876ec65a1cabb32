//! What to ask next, given what the real server last showed.

use std::collections::BTreeMap;
use std::sync::Arc;

use outhaul_fake_kube_core::kind::Kind;
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::generate;
use crate::kinds::{Kinds, api_version, collection};
use crate::normal;
use crate::step::{Content, Step};

/// Objects of one kind that a sequence is about; few, so that writers meet.
const NAMES: [&str; 2] = ["a", "b"];
const MANAGERS: [&str; 3] = ["one", "two", "three"];

/// One sequence while it is made.
#[derive(Debug)]
pub struct Plan {
    dice: Dice,
    kinds: Vec<Arc<Kind>>,
    /// Objects as the real server last showed them, by kind and name.
    live: BTreeMap<(usize, String), Value>,
    /// What each manager applied last, by kind, name and manager.
    applied: BTreeMap<(usize, String, String), Value>,
    /// Names for uids and versions that may be used later.
    kept: Vec<String>,
    counter: usize,
    /// A name was generated: two would come in another order in each list.
    has_generated: bool,
    /// What the last list left to fetch.
    next: Option<String>,
}

#[derive(Clone, Copy)]
enum Verb {
    Create,
    Apply,
    Merge,
    Json,
    Strategic,
    Update,
    Status,
    Scale,
    Delete,
    DeleteAll,
    Get,
    List,
}

impl Plan {
    /// The sequence of one seed.
    pub fn new(kinds: &Kinds, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let count = dice.weighted(&[(6, 1), (2, 2), (1, 3)]);
        let chosen = (0..count).map(|_| dice.pick(&kinds.all).clone()).collect();
        Self {
            dice,
            kinds: chosen,
            live: BTreeMap::new(),
            applied: BTreeMap::new(),
            kept: Vec::new(),
            counter: 0,
            has_generated: false,
            next: None,
        }
    }

    /// The kinds that the sequence is about.
    pub fn kinds(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    /// The next request, and the object it is about.
    pub fn make_up(&mut self) -> (Step, Subject) {
        let at = self.dice.below(self.kinds.len());
        let kind = self.kinds[at].clone();
        let name = self.name(&kind);
        let mut subject = Subject {
            at,
            name,
            is_dry: false,
        };
        let verb = self.verb(&kind, &subject);
        let mut step = match verb {
            Verb::Create => self.create(&kind, &subject),
            Verb::Apply => self.apply(&kind, &subject),
            Verb::Merge | Verb::Json | Verb::Strategic => self.patch(verb, &kind, &subject),
            Verb::Update => self.update(&kind, &subject),
            Verb::Status => self.status(&kind, &subject),
            Verb::Scale => self.scale(&kind, &subject),
            Verb::Delete => self.delete(&kind, &subject),
            Verb::DeleteAll => self.delete_all(&kind, at),
            Verb::Get => Step::bare("GET", self.item(&kind, &subject.name, "")),
            Verb::List => self.list(&kind),
        };
        self.keep(&mut step);
        subject.is_dry = step.path.contains("dryRun") || step.body.get("dryRun").is_some();
        (step, subject)
    }

    /// Takes in what the real server said to the last request.
    pub fn learn(&mut self, subject: &Subject, code: u16, body: &Value) {
        let key = (subject.at, subject.name.clone());
        let kind = &self.kinds[subject.at];
        if subject.is_dry || body["metadata"]["generateName"].is_string() {
            // Nothing came of it, or something of another name.
        } else if code < 300 && body["kind"] == *kind.name && body["metadata"]["name"].is_string() {
            self.live.insert(key, normal::plain(body));
        } else if code == 404 || body["status"] == "Success" {
            self.live.remove(&key);
        }
        self.next = body["metadata"]["continue"]
            .as_str()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
    }

    fn name(&mut self, kind: &Kind) -> String {
        let name = *self.dice.pick(&NAMES[..]);
        if kind.is_namespaced() {
            name.to_owned()
        } else {
            format!("$NS-{name}")
        }
    }

    fn verb(&mut self, kind: &Kind, subject: &Subject) -> Verb {
        let version = &kind.versions[0];
        let is_there = self.live.contains_key(&(subject.at, subject.name.clone()));
        if !is_there {
            return self.dice.weighted(&[
                (45, Verb::Create),
                (40, Verb::Apply),
                (3, Verb::Merge),
                (4, Verb::Update),
                (2, Verb::Delete),
                (6, Verb::List),
            ]);
        }
        self.dice.weighted(&[
            (3, Verb::Create),
            (28, Verb::Apply),
            (14, Verb::Merge),
            (10, Verb::Json),
            (if kind.custom.is_some() { 1 } else { 12 }, Verb::Strategic),
            (12, Verb::Update),
            (if version.status { 7 } else { 0 }, Verb::Status),
            (if version.scale.is_some() { 5 } else { 0 }, Verb::Scale),
            (5, Verb::Delete),
            (usize::from(kind.is_namespaced()), Verb::DeleteAll),
            (2, Verb::Get),
            (4, Verb::List),
        ])
    }

    fn item(&mut self, kind: &Kind, name: &str, part: &str) -> String {
        let part = if part.is_empty() {
            String::new()
        } else {
            format!("/{part}")
        };
        format!("{}/{name}{part}", collection(kind))
    }

    fn create(&mut self, kind: &Kind, subject: &Subject) -> Step {
        let mut body = generate::object(kind, &subject.name, &mut self.dice);
        self.maybe_spoil(kind, &mut body, 15);
        // A Job has labels of its own name, which it shares with its template or not.
        if kind.is_namespaced() && &*kind.name != "Job" && !self.has_generated && self.dice.chance(4) {
            self.has_generated = true;
            let metadata = body["metadata"].as_object_mut().expect("made as an object");
            metadata.remove("name");
            metadata.insert("generateName".to_owned(), "gen-".into());
        }
        if self.dice.chance(5) {
            body["status"] = generate::status(kind, &mut self.dice).unwrap_or_default();
        }
        let path = format!("{}{}", collection(kind), self.options(true));
        Step::with_body("POST", path, Content::Json, body)
    }

    fn apply(&mut self, kind: &Kind, subject: &Subject) -> Step {
        let manager = (*self.dice.pick(&MANAGERS[..])).to_owned();
        let key = (subject.at, subject.name.clone(), manager.clone());
        let mut body = match self.applied.get(&key) {
            Some(last) if self.dice.chance(75) => {
                let mut body = last.clone();
                for _ in 0..=self.dice.below(3) {
                    generate::mutate(kind, &mut body, &mut self.dice);
                }
                body
            }
            _ => generate::object(kind, &subject.name, &mut self.dice),
        };
        self.applied.insert(key, body.clone());
        self.maybe_spoil(kind, &mut body, 10);
        if kind.custom.is_some() {
            drop_empty(&mut body);
        }
        let force = if self.dice.chance(45) { "&force=true" } else { "" };
        let more = self.options(false);
        let is_there = self.live.contains_key(&(subject.at, subject.name.clone()));
        let part = if kind.versions[0].status && is_there && self.dice.chance(6) {
            body["status"] = generate::status(kind, &mut self.dice).unwrap_or_default();
            if let Some(fields) = body.as_object_mut() {
                fields
                    .retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
            }
            "status"
        } else {
            ""
        };
        let item = self.item(kind, &subject.name, part);
        let path = format!("{item}?fieldManager={manager}{force}{}", more.replace('?', "&"));
        Step::with_body("PATCH", path, Content::Apply, body)
    }

    fn patch(&mut self, verb: Verb, kind: &Kind, subject: &Subject) -> Step {
        let live = self.live(subject);
        let to = generate::object(kind, &subject.name, &mut self.dice);
        let dice = &mut self.dice;
        let (content, body) = match verb {
            Verb::Json => (Content::Patch, generate::json_patch(kind, &live, &to, dice)),
            Verb::Strategic => (
                Content::Strategic,
                generate::strategic_patch(kind, &live, &to, dice),
            ),
            _ => (Content::Merge, generate::merge_patch(&live, &to, dice)),
        };
        let path = format!("{}{}", self.item(kind, &subject.name, ""), self.options(true));
        let mut step = Step::with_body("PATCH", path, content, body);
        if content != Content::Patch && self.dice.chance(4) {
            self.condition(&mut step.body);
            // A uid in a patch is a change of it, and refused as one; what else is wrong is not looked at.
            step.body["metadata"]
                .as_object_mut()
                .map(|metadata| metadata.remove("uid"));
        }
        step
    }

    fn update(&mut self, kind: &Kind, subject: &Subject) -> Step {
        let mut body = self.live(subject);
        if body.is_null() || self.dice.chance(15) {
            body = generate::object(kind, &subject.name, &mut self.dice);
        }
        for _ in 0..self.dice.below(3) {
            generate::mutate(kind, &mut body, &mut self.dice);
        }
        if self.dice.chance(8) || !kind.traits.unconditional_update && self.dice.chance(80) {
            self.condition(&mut body);
        }
        let path = format!("{}{}", self.item(kind, &subject.name, ""), self.options(true));
        Step::with_body("PUT", path, Content::Json, body)
    }

    fn status(&mut self, kind: &Kind, subject: &Subject) -> Step {
        let status = generate::status(kind, &mut self.dice).unwrap_or_default();
        let part = if self.dice.chance(90) { "status" } else { "" };
        let path = format!("{}{}", self.item(kind, &subject.name, part), self.options(true));
        // Where an update creates what is not there, so does one of the status, with less than it needs.
        if kind.traits.creates_on_update || self.dice.chance(50) {
            let body = json!({"status": status});
            return Step::with_body("PATCH", path, Content::Merge, body);
        }
        let mut body = self.live(subject);
        if body.is_null() {
            body = generate::object(kind, &subject.name, &mut self.dice);
        }
        body["status"] = status;
        Step::with_body("PUT", path, Content::Json, body)
    }

    fn scale(&mut self, kind: &Kind, subject: &Subject) -> Step {
        let path = self.item(kind, &subject.name, "scale");
        // A scale to the number that is there loses its owners in the real server, one after the other.
        let current = self.live(subject)["spec"]["replicas"].as_i64();
        // Nor is it certain who owns a zero.
        let others: Vec<i64> = [1, 2, 5, -1]
            .into_iter()
            .filter(|number| Some(*number) != current)
            .collect();
        let replicas = *self.dice.pick(&others);
        // Who scaled a custom object is not recorded as the real server does, which loses some of it on the way.
        let choice = if kind.custom.is_some() {
            0
        } else {
            self.dice.below(4)
        };
        match choice {
            0 => Step::bare("GET", path),
            1 => {
                let body = json!({
                    "apiVersion": "autoscaling/v1", "kind": "Scale",
                    "metadata": {"name": subject.name, "namespace": "$NS"}, "spec": {"replicas": replicas},
                });
                Step::with_body(
                    "PUT",
                    format!("{path}{}", self.options(true)),
                    Content::Json,
                    body,
                )
            }
            _ => {
                let body = json!({"spec": {"replicas": replicas}});
                Step::with_body(
                    "PATCH",
                    format!("{path}{}", self.options(true)),
                    Content::Merge,
                    body,
                )
            }
        }
    }

    fn delete(&mut self, kind: &Kind, subject: &Subject) -> Step {
        // Where a policy adds a finalizer to a Namespace, the order of all is that of a map in Go.
        let policy = match &*kind.name {
            "Namespace" => *self.dice.pick(&["", "Background"]),
            _ => *self.dice.pick(&["", "", "Background", "Foreground", "Orphan"]),
        };
        let mut body = Map::new();
        if !policy.is_empty() {
            body.insert("propagationPolicy".to_owned(), policy.into());
        }
        if self.dice.chance(20) {
            let mut condition = json!({});
            self.condition(&mut condition);
            if !policy.is_empty() {
                // Where a policy changes the finalizers first, the version of before is not that of the deletion.
                condition["metadata"]
                    .as_object_mut()
                    .map(|metadata| metadata.remove("resourceVersion"));
            }
            body.insert("preconditions".to_owned(), condition["metadata"].take());
        }
        if policy.is_empty() && self.dice.chance(8) {
            body.insert("dryRun".to_owned(), json!(["All"]));
        }
        let path = self.item(kind, &subject.name, "");
        let body = if body.is_empty() {
            Value::Null
        } else {
            Value::Object(body)
        };
        Step::with_body("DELETE", path, Content::Json, body)
    }

    fn delete_all(&mut self, kind: &Kind, at: usize) -> Step {
        // Which are left is not told.
        self.live.retain(|(of, _), _| *of != at);
        let selector = self.dice.pick(&[
            "?labelSelector=app",
            "?labelSelector=a%3Db",
            "?fieldSelector=metadata.name%3Da",
        ]);
        Step::bare("DELETE", format!("{}{selector}", collection(kind)))
    }

    fn list(&mut self, kind: &Kind) -> Step {
        if !kind.is_namespaced() {
            return Step::bare(
                "GET",
                format!("{}?fieldSelector=metadata.name%3D$NS-a", collection(kind)),
            );
        }
        let query = *self.dice.pick(&[
            "",
            "?limit=1",
            "?labelSelector=app",
            "?labelSelector=app%3Da,!b",
            "?labelSelector=a+in+(a,b)",
            "?labelSelector=app%3D%3D",
            "?fieldSelector=metadata.name%3Da",
            "?fieldSelector=metadata.name!%3Da",
            "?labelSelector=%3D%3D",
        ]);
        let mut step = Step::bare("GET", format!("{}{query}", collection(kind)));
        if query == "?limit=1" {
            self.counter += 1;
            step.keep.insert(
                format!("NEXT{:03}", self.counter),
                "/metadata/continue".to_owned(),
            );
        } else if self.next.is_some() && self.dice.chance(80) {
            step.path = format!("{}?limit=1&continue=$NEXT{:03}", collection(kind), self.counter);
        }
        step
    }

    /// The live object as a client would send it back.
    fn live(&self, subject: &Subject) -> Value {
        let live = self.live.get(&(subject.at, subject.name.clone())).cloned();
        let Some(mut live) = live else { return Value::Null };
        live["metadata"]["name"] = subject.name.clone().into();
        live["apiVersion"] = api_version(&self.kinds[subject.at]).into();
        live
    }

    fn maybe_spoil(&mut self, kind: &Kind, body: &mut Value, percent: usize) {
        if self.dice.chance(percent) {
            generate::mutate(kind, body, &mut self.dice);
        }
    }

    /// Manager, validation and dry run, as a query.
    fn options(&mut self, with_manager: bool) -> String {
        let mut options = Vec::new();
        if with_manager {
            options.push(format!(
                "fieldManager={}",
                self.dice.pick(&["one", "two", "kubectl-edit", "four"])
            ));
        }
        match self.dice.below(10) {
            0 => options.push("fieldValidation=Strict".to_owned()),
            1 => options.push("fieldValidation=Ignore".to_owned()),
            2 => options.push("fieldValidation=Warn".to_owned()),
            _ => {}
        }
        if self.dice.chance(4) {
            options.push("dryRun=All".to_owned());
        }
        if options.is_empty() {
            String::new()
        } else {
            format!("?{}", options.join("&"))
        }
    }

    /// Adds a uid or resourceVersion that was right once.
    fn condition(&mut self, body: &mut Value) {
        if self.kept.is_empty() || self.dice.chance(5) {
            body["metadata"]["uid"] = "33333333-3333-4333-8333-333333333333".into();
            return;
        }
        // The latest is right more often than not.
        let back = self.dice.weighted(&[(6, 1), (2, 2), (1, 3)]).min(self.kept.len());
        let name = self.kept[self.kept.len() - back].clone();
        if self.dice.chance(25) {
            body["metadata"]["uid"] = format!("$UID{name}").into();
        } else {
            body["metadata"]["resourceVersion"] = format!("$RV{name}").into();
        }
    }

    fn keep(&mut self, step: &mut Step) {
        if matches!(step.method, "POST" | "PATCH" | "PUT") && self.dice.chance(60) {
            self.counter += 1;
            let name = format!("{:03}", self.counter);
            step.keep.insert(format!("UID{name}"), "/metadata/uid".to_owned());
            step.keep
                .insert(format!("RV{name}"), "/metadata/resourceVersion".to_owned());
            self.kept.push(name);
        }
    }
}

/// An empty map or list in the metadata that is applied to a custom resource is there until something else is written, though no
/// answer shows it.
fn drop_empty(body: &mut Value) {
    if let Some(metadata) = body["metadata"].as_object_mut() {
        metadata.retain(|_, value| {
            !value.is_null()
                && value.as_object().is_none_or(|map| !map.is_empty())
                && value.as_array().is_none_or(|list| !list.is_empty())
        });
    }
}

/// The object that a request is about.
#[derive(Debug, Clone)]
pub struct Subject {
    at: usize,
    name: String,
    /// It is asked what would be.
    is_dry: bool,
}
