//! The plane against a small cluster that behaves: it keeps objects, gives uids and resource versions, and fails when
//! told to. Values in, values out; no time passes but what a test says.

mod adoption;
mod cluster;
mod convergence;
mod damage;
mod ensured;
mod governed;
mod guarded;
mod held;
mod inherited;
mod once;
mod pinned;
mod releases;
mod succession;
mod together;

use core::time::Duration;
use std::time::Instant;

use outhaul_protocol_session::agent::{self, Standing, Store, StoreContent};
use outhaul_protocol_wire::head::{BundleKind, Confirmed, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::Generation;
use outhaul_protocol_wire::message::Held;
use outhaul_protocol_wire::report::{BlockerReason, Health};
use outhaul_protocol_wire::witness::Witness;
use serde_json::{Value, json};

use self::cluster::Cluster;
use super::{Answer, Change, News, Plane, Request, Stored};
use crate::blocker::Failure;
use crate::clock::Clock;
use crate::desired::Desired;
use crate::item::Brought;
use crate::kinds::Watched;
use crate::live;
use crate::policy::Policy;
use crate::record::Record;
use crate::testing::{config_map, content, live_config_map, release_key};

/// The agent's namespace.
const HOME: &str = "outhaul-system";

/// A plane, its cluster, and what is written down.
struct Rig {
    plane: Plane,
    cluster: Cluster,
    records: std::collections::BTreeMap<Key, (Record, Option<Value>)>,
    specs: std::collections::BTreeMap<Key, Value>,
    /// Resources whose stored content is damaged.
    lost: std::collections::BTreeSet<Key>,
    now: Instant,
    clock: Clock,
    /// Requests in the order in which they were sent.
    log: Vec<String>,
    news: Vec<News>,
    /// The control plane that is written down.
    pin: Option<Witness>,
}

impl Rig {
    fn new() -> Self {
        let clock = Clock {
            now: Instant::now(),
            unix: 1_000_000,
        };
        Self {
            plane: Plane::restored([], Policy::open(HOME), clock),
            cluster: Cluster::default(),
            records: Default::default(),
            specs: Default::default(),
            lost: Default::default(),
            now: clock.now,
            clock,
            log: Vec::new(),
            news: Vec::new(),
            pin: None,
        }
    }

    fn head(name: &str, generation: u64, state: HeadState, spec: &Value) -> Head {
        Head {
            key: release_key(name),
            version: Version {
                generation: Generation(generation),
                ..Version::default()
            },
            digest: content(spec).1,
            state,
            confirmed: None,
        }
    }

    fn announce(&mut self, name: &str, generation: u64, objects: &[Value], recorded: bool) -> Key {
        let resources: Vec<Value> = objects
            .iter()
            .map(|object| json!({"id": object["metadata"]["name"], "object": object}))
            .collect();
        self.announce_spec(name, generation, &json!({"resources": resources}), recorded)
    }

    fn announce_spec(&mut self, name: &str, generation: u64, spec: &Value, recorded: bool) -> Key {
        let head = Self::head(name, generation, HeadState::Present, spec);
        let key = head.key.clone();
        self.specs.insert(key.clone(), spec.clone());
        let content = StoreContent::New(content(spec).0);
        self.plane
            .take(Store {
                head,
                recorded,
                content,
            })
            .unwrap();
        key
    }

    fn remove(&mut self, name: &str, generation: u64) -> Held {
        let head = Self::head(name, generation, HeadState::Removed, &json!({}));
        let held = Held {
            key: head.key.clone(),
            version: head.version,
        };
        let (recorded, content) = (true, StoreContent::Kept);
        self.plane
            .take(Store {
                head,
                recorded,
                content,
            })
            .unwrap();
        held
    }

    /// Somebody confirmed what is held of the newest head, which the plane holds.
    fn confirm(&mut self, held: &Held, confirmed: Confirmed) {
        self.settle();
        let holding = agent::Plane::holding(&self.plane, &held.key).unwrap();
        assert_eq!(holding.head.version, held.version);
        let head = Head {
            confirmed: Some(confirmed),
            ..holding.head.clone()
        };
        let (recorded, content) = (true, StoreContent::Kept);
        self.plane
            .take(Store {
                head,
                recorded,
                content,
            })
            .unwrap();
    }

    /// One round: everything that can be done now is done, and answered in the order in which it was asked.
    fn round(&mut self) -> bool {
        self.plane.advance(self.now);
        let mut busy = false;
        while let Some(write) = self.plane.poll_write(self.now) {
            busy = true;
            self.write(&write.key, write.change);
            self.plane.written(&write.key, Ok(()), self.now);
        }
        if let Some(witness) = self.plane.poll_pin(self.now) {
            busy = true;
            self.pin = Some(witness);
            self.plane.pin_written(true, self.now);
        }
        let mut asked = Vec::new();
        while let Some(request) = self.plane.poll_request(self.now) {
            asked.push(request);
        }
        for request in asked {
            busy = true;
            self.log.push(cluster::describe(&request.action));
            let answer = self.cluster.answer(&request.action);
            self.plane
                .answered(request.id, answer, Duration::from_millis(2), self.now);
        }
        self.news.extend(self.plane.news());
        busy
    }

    /// The request `what`, which waits for its answer; all that come before it are answered.
    fn ask(&mut self, what: &str) -> Request {
        for _ in 0..10 {
            self.plane.advance(self.now);
            while let Some(write) = self.plane.poll_write(self.now) {
                self.write(&write.key, write.change);
                self.plane.written(&write.key, Ok(()), self.now);
            }
            while let Some(request) = self.plane.poll_request(self.now) {
                if cluster::describe(&request.action) == what {
                    return request;
                }
                let answer = self.cluster.answer(&request.action);
                self.plane.answered(request.id, answer, Duration::ZERO, self.now);
            }
        }
        panic!("it never asks {what}");
    }

    /// Rounds and watch events until nothing happens any more, without time passing.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            let events = self.cluster.watch(&mut self.plane, self.now);
            if !self.round() && !events {
                return;
            }
        }
        panic!("it never rests: {:?}", &self.log[self.log.len() - 20..]);
    }

    /// Lets time pass until the plane has nothing to wait for within an hour.
    fn settle_in_time(&mut self) {
        let end = self.now + Duration::from_secs(3600);
        self.settle();
        while let Some((at, _)) = self.plane.deadline().filter(|(at, _)| *at < end) {
            self.now = self.now.max(at);
            self.settle();
        }
    }

    fn write(&mut self, key: &Key, change: Change) {
        let spec = self.specs.get(key).cloned();
        match change {
            Change::Replace(record, _) => {
                self.lost.remove(key);
                self.records.insert(key.clone(), (record, spec))
            }
            Change::Update(record) => {
                let spec = self.records.get(key).and_then(|(_, spec)| spec.clone());
                self.records.insert(key.clone(), (record, spec))
            }
            Change::Empty(record) => self.records.insert(key.clone(), (record, None)),
            Change::Forget => self.records.remove(key),
        };
    }

    /// The agent starts again with what is written down.
    fn restart(&mut self) {
        let stored = self.records.values().map(|(record, spec)| Stored {
            record: record.clone(),
            brought: match spec {
                _ if self.lost.contains(&record.head.key) => Brought::Lost("a chunk is missing".into()),
                Some(spec) => Brought::Spec(Desired::read(&record.head.key, spec)),
                None => Brought::Kept,
            },
        });
        let policy = self.plane.policy().clone();
        self.plane = Plane::restored(stored.collect::<Vec<_>>(), policy, self.clock());
        self.plane.know_control_plane(self.pin);
        self.cluster.forget_watches();
        self.log.clear();
        self.news.clear();
    }

    /// What the clocks say now.
    fn clock(&self) -> Clock {
        let passed = self.now.saturating_duration_since(self.clock.now);
        Clock {
            now: self.now,
            unix: self.clock.unix + passed.as_secs(),
        }
    }

    /// The agent starts again, and has to look at everything since it may not watch; then it may.
    fn restart_unwatched(&mut self) {
        self.restart();
        self.cluster.forbid_watching(true);
        for _ in 0..2 {
            self.plane.advance(self.now);
            self.cluster.watch(&mut self.plane, self.now);
        }
        self.cluster.forbid_watching(false);
    }

    /// Of which generation there is something to say.
    fn reported(&self, key: &Key) -> Option<Generation> {
        agent::Plane::report(&self.plane, key).map(|view| view.version.generation)
    }

    fn message(&self, key: &Key, id: &str) -> String {
        let view = agent::Plane::report(&self.plane, key).unwrap();
        let report = view.objects.iter().find(|report| report.id == id).unwrap();
        report
            .blocker
            .as_ref()
            .map(|it| it.message.clone())
            .unwrap_or_default()
    }

    fn blocker(&self, key: &Key, id: &str) -> Option<BlockerReason> {
        let view = agent::Plane::report(&self.plane, key)?;
        let report = view.objects.iter().find(|report| report.id == id)?;
        report.blocker.as_ref().map(|blocker| blocker.reason)
    }
}

