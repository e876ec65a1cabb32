//! What runs once, and what has to be there first.

use super::*;
use crate::once::{FINALIZER, Outcome};
use crate::testing::bundle_key;

pub(super) fn pod(name: &str) -> Value {
    object("v1", "Pod", name)
}

pub(super) fn once(objects: &[Value]) -> Value {
    bundle("Once", objects, &[])
}

pub(super) fn bundle(lifecycle: &str, objects: &[Value], ensure: &[Value]) -> Value {
    let objects: Vec<Value> = objects
        .iter()
        .map(|object| json!({"id": object["metadata"]["name"], "object": object}))
        .collect();
    json!({"plane": "p", "lifecycle": lifecycle, "objects": objects, "ensure": ensure})
}

impl Rig {
    pub(super) fn bundle(&mut self, generation: u64, spec: &Value) -> Key {
        self.bundle_head(
            generation,
            HeadState::Present,
            spec,
            StoreContent::New(content(spec).0),
        )
        .key
    }

    fn bundle_head(
        &mut self,
        generation: u64,
        state: HeadState,
        spec: &Value,
        content: StoreContent,
    ) -> Held {
        let head = Head {
            key: bundle_key("build"),
            ..Self::head("build", generation, state, spec)
        };
        let held = Held {
            key: head.key.clone(),
            version: head.version,
        };
        self.specs.insert(head.key.clone(), spec.clone());
        let recorded = true;
        self.plane
            .take(Store {
                head,
                recorded,
                content,
            })
            .unwrap();
        held
    }

    pub(super) fn remove_bundle(&mut self, generation: u64) -> Held {
        self.bundle_head(generation, HeadState::Removed, &json!({}), StoreContent::Kept)
    }

    pub(super) fn end(&mut self, name: &str, phase: &str) {
        self.cluster.edit(name, |object| {
            object["status"] = json!({"phase": phase, "message": "because"})
        });
    }

    /// How the object ended, as it is written down.
    pub(super) fn ended(&self, key: &Key, name: &str) -> Option<Outcome> {
        let inventory = &self.records[key].0.inventory;
        let item = inventory.iter().find(|item| item.object.name == name)?;
        Some(item.run.as_ref()?.end.as_ref()?.outcome)
    }

    pub(super) fn health(&self, key: &Key, id: &str) -> Option<Health> {
        let view = agent::Plane::report(&self.plane, key)?;
        Some(view.objects.iter().find(|report| report.id == id)?.health)
    }

    pub(super) fn is_kept(&self, name: &str) -> bool {
        let object = self.cluster.get(name).unwrap();
        let finalizers = object["metadata"]["finalizers"].as_array();
        finalizers.is_some_and(|names| names.contains(&FINALIZER.into()))
    }

    /// A controller of the cluster clears away what has ended, as soon as nothing keeps it.
    fn clear_away(&mut self) {
        let ended =
            |rig: &Self, name: &String| rig.cluster.get(name).unwrap()["status"]["phase"] == "Succeeded";
        for name in self.cluster.names() {
            if ended(self, &name) && !self.is_kept(&name) {
                self.cluster.delete(&name);
            }
        }
    }
}

#[test]
fn it_is_created_once_kept_until_its_end_is_written_down_and_never_touched_again() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle();
    assert_eq!(rig.log, ["create namespace shop", "create Pod shop/run"]);
    assert_eq!(rig.health(&key, "run"), Some(Health::Progressing));
    assert!(rig.is_kept("run"));
    let recorded = rig.records[&key].0.inventory[0].uid.clone();
    assert!(recorded.is_some(), "its uid is written down at once");

    rig.cluster.edit("run", |object| {
        object["metadata"]["labels"]["theirs"] = "1".into()
    });
    rig.settle_in_time();
    rig.end("run", "Succeeded");
    rig.settle();
    assert_eq!(rig.log[2..], ["release Pod shop/run"], "nothing is repaired");
    assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
    assert!(!rig.is_kept("run"));

    rig.cluster.delete("run");
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0]);
    let view = agent::Plane::report(&rig.plane, &key).unwrap();
    let report = &view.objects[0];
    assert_eq!((report.health, &report.uid), (Health::Healthy, &recorded));
    assert!(report.blocker.is_none() && report.status.digest().is_some());
}