fn widget(name: &str) -> Value {
    json!({"apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": name, "namespace": "shop"}})
}

fn object(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}})
}

#[test]
fn stages_follow_each_other_and_objects_of_one_go_together() {
    let mut rig = Rig::new();
    rig.announce(
        "cart",
        1,
        &[
            object("gateway.networking.k8s.io/v1", "HTTPRoute", "route"),
            object("apps/v1", "Deployment", "deployment"),
            config_map("config", "1"),
            object("v1", "Service", "service"),
            object("v1", "ServiceAccount", "account"),
        ],
        true,
    );
    rig.settle();
    let applies: Vec<_> = rig.log.iter().filter(|line| !line.starts_with("look")).collect();
    assert_eq!(
        applies,
        [
            "create namespace shop",
            "apply ServiceAccount shop/account",
            "apply ConfigMap shop/config",
            "apply Deployment.apps shop/deployment",
            "apply Service shop/service",
            "apply HTTPRoute.gateway.networking.k8s.io shop/route",
        ]
    );
}

#[test]
fn a_head_is_written_down_with_old_and_new_objects_before_anything_of_it_is_sent() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle();
    rig.announce("cart", 2, &[config_map("two", "2")], true);
    rig.plane.advance(rig.now);
    assert!(rig.plane.poll_request(rig.now).is_none());
    let write = rig.plane.poll_write(rig.now).unwrap();
    let Change::Replace(record, _) = &write.change else {
        panic!("new content is written: {write:?}");
    };
    let names: Vec<_> = record
        .inventory
        .iter()
        .map(|item| item.object.name.as_str())
        .collect();
    assert_eq!(names, ["two", "one"]);
    rig.plane.advance(rig.now);
    assert!(
        rig.plane.poll_request(rig.now).is_none(),
        "the write is not answered yet"
    );
    rig.plane.written(&key, Ok(()), rig.now);
    rig.plane.advance(rig.now);
    assert!(rig.plane.poll_request(rig.now).is_some());
}

#[test]
fn a_write_that_fails_is_tried_again_and_nothing_is_sent_before() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    let write = rig.plane.poll_write(rig.now).unwrap();
    let away = crate::blocker::Failure::Unreachable("away".into());
    rig.plane.written(&write.key, Err(away), rig.now);
    rig.plane.advance(rig.now);
    assert!(rig.plane.poll_write(rig.now).is_none() && rig.plane.poll_request(rig.now).is_none());
    let (at, _) = rig.plane.deadline().unwrap();
    rig.now = at;
    rig.settle();
    assert!(rig.cluster.has("one"), "{key}");
}

#[test]
fn a_removal_that_comes_while_a_write_fails_looks_for_what_that_one_wanted() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.records.clear();
    rig.restart();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    let write = rig.plane.poll_write(rig.now).unwrap();
    let held = rig.remove("cart", 2);
    let away = crate::blocker::Failure::Unreachable("away".into());
    rig.plane.written(&write.key, Err(away), rig.now);
    rig.settle_in_time();
    assert!(!rig.cluster.has("one"), "{:?}", rig.log);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn an_unrecorded_head_is_stored_and_not_applied() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], false);
    rig.settle_in_time();
    assert!(rig.log.is_empty() && rig.records.contains_key(&key));
    assert!(agent::Plane::report(&rig.plane, &key).is_none());
    let held = Held {
        key: key.clone(),
        version: rig.records[&key].0.head.version,
    };
    rig.plane.recorded(&held, rig.now);
    rig.settle_in_time();
    assert!(rig.cluster.has("one"));
    assert_eq!(rig.records[&key].0.standing, Standing::Recorded);
}

#[test]
fn what_did_not_change_costs_no_request() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1"), config_map("two", "1")], true);
    rig.settle_in_time();
    rig.log.clear();
    rig.announce("cart", 2, &[config_map("one", "1"), config_map("two", "2")], true);
    rig.settle_in_time();
    assert_eq!(rig.log, ["apply ConfigMap shop/two"]);
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0], "a restart finds everything as it was");
    assert!(rig.news.contains(&News::Looked));
}

#[test]
fn a_newer_head_is_reported_once_it_is_applied_or_blocked() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1"), config_map("two", "1")], true);
    rig.settle_in_time();
    rig.announce("cart", 2, &[config_map("one", "2"), config_map("two", "1")], true);
    rig.round();
    assert_eq!(rig.records[&key].0.head.version.generation, Generation(2));
    assert_eq!(rig.reported(&key), None, "stored, and not applied yet");
    rig.restart();
    rig.cluster.watch(&mut rig.plane, rig.now);
    assert_eq!(rig.reported(&key), None, "what is there is of the older head");
    rig.settle();
    assert_eq!(rig.reported(&key), Some(Generation(2)));
    assert!(rig.news.contains(&News::Whole(key.clone())));
    rig.cluster.fail("two", 422);
    rig.announce("cart", 3, &[config_map("one", "2"), config_map("two", "2")], true);
    rig.settle();
    assert_eq!(rig.reported(&key), Some(Generation(3)));
    assert_eq!(rig.blocker(&key, "two"), Some(BlockerReason::Invalid));
}