#[test]
fn it_runs_once_wherever_the_agent_is_killed() {
    // Of each write and each request: before it is done, and after it is done and before the agent hears of it.
    let mut reached = 0;
    for kill in 0..40 {
        let mut rig = Rig::new();
        let key = rig.bundle(1, &once(&[pod("run")]));
        let mut step = 0;
        let mut killed = false;
        for _ in 0..60 {
            let mut dies = |done: bool| {
                let now = !killed && kill == 2 * step + usize::from(done);
                killed |= now;
                step += usize::from(done);
                now
            };
            rig.cluster.watch(&mut rig.plane, rig.now);
            rig.plane.advance(rig.now);
            let mut dead = false;
            if let Some(write) = rig.plane.poll_write(rig.now) {
                dead = dies(false);
                if !dead {
                    rig.write(&write.key, write.change);
                    dead = dies(true);
                }
                if !dead {
                    rig.plane.written(&write.key, Ok(()), rig.now);
                }
            } else if let Some(request) = rig.plane.poll_request(rig.now) {
                dead = dies(false);
                if !dead {
                    let answer = rig.cluster.answer(&request.action);
                    dead = dies(true);
                    if !dead {
                        rig.plane.answered(request.id, answer, Duration::ZERO, rig.now);
                    }
                }
            }
            if dead {
                rig.restart();
                rig.bundle(1, &once(&[pod("run")]));
            }
            if rig.cluster.has("run") {
                rig.end("run", "Succeeded");
            }
            rig.clear_away();
        }
        rig.settle_in_time();
        assert_eq!(rig.cluster.created("run"), 1, "killed at {kill}");
        assert_eq!(
            rig.ended(&key, "run"),
            Some(Outcome::Succeeded),
            "killed at {kill}"
        );
        assert_eq!(rig.health(&key, "run"), Some(Health::Healthy), "killed at {kill}");
        assert!(!rig.cluster.has("run"), "killed at {kill}: nothing keeps it");
        reached += usize::from(killed);
    }
    assert!((10..40).contains(&reached), "{reached} places to die at");
}

#[test]
fn what_was_kept_as_it_is_and_is_to_run_once_from_now_on_has_run_if_it_is_there() {
    let mut rig = Rig::new();
    let objects = [config_map("one", "1")];
    let key = rig.bundle(1, &bundle("Continuous", &objects, &[]));
    rig.settle_in_time();
    rig.bundle(2, &once(&objects));
    rig.settle_in_time();
    assert_eq!(rig.ended(&key, "one"), Some(Outcome::Succeeded));
}

#[test]
fn what_was_there_and_is_not_has_vanished_also_while_the_agent_was_away() {
    for restarts in [false, true] {
        let mut rig = Rig::new();
        let key = rig.bundle(1, &once(&[pod("run")]));
        rig.settle_in_time();
        rig.cluster.delete("run");
        if restarts {
            rig.restart();
        }
        rig.settle_in_time();
        assert_eq!(rig.ended(&key, "run"), Some(Outcome::Vanished));
        assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::Vanished));
        assert_eq!((rig.cluster.created("run"), rig.cluster.has("run")), (1, false));
    }
}

#[test]
fn another_object_in_its_place_is_not_it() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    let copy = rig.cluster.get("run").unwrap().clone();
    rig.cluster.delete("run");
    rig.cluster.put("run", copy);
    rig.cluster
        .edit("run", |object| object["metadata"]["uid"] = "another".into());
    rig.end("run", "Succeeded");
    rig.settle_in_time();
    assert_eq!(rig.ended(&key, "run"), Some(Outcome::Vanished));
}

#[test]
fn what_is_deleted_before_its_end_is_cancelled_and_let_go() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    rig.cluster.edit("run", |object| {
        object["metadata"]["deletionTimestamp"] = "now".into()
    });
    rig.settle_in_time();
    assert_eq!(rig.ended(&key, "run"), Some(Outcome::Cancelled));
    assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::Cancelled));
    assert_eq!((rig.cluster.created("run"), rig.cluster.has("run")), (1, false));
}