#[test]
fn pruning_waits_until_everything_wanted_is_in_place() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("old", "1")], true);
    rig.settle();
    rig.cluster.fail("new", 422);
    rig.announce(
        "cart",
        2,
        &[config_map("new", "1"), config_map("other", "1")],
        true,
    );
    rig.settle();
    assert_eq!(rig.blocker(&key, "new"), Some(BlockerReason::Invalid));
    assert!(rig.cluster.has("old") && rig.cluster.has("other"));
    rig.cluster.heal();
    rig.settle_in_time();
    assert!(rig.cluster.has("new") && !rig.cluster.has("old"));
    assert_eq!(rig.blocker(&key, "new"), None);
}

#[test]
fn what_is_invalid_is_tried_less_and_less_and_what_is_forbidden_each_minute() {
    for (code, within) in [(422, 10..20), (403, 60..80)] {
        let mut rig = Rig::new();
        rig.cluster.fail("one", code);
        rig.announce("cart", 1, &[config_map("one", "1")], true);
        rig.settle_in_time();
        let attempts = rig.log.iter().filter(|it| *it == "apply ConfigMap shop/one");
        let attempts = attempts.count();
        assert!(within.contains(&attempts), "{code}: {attempts} in an hour");
    }
}

/// What changes, how long until it is tried again, and how it is changed.
type Heals = (&'static str, Duration, fn(&mut Rig));

#[test]
fn what_is_invalid_is_tried_again_when_something_changes() {
    let changes: [Heals; 4] = [
        ("what is wanted", Duration::ZERO, |rig| {
            rig.announce("cart", 3, &[config_map("one", "3")], true);
        }),
        ("what is there", Duration::from_secs(60), |rig| {
            rig.cluster
                .edit("one", |object| object["data"]["more"] = "1".into());
        }),
        ("that it is there", Duration::ZERO, |rig| {
            rig.cluster.delete("one")
        }),
        ("what its kind is", Duration::ZERO, |rig| {
            rig.plane.kinds_changed("")
        }),
    ];
    for (case, within, change) in changes {
        let mut rig = Rig::new();
        let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
        rig.settle_in_time();
        rig.cluster.fail("one", 422);
        rig.announce("cart", 2, &[config_map("one", "2")], true);
        rig.settle_in_time();
        assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::Invalid), "{case}");
        rig.cluster.heal();
        let healed = rig.now;
        change(&mut rig);
        rig.settle();
        while rig.blocker(&key, "one").is_some() {
            rig.now = rig.plane.deadline().unwrap().0;
            rig.settle();
        }
        assert!(rig.now - healed <= within, "{case}: {:?}", rig.now - healed);
    }
}

#[test]
fn a_spec_that_cannot_be_read_deletes_nothing_even_after_a_restart() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.announce_spec("cart", 2, &json!({"resources": "nonsense"}), true);
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert!(rig.cluster.has("one"), "{:?}", rig.log);
}

#[test]
fn a_removed_resource_is_gone_once_nothing_of_it_is_found() {
    let mut rig = Rig::new();
    let key = rig.announce(
        "cart",
        1,
        &[config_map("one", "1"), object("apps/v1", "Deployment", "two")],
        true,
    );
    rig.settle_in_time();
    rig.log.clear();
    let held = rig.remove("cart", 2);
    rig.settle_in_time();
    assert_eq!(
        rig.log,
        [
            "delete Deployment.apps shop/two",
            "look Deployment.apps shop/two",
            "delete ConfigMap shop/one",
            "look ConfigMap shop/one",
            "sweep",
        ]
    );
    assert!(rig.news.contains(&News::Gone(held.clone())));
    rig.plane.settled(&held, 1_000, rig.now);
    rig.settle_in_time();
    assert_eq!(rig.records[&key].0.standing, Standing::Settled);
    assert_eq!(rig.plane.watched().count(), 0, "what is gone is not watched");
}

#[test]
fn settled_resources_are_remembered_for_thirty_days() {
    let mut rig = Rig::new();
    let day = 24 * 60 * 60;
    for (index, name) in ["first", "second"].into_iter().enumerate() {
        rig.announce(name, 1, &[], true);
        let held = rig.remove(name, 2);
        rig.settle_in_time();
        rig.plane.settled(&held, index as u64 * 31 * day, rig.now);
        rig.settle_in_time();
    }
    assert!(!rig.records.contains_key(&release_key("first")));
    assert!(rig.records.contains_key(&release_key("second")));
}

#[test]
fn what_another_resource_has_is_left_to_it_until_it_lets_go() {
    let mut rig = Rig::new();
    rig.announce("first", 1, &[config_map("one", "first")], true);
    rig.settle_in_time();
    let second = rig.announce("second", 1, &[config_map("one", "second")], true);
    rig.settle_in_time();
    assert_eq!(rig.blocker(&second, "one"), Some(BlockerReason::OwnedByAnother));
    assert_eq!(rig.cluster.value("one"), Some("first"));
    rig.announce("first", 2, &[], true);
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("second"));
    assert_eq!(rig.blocker(&second, "one"), None);
}

#[test]
fn what_carries_the_labels_of_a_stranger_is_left_to_him() {
    let mut rig = Rig::new();
    rig.cluster.put_of("one", "stranger");
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle();
    assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::OwnedByAnother));
    rig.cluster.delete("one");
    rig.settle();
    assert_eq!(rig.cluster.value("one"), Some("1"), "it is taken when it is free");
    rig.cluster.put_of("one", "stranger");
    rig.settle();
    let held = rig.remove("cart", 2);
    rig.settle_in_time();
    assert_eq!(
        rig.cluster.value("one"),
        Some("stranger"),
        "it was taken away, and is not deleted"
    );
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn drift_is_repaired_and_others_additions_are_not() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.log.clear();
    rig.cluster.edit("one", |object| {
        object["metadata"]["annotations"] = json!({"theirs": "1"})
    });
    rig.settle();
    assert_eq!(rig.log, [""; 0]);
    rig.cluster
        .edit("one", |object| object["data"]["value"] = "theirs".into());
    rig.settle();
    assert_eq!(rig.log, ["apply ConfigMap shop/one"]);
    rig.cluster.delete("one");
    rig.settle();
    assert_eq!(
        (rig.cluster.value("one"), rig.blocker(&key, "one")),
        (Some("1"), None)
    );
}

/// A Deployment's controller says that it serves.
fn serves(object: &mut Value) {
    object["status"] =
        json!({"observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1});
}

#[test]
fn an_answer_that_a_watch_overtook_does_not_undo_what_the_watch_told() {
    for (applied_before, verb) in [(true, "apply"), (false, "look")] {
        let mut rig = Rig::new();
        let mut web = object("apps/v1", "Deployment", "web");
        let key = rig.announce("cart", 1, &[web.clone()], true);
        rig.settle_in_time();
        if applied_before {
            web["spec"] = json!({"minReadySeconds": 1});
            rig.announce("cart", 2, &[web], true);
        } else {
            rig.restart_unwatched();
        }
        let asked = format!("{verb} Deployment.apps shop/web");
        let request = rig.ask(&asked);
        let answer = rig.cluster.answer(&request.action);
        rig.cluster.edit("web", serves);
        rig.cluster.watch(&mut rig.plane, rig.now);
        rig.plane.answered(request.id, answer, Duration::ZERO, rig.now);
        rig.settle_in_time();
        let report = agent::Plane::report(&rig.plane, &key).unwrap();
        assert_eq!(report.objects[0].health, Health::Healthy, "{asked}");
    }
}

#[test]
fn a_look_that_fails_after_a_watch_told_of_the_object_blocks_nothing() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.restart_unwatched();
    let look = rig.ask("look ConfigMap shop/one");
    rig.cluster.watch(&mut rig.plane, rig.now);
    let failed = Answer::Failed(Failure::Unreachable("no answer".into()));
    rig.plane.answered(look.id, failed, Duration::ZERO, rig.now);
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "one"), None);
}

/// The labels of another Release.
fn relabel(object: &mut Value) {
    object["metadata"]["labels"] =
        live_config_map(&release_key("shop"), "one", "1")["metadata"]["labels"].clone();
}

#[test]
fn an_object_that_a_watch_shows_as_ours_is_not_whose_it_was_before() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    let ours = rig.cluster.get("one").unwrap()["metadata"]["labels"].clone();
    rig.restart_unwatched();
    let look = rig.ask("look ConfigMap shop/one");
    rig.cluster.edit("one", relabel);
    let answer = rig.cluster.answer(&look.action);
    rig.cluster
        .edit("one", |object| object["metadata"]["labels"] = ours);
    rig.cluster.watch(&mut rig.plane, rig.now);
    rig.plane.answered(look.id, answer, Duration::ZERO, rig.now);
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "one"), None);
}

#[test]
fn an_event_from_before_an_apply_takes_nothing_away() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    let apply = rig.ask("apply ConfigMap shop/one");
    rig.cluster.edit("one", relabel);
    let late = rig.cluster.get("one").unwrap().clone();
    let answer = rig.cluster.answer(&apply.action);
    rig.plane.answered(apply.id, answer, Duration::ZERO, rig.now);
    rig.log.clear();
    let watched = Watched::of(&live::reference(&late).unwrap(), BundleKind::Release);
    rig.plane.seen(&watched, &late, rig.now);
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0]);
}