#[test]
fn a_failure_says_what_the_object_said() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    rig.end("run", "Failed");
    rig.settle_in_time();
    assert_eq!(
        rig.message(&key, "run"),
        "it failed: because; it does not run again: create another Bundle"
    );
    assert_eq!(rig.health(&key, "run"), Some(Health::Degraded));
}

#[test]
fn its_finalizer_stays_while_its_end_cannot_be_written_down() {
    let mut rig = Rig::new();
    rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    rig.end("run", "Succeeded");
    rig.cluster.watch(&mut rig.plane, rig.now);
    for _ in 0..5 {
        rig.plane.advance(rig.now);
        let write = rig.plane.poll_write(rig.now).unwrap();
        let away = Failure::Unreachable("away".into());
        rig.plane.written(&write.key, Err(away), rig.now);
        rig.plane.advance(rig.now);
        assert!(rig.plane.poll_request(rig.now).is_none());
        rig.now = rig.plane.deadline().unwrap().0;
    }
    rig.settle_in_time();
    assert!(!rig.is_kept("run"));
}

#[test]
fn a_name_that_something_else_has_is_waited_for() {
    type Put = fn(&mut Rig);
    let puts: [Put; 2] = [
        |rig| rig.cluster.put_of("run", "other"),
        |rig| {
            rig.cluster.put_of("run", "other");
            rig.cluster
                .edit("run", |object| object["metadata"]["labels"] = Value::Null);
        },
    ];
    for put in puts {
        let mut rig = Rig::new();
        put(&mut rig);
        let key = rig.bundle(1, &once(&[config_map("run", "1")]));
        rig.settle();
        assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::NameTaken));
        rig.settle_in_time();
        assert_eq!(rig.ended(&key, "run"), None);
        assert_ne!(rig.cluster.value("run"), Some("1"), "it is left as it is");
        rig.cluster.delete("run");
        rig.settle_in_time();
        assert_eq!(rig.cluster.value("run"), Some("1"));
        assert_eq!(rig.blocker(&key, "run"), None);
    }
}

#[test]
fn an_edit_changes_nothing_of_what_began_and_says_so() {
    let edited = |mut object: Value| {
        object["spec"] = json!({"hostname": "x"});
        object
    };
    for lifecycle in ["Once", "Continuous"] {
        let mut rig = Rig::new();
        let key = rig.bundle(1, &once(&[pod("run")]));
        rig.settle_in_time();
        rig.log.clear();
        rig.bundle(2, &bundle(lifecycle, &[edited(pod("run"))], &[]));
        rig.settle_in_time();
        assert_eq!(rig.log, [""; 0], "{lifecycle}");
        assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::Immutable));
        rig.restart();
        rig.settle_in_time();
        assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::Immutable));
        assert_eq!(rig.cluster.created("run"), 1);
    }
}