#[test]
fn drift_while_the_agent_was_down_is_repaired_at_its_start() {
    let mut rig = Rig::new();
    rig.announce(
        "cart",
        1,
        &[
            config_map("one", "1"),
            config_map("two", "1"),
            config_map("three", "1"),
        ],
        true,
    );
    rig.settle_in_time();
    rig.cluster
        .edit("one", |object| object["data"]["value"] = "theirs".into());
    rig.cluster.delete("two");
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.log, ["apply ConfigMap shop/one", "apply ConfigMap shop/two"]);
}

#[test]
fn a_replicas_field_that_an_autoscaler_owns_is_left_to_it() {
    let mut rig = Rig::new();
    let mut deployment = object("apps/v1", "Deployment", "web");
    deployment["spec"] = json!({"replicas": 1, "paused": false});
    rig.announce("cart", 1, &[deployment.clone()], true);
    rig.settle_in_time();
    rig.cluster.scale("web", 5);
    rig.settle_in_time();
    assert_eq!(rig.cluster.get("web").unwrap()["spec"]["replicas"], 5);
    deployment["spec"]["paused"] = true.into();
    rig.announce("cart", 2, &[deployment], true);
    rig.settle_in_time();
    assert_eq!(
        rig.cluster.get("web").unwrap()["spec"],
        json!({"replicas": 5, "paused": true})
    );
}

#[test]
fn an_api_server_that_does_not_answer_is_asked_carefully_and_then_gets_everything() {
    let mut rig = Rig::new();
    let objects: Vec<_> = (0..50)
        .map(|number| config_map(&format!("object-{number}"), "1"))
        .collect();
    rig.cluster.away(true);
    let key = rig.announce("cart", 1, &objects, true);
    for _ in 0..20 {
        rig.settle();
        rig.now = rig.plane.deadline().unwrap().0;
    }
    assert!(rig.log.len() < 60, "{} requests", rig.log.len());
    rig.cluster.away(false);
    rig.settle_in_time();
    assert!((0..50).all(|number| rig.cluster.has(&format!("object-{number}"))));
    let view = agent::Plane::report(&rig.plane, &key).unwrap();
    assert!(
        view.objects
            .iter()
            .all(|it| it.health == Health::Healthy && it.blocker.is_none())
    );
}

#[test]
fn a_kind_that_is_defined_later_is_applied_then() {
    let mut rig = Rig::new();
    rig.cluster.undefine("Widget");
    let key = rig.announce("cart", 1, &[widget("w"), config_map("one", "1")], true);
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "w"), Some(BlockerReason::KindUnknown));
    assert!(rig.cluster.has("one"));
    rig.cluster.define("Widget");
    rig.plane.kinds_changed("example.dev");
    rig.settle();
    assert!(rig.cluster.has("w"));
    assert_eq!(rig.blocker(&key, "w"), None);
}

#[test]
fn a_kind_that_may_not_be_watched_is_applied_and_says_so() {
    let mut rig = Rig::new();
    rig.cluster.forbid_watching(true);
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    assert!(rig.cluster.has("one"));
    assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::Forbidden));
}

#[test]
fn a_namespace_that_may_not_be_created_is_the_objects_blocker() {
    let mut rig = Rig::new();
    rig.cluster.forbid_namespaces();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle();
    assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::Forbidden));
}

#[test]
fn orphans_are_kept_and_repaired() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.plane.orphaned(std::slice::from_ref(&key), rig.now);
    rig.settle_in_time();
    assert_eq!(rig.records[&key].0.standing, Standing::Orphaned);
    rig.cluster
        .edit("one", |object| object["data"]["value"] = "theirs".into());
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("1"));
}

#[test]
fn what_is_there_is_of_the_resource_that_its_labels_name_whoever_wanted_the_name_first() {
    let mut rig = Rig::new();
    rig.cluster.put_of("one", "pay");
    let cart = rig.announce("cart", 1, &[config_map("one", "of cart")], true);
    rig.settle();
    assert_eq!(rig.blocker(&cart, "one"), Some(BlockerReason::OwnedByAnother));
    let pay = rig.announce("pay", 1, &[config_map("one", "of pay")], true);
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("of pay"));
    assert_eq!(rig.blocker(&pay, "one"), None);
    assert_eq!(rig.blocker(&cart, "one"), Some(BlockerReason::OwnedByAnother));
    rig.remove("pay", 2);
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("of cart"));
    assert_eq!(rig.blocker(&cart, "one"), None);
}