#[test]
fn a_removed_bundle_takes_what_runs_along_under_its_own_uid() {
    let mut rig = Rig::new();
    rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    rig.log.clear();
    let held = rig.remove_bundle(2);
    rig.settle_in_time();
    assert!(!rig.cluster.has("run"), "{:?}", rig.log);
    let changes: Vec<_> = rig
        .log
        .iter()
        .filter(|line| line.contains(" Pod ") && !line.starts_with("look"))
        .collect();
    assert_eq!(changes, ["delete Pod shop/run", "release Pod shop/run"]);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_plane_that_lost_its_store_finds_what_runs_and_lets_it_go() {
    let mut rig = Rig::new();
    rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    rig.records.clear();
    rig.restart();
    let nothing = once(&[]);
    let brought = StoreContent::New(content(&nothing).0);
    let held = rig.bundle_head(2, HeadState::Removed, &nothing, brought);
    rig.settle_in_time();
    assert!(!rig.cluster.has("run"), "{:?}", rig.log);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_plane_that_lost_its_store_knows_what_runs_by_its_labels() {
    let mut rig = Rig::new();
    let spec = once(&[pod("run")]);
    rig.bundle(1, &spec);
    rig.settle_in_time();
    rig.records.clear();
    rig.restart();
    let key = rig.bundle(1, &spec);
    rig.settle_in_time();
    rig.end("run", "Succeeded");
    rig.settle_in_time();
    assert_eq!(rig.cluster.created("run"), 1);
    assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
}

#[test]
fn how_it_ended_is_known_though_its_content_was_damaged() {
    let mut rig = Rig::new();
    let spec = once(&[pod("run")]);
    let key = rig.bundle(1, &spec);
    rig.settle_in_time();
    rig.end("run", "Succeeded");
    rig.settle_in_time();
    rig.cluster.delete("run");
    rig.settle_in_time();
    rig.lost.insert(key.clone());
    rig.restart();
    rig.settle_in_time();
    rig.bundle(1, &spec);
    rig.settle_in_time();
    assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
    assert_eq!(rig.health(&key, "run"), Some(Health::Healthy));
}

#[test]
fn what_ended_and_was_cleared_away_is_gone_with_its_bundle() {
    let mut rig = Rig::new();
    rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    rig.end("run", "Succeeded");
    rig.settle_in_time();
    rig.cluster.delete("run");
    rig.settle_in_time();
    let held = rig.remove_bundle(2);
    rig.settle_in_time();
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn what_ran_and_was_removed_does_not_run_again_if_its_bundle_comes_back_from_a_backup() {
    let mut rig = Rig::new();
    let spec = once(&[pod("run")]);
    rig.bundle(1, &spec);
    rig.settle_in_time();
    let held = rig.remove_bundle(2);
    rig.settle_in_time();
    rig.plane.settled(&held, rig.clock().unix, rig.now);
    rig.settle_in_time();
    rig.restart();
    let key = rig.bundle(3, &spec);
    rig.settle_in_time();
    assert_eq!((rig.cluster.created("run"), rig.cluster.has("run")), (1, false));
    assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::Vanished));
}

#[test]
fn what_is_left_there_runs_on_without_our_finalizer() {
    let mut rig = Rig::new();
    let spec = once(&[pod("run")]);
    rig.bundle(1, &spec);
    rig.settle_in_time();
    let held = rig.bundle_head(2, HeadState::Left, &spec, StoreContent::Kept);
    rig.restart();
    let again = rig.bundle_head(2, HeadState::Left, &spec, StoreContent::Kept);
    rig.settle_in_time();
    assert_eq!(held, again);
    assert!(rig.cluster.has("run") && !rig.is_kept("run"));
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn what_was_held_and_is_to_stay_runs_on_without_our_finalizer() {
    let mut rig = Rig::new();
    let mut protected = pod("run");
    protected["metadata"]["annotations"] = json!({"outhaul.dev/protect": "true"});
    rig.bundle(1, &once(&[protected]));
    rig.settle_in_time();
    let held = rig.remove_bundle(2);
    rig.settle_in_time();
    assert!(rig.is_kept("run"), "it is held");
    rig.confirm(&held, Confirmed::Leave);
    rig.settle_in_time();
    assert!(rig.cluster.has("run") && !rig.is_kept("run"), "{:?}", rig.log);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn what_has_to_be_there_is_created_first_as_it_is_and_never_again() {
    let mut rig = Rig::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let ensure = [config_map("shared", "1"), namespace];
    let key = rig.bundle(1, &bundle("Continuous", &[config_map("one", "1")], &ensure));
    rig.settle_in_time();
    assert_eq!(
        rig.log,
        [
            "create Namespace shop",
            "create ConfigMap shop/shared",
            "apply ConfigMap shop/one"
        ]
    );
    let shared = rig.cluster.get("shared").unwrap();
    assert_eq!(
        (&shared["metadata"]["labels"], &shared["metadata"]["finalizers"]),
        (&Value::Null, &Value::Null)
    );
    rig.log.clear();
    rig.cluster.delete("shared");
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    rig.bundle(2, &bundle("Continuous", &[config_map("one", "2")], &ensure));
    rig.settle_in_time();
    assert_eq!(rig.log, ["apply ConfigMap shop/one"]);
    let view = agent::Plane::report(&rig.plane, &key).unwrap();
    assert_eq!(view.objects.len(), 1, "nothing is said of what is not its own");
    rig.remove_bundle(3);
    rig.settle_in_time();
    assert!(
        rig.log.iter().all(|line| !line.contains("shared")),
        "{:?}",
        rig.log
    );
}

#[test]
fn what_is_there_already_is_left_as_it_is() {
    let mut rig = Rig::new();
    rig.cluster.put_of("shared", "other");
    rig.bundle(
        1,
        &bundle("Once", &[config_map("one", "1")], &[config_map("shared", "1")]),
    );
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("shared"), Some("other"));
    assert_eq!(rig.cluster.value("one"), Some("1"));
}

#[test]
fn what_cannot_be_created_is_named_and_all_else_waits_for_it() {
    let mut rig = Rig::new();
    rig.cluster.fail("shared", 403);
    let spec = bundle(
        "Continuous",
        &[config_map("one", "1")],
        &[config_map("shared", "1")],
    );
    let key = rig.bundle(1, &spec);
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "ensure[0]"), Some(BlockerReason::Forbidden));
    assert!(!rig.cluster.has("one"));
    rig.cluster.heal();
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "ensure[0]"), None);
    assert_eq!(agent::Plane::report(&rig.plane, &key).unwrap().objects.len(), 1);
    assert!(rig.cluster.has("one") && rig.cluster.has("shared"));
}