#[test]
fn what_was_applied_before_its_recording_was_written_down_is_known_after_a_restart() {
    let mut rig = Rig::new();
    let key = rig.announce(
        "cart",
        1,
        &[config_map("one", "1"), config_map("two", "1")],
        false,
    );
    rig.settle();
    let version = rig.records[&key].0.head.version;
    rig.plane.recorded(
        &Held {
            key: key.clone(),
            version,
        },
        rig.now,
    );
    rig.settle();
    assert!(rig.cluster.has("two") && !rig.records[&key].0.in_force);
    rig.restart();
    rig.settle_in_time();
    let holding = agent::Plane::holding(&rig.plane, &key).unwrap();
    assert!(holding.standing == Standing::Recorded && !holding.whole);
    assert_eq!(rig.log, ["apply ConfigMap shop/one", "apply ConfigMap shop/two"]);
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("2"));
    assert!(!rig.cluster.has("two"));
}

#[test]
fn an_orphan_that_was_on_its_way_out_is_none_any_more_once_it_is_gone() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.cluster.fail("one", 403);
    let held = rig.remove("cart", 2);
    rig.settle();
    rig.plane.orphaned(std::slice::from_ref(&key), rig.now);
    rig.settle();
    rig.news.clear();
    rig.cluster.heal();
    rig.settle_in_time();
    assert!(rig.news.contains(&News::Gone(held)), "{:?}", rig.log);
    assert!(rig.news.contains(&News::Orphans));
}

#[test]
fn damaged_content_is_refused_whole() {
    let mut rig = Rig::new();
    let head = Rig::head("cart", 1, HeadState::Present, &json!({"resources": []}));
    let content = StoreContent::New(content(&json!({"resources": null})).0);
    let store = Store {
        head,
        recorded: true,
        content,
    };
    assert!(rig.plane.take(store).is_err());
    rig.settle_in_time();
    assert!(rig.records.is_empty());
}

#[test]
fn a_plane_that_lost_its_store_looks_for_what_it_is_to_let_go() {
    let mut rig = Rig::new();
    let objects = [config_map("one", "1"), config_map("theirs", "1")];
    rig.announce("cart", 1, &objects, true);
    rig.settle_in_time();
    rig.cluster.put_of("theirs", "stranger");
    rig.records.clear();
    rig.restart();
    let resources: Vec<Value> = objects
        .iter()
        .map(|object| json!({"id": object["metadata"]["name"], "object": object}))
        .collect();
    let spec = json!({"resources": resources});
    let head = Rig::head("cart", 2, HeadState::Removed, &spec);
    let held = Held {
        key: head.key.clone(),
        version: head.version,
    };
    let (recorded, content) = (true, StoreContent::New(content(&spec).0));
    rig.plane
        .take(Store {
            head,
            recorded,
            content,
        })
        .unwrap();
    rig.settle_in_time();
    assert!(
        !rig.cluster.has("one") && rig.cluster.has("theirs"),
        "{:?}",
        rig.log
    );
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_removal_of_what_is_not_known_is_never_called_gone() {
    let mut rig = Rig::new();
    rig.remove("cart", 1);
    rig.settle_in_time();
    assert!(!rig.news.iter().any(|news| matches!(news, News::Gone(_))));
}

#[test]
fn a_removal_that_overtakes_its_spec_on_the_way_to_the_store_looks_for_its_objects() {
    let mut rig = Rig::new();
    rig.cluster.put_of("one", "cart");
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    let held = rig.remove("cart", 2);
    rig.settle_in_time();
    assert!(!rig.cluster.has("one"), "{:?}", rig.log);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn what_was_never_recorded_is_forgotten_when_nobody_knows_it() {
    let mut rig = Rig::new();
    let orphaned = rig.announce("orphaned", 1, &[config_map("one", "1")], false);
    let later = rig.announce("later", 1, &[config_map("two", "1")], false);
    rig.settle_in_time();
    rig.plane.orphaned(&[orphaned], rig.now);
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.records.len(), 1);
    rig.plane.orphaned(&[later], rig.now);
    rig.settle_in_time();
    assert!(rig.records.is_empty());
    assert_eq!(rig.plane.watched().count(), 0);
}

/// An agent that applied the ConfigMap `one` of `cart`, and was killed before it wrote down that the hub had recorded it.
fn killed_early(rig: &mut Rig) -> Key {
    let key = rig.announce("cart", 1, &[config_map("one", "1")], false);
    rig.settle();
    let held = Held {
        key: key.clone(),
        version: rig.records[&key].0.head.version,
    };
    rig.plane.recorded(&held, rig.now);
    rig.settle();
    assert!(rig.cluster.has("one") && !rig.records[&key].0.in_force);
    rig.restart();
    key
}

#[test]
fn what_is_there_is_never_forgotten_whatever_the_store_says_of_it() {
    for orphaned_first in [true, false] {
        let mut rig = Rig::new();
        let key = killed_early(&mut rig);
        if !orphaned_first {
            rig.settle_in_time();
        }
        rig.plane.orphaned(std::slice::from_ref(&key), rig.now);
        rig.settle_in_time();
        let record = &rig.records[&key].0;
        assert!(
            record.standing == Standing::Orphaned && record.in_force,
            "{record:?}"
        );
    }
}

#[test]
fn what_is_there_is_kept_so_though_the_hub_is_away_that_recorded_it() {
    let mut rig = Rig::new();
    let key = killed_early(&mut rig);
    rig.cluster
        .edit("one", |object| object["data"]["value"] = json!("somebody"));
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("1"));
    let record = &rig.records[&key].0;
    assert!(
        record.standing == Standing::Recorded && record.in_force,
        "{record:?}"
    );
}

#[test]
fn what_is_in_doubt_and_is_not_there_is_forgotten() {
    for orphaned_first in [true, false] {
        let mut rig = Rig::new();
        let key = killed_early(&mut rig);
        rig.cluster.delete("one");
        if !orphaned_first {
            rig.settle_in_time();
        }
        rig.plane.orphaned(std::slice::from_ref(&key), rig.now);
        rig.settle_in_time();
        assert!(rig.records.is_empty(), "{:?}", rig.records);
    }
}

#[test]
fn a_resource_without_objects_is_gone_whenever_its_agent_started() {
    for restarts in [false, true] {
        let mut rig = Rig::new();
        rig.announce("cart", 1, &[], false);
        rig.settle();
        if restarts {
            rig.restart();
        }
        let held = rig.remove("cart", 2);
        rig.settle_in_time();
        assert!(rig.news.contains(&News::Gone(held)), "{restarts}");
    }
}

#[test]
fn what_the_hub_recorded_after_all_is_in_doubt_no_more() {
    for announced_again in [true, false] {
        let mut rig = Rig::new();
        rig.cluster.undefine("Widget");
        let objects = [config_map("one", "1"), widget("w")];
        let key = rig.announce("cart", 1, &objects, false);
        rig.settle();
        rig.restart();
        match announced_again {
            true => drop(rig.announce("cart", 1, &objects, true)),
            false => {
                let held = Held {
                    key: key.clone(),
                    version: rig.records[&key].0.head.version,
                };
                rig.plane.recorded(&held, rig.now);
            }
        }
        rig.settle();
        assert!(rig.cluster.has("one"));
        rig.plane.orphaned(std::slice::from_ref(&key), rig.now);
        rig.settle();
        rig.cluster.define("Widget");
        rig.plane.kinds_changed("example.dev");
        rig.settle_in_time();
        let record = rig.records.get(&key).map(|(record, _)| record.standing);
        assert_eq!(record, Some(Standing::Orphaned), "{announced_again}");
    }
}

#[test]
fn what_was_never_recorded_stands_in_nobodys_way() {
    let mut rig = Rig::new();
    let unrecorded = rig.announce("cart", 1, &[config_map("one", "1")], false);
    rig.settle_in_time();
    let key = rig.announce("shop", 1, &[config_map("one", "2")], true);
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "one"), None);
    assert_eq!(rig.cluster.value("one"), Some("2"));
    let held = Held {
        key: unrecorded.clone(),
        version: rig.records[&unrecorded].0.head.version,
    };
    rig.plane.recorded(&held, rig.now);
    rig.settle_in_time();
    assert_eq!(
        rig.blocker(&unrecorded, "one"),
        Some(BlockerReason::OwnedByAnother)
    );
}

#[test]
fn who_had_an_object_has_it_after_a_restart_whatever_its_name() {
    let mut rig = Rig::new();
    rig.announce("z", 1, &[config_map("one", "z")], true);
    rig.settle_in_time();
    let waits = rig.announce("a", 1, &[config_map("one", "a")], true);
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("z"));
    assert_eq!(rig.blocker(&waits, "one"), Some(BlockerReason::OwnedByAnother));
}

#[test]
fn a_kind_that_is_not_served_for_a_while_holds_its_removal_up() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[widget("w")], true);
    rig.settle_in_time();
    rig.cluster.undefine("Widget");
    let held = rig.remove("cart", 2);
    rig.settle_in_time();
    assert!(!rig.news.contains(&News::Gone(held.clone())));
    rig.cluster.define("Widget");
    rig.plane.kinds_changed("example.dev");
    rig.settle();
    assert!(!rig.cluster.has("w"));
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_record_that_cannot_be_forgotten_is_tried_again_after_a_while() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], false);
    rig.settle();
    rig.plane.orphaned(&[key], rig.now);
    rig.plane.advance(rig.now);
    let write = rig.plane.poll_write(rig.now).unwrap();
    assert_eq!(write.change, Change::Forget);
    let away = crate::blocker::Failure::Unreachable("away".into());
    rig.plane.written(&write.key, Err(away), rig.now);
    assert!(rig.plane.poll_write(rig.now).is_none());
    let (at, _) = rig.plane.deadline().unwrap();
    assert!(at > rig.now);
    assert!(rig.plane.poll_write(at).is_some());
}