#[test]
fn what_the_policy_excludes_is_not_created_for_anybody() {
    let mut rig = Rig::new();
    let text = json!({"data": {"policy.yaml": "kinds: [ConfigMap, Namespace]"}});
    rig.plane.govern(Policy::read(HOME, Some(&text), None));
    let key = rig.bundle(1, &bundle("Once", &[config_map("one", "1")], &[pod("shared")]));
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "ensure[0]"), Some(BlockerReason::PolicyForbids));
    assert!(!rig.cluster.has("one") && !rig.cluster.has("shared"));
    rig.plane.govern(Policy::open(HOME));
    rig.settle_in_time();
    assert!(rig.cluster.has("one") && rig.cluster.has("shared"));
    assert_eq!(rig.blocker(&key, "ensure[0]"), None);
}

#[test]
fn a_plane_that_only_observes_creates_neither() {
    let mut rig = Rig::new();
    let text = json!({"data": {"policy.yaml": "mode: Observe"}});
    rig.plane.govern(Policy::read(HOME, Some(&text), None));
    let key = rig.bundle(1, &bundle("Once", &[pod("run")], &[config_map("shared", "1")]));
    rig.settle_in_time();
    assert!(rig.cluster.names().is_empty(), "{:?}", rig.log);
    for id in ["run", "ensure[0]"] {
        assert_eq!(rig.blocker(&key, id), Some(BlockerReason::PolicyObserves));
        assert!(rig.message(&key, id).contains("it would be created"));
    }
}

#[test]
fn a_run_whose_create_was_answered_by_nobody_is_found_though_no_more_may_be_created() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    let create = rig.ask("create Pod shop/run");
    rig.cluster.answer(&create.action);
    let lost = Answer::Failed(Failure::Unreachable("lost".into()));
    rig.plane.answered(create.id, lost, Duration::ZERO, rig.now);
    rig.cluster.forbid_creating("run");
    rig.cluster.forbid_watching(true);
    rig.settle_in_time();
    assert_eq!(rig.health(&key, "run"), Some(Health::Progressing));
    assert_eq!(rig.cluster.created("run"), 1);
}

#[test]
fn why_it_cannot_be_created_is_said_until_it_can() {
    let mut rig = Rig::new();
    rig.cluster.forbid_creating("run");
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::Forbidden));
    rig.log.clear();
    let end = rig.now + Duration::from_secs(90);
    while let Some((at, _)) = rig.plane.deadline().filter(|(at, _)| *at < end) {
        rig.now = rig.now.max(at);
        rig.cluster.watch(&mut rig.plane, rig.now);
        rig.round();
        assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::Forbidden));
    }
    assert!(rig.log.len() < 6, "{:?}", rig.log);
    rig.cluster.heal();
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "run"), None);
}

fn excluding_pods() -> Policy {
    Policy::read(
        HOME,
        Some(&json!({"data": {"policy.yaml": "kinds: [ConfigMap]"}})),
        None,
    )
}

fn is_deleted(rig: &mut Rig) {
    rig.cluster.edit("run", |object| {
        object["metadata"]["deletionTimestamp"] = "now".into()
    });
    rig.settle_in_time();
}

#[test]
fn our_finalizer_holds_nothing_that_is_deleted_where_a_policy_excludes_it() {
    for removed in [false, true] {
        let mut rig = Rig::new();
        rig.bundle(1, &once(&[pod("run")]));
        rig.settle_in_time();
        rig.plane.govern(excluding_pods());
        if removed {
            rig.remove_bundle(2);
        }
        rig.settle_in_time();
        assert!(rig.is_kept("run"), "it is left as it is: {removed}");
        is_deleted(&mut rig);
        assert!(!rig.cluster.has("run"), "{removed}");
    }
}

#[test]
fn our_finalizer_holds_no_copy_in_the_place_of_what_ran() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    let mut copy = rig.cluster.get("run").unwrap().clone();
    copy["metadata"]["uid"] = "another".into();
    rig.end("run", "Succeeded");
    rig.settle_in_time();
    rig.cluster.delete("run");
    rig.cluster.put("run", copy);
    rig.settle_in_time();
    assert!(rig.is_kept("run"), "it is not ours");
    is_deleted(&mut rig);
    assert!(!rig.cluster.has("run"), "{:?}", rig.log);
    assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
    assert_eq!(rig.blocker(&key, "run"), None);
}

#[test]
fn the_end_of_what_lost_our_labels_is_looked_for() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle_in_time();
    rig.cluster
        .edit("run", |object| object["metadata"]["labels"] = json!({}));
    rig.settle();
    assert_eq!(rig.health(&key, "run"), Some(Health::Progressing));
    rig.end("run", "Succeeded");
    rig.settle_in_time();
    assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
    assert!(!rig.is_kept("run"));
    rig.log.clear();
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0]);
}

#[test]
fn an_end_that_shows_before_the_agent_knows_that_it_was_in_force_counts() {
    for head_first in [false, true] {
        let mut rig = Rig::new();
        let spec = once(&[pod("run")]);
        let key = rig.bundle(1, &spec);
        rig.settle();
        // Killed before it wrote down that the hub has recorded it, and which object it is.
        let (record, _) = rig.records.get_mut(&key).unwrap();
        (record.standing, record.in_force, record.ran) = (Standing::Unrecorded, false, false);
        record.inventory[0].uid = None;
        rig.end("run", "Succeeded");
        rig.restart();
        if !head_first {
            rig.settle();
        }
        rig.bundle(1, &spec);
        rig.settle_in_time();
        assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
        assert_eq!(rig.health(&key, "run"), Some(Health::Healthy));
        assert!(!rig.is_kept("run") && rig.cluster.created("run") == 1);
    }
}

#[test]
fn a_release_that_was_done_and_not_answered_leaves_no_blocker() {
    let mut rig = Rig::new();
    let key = rig.bundle(1, &once(&[pod("run")]));
    rig.settle();
    rig.end("run", "Succeeded");
    rig.cluster.watch(&mut rig.plane, rig.now);
    let release = rig.ask("release Pod shop/run");
    rig.cluster.answer(&release.action);
    rig.cluster.watch(&mut rig.plane, rig.now);
    let lost = Answer::Failed(Failure::Unreachable("lost".into()));
    rig.plane.answered(release.id, lost, Duration::ZERO, rig.now);
    rig.settle_in_time();
    assert!(!rig.is_kept("run"));
    assert_eq!(rig.blocker(&key, "run"), None);
}
