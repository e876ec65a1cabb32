//! Whatever happens, and whenever the agent starts again: once faults are over the cluster is what the newest heads
//! say, and nothing ever left it without one of them saying so.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::{Rig, agent, config_map};

#[derive(Debug, Clone)]
enum Step {
    /// A Release now wants these objects, each with this value.
    Want {
        release: usize,
        objects: BTreeSet<usize>,
        value: u8,
    },
    /// A Release is removed.
    Remove { release: usize },
    /// Somebody changes an object.
    Edit { object: usize },
    /// Somebody deletes an object.
    Delete { object: usize },
    /// An object cannot be written for now.
    Fail { object: usize, code: u16 },
    /// The API server goes away.
    Away,
    /// Everything works again.
    Heal,
    /// The agent starts again with what is written down.
    Restart,
    /// The agent does a few things.
    Work { rounds: usize },
    /// Time passes.
    Time { seconds: u64 },
}

const RELEASES: [&str; 3] = ["a", "b", "c"];
const OBJECTS: usize = 5;

/// Objects belong to one Release each, so that what should be there is not a matter of who came first.
fn name(release: usize, object: usize) -> String {
    format!("{}-{object}", RELEASES[release])
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let release = 0..RELEASES.len();
    let object = 0..RELEASES.len() * OBJECTS;
    let objects = prop::collection::btree_set(0..OBJECTS, 0..OBJECTS);
    let step = prop_oneof![
        4 => (release.clone(), objects, 0..4_u8)
            .prop_map(|(release, objects, value)| Step::Want { release, objects, value }),
        1 => release.prop_map(|release| Step::Remove { release }),
        2 => object.clone().prop_map(|object| Step::Edit { object }),
        2 => object.clone().prop_map(|object| Step::Delete { object }),
        2 => (object, prop::sample::select(vec![403, 409, 422, 429, 500]))
            .prop_map(|(object, code)| Step::Fail { object, code }),
        1 => Just(Step::Away),
        2 => Just(Step::Heal),
        1 => Just(Step::Restart),
        8 => (1..4_usize).prop_map(|rounds| Step::Work { rounds }),
        2 => (1..120_u64).prop_map(|seconds| Step::Time { seconds }),
    ];
    prop::collection::vec(step, 1..60)
}

/// The plane, and what the hub wants of it.
struct Model {
    rig: Rig,
    generation: u64,
    wanted: BTreeMap<usize, BTreeMap<String, String>>,
    removed: BTreeSet<usize>,
    /// What the hub has announced last, to be announced again after a restart lost it.
    newest: BTreeMap<usize, u64>,
}

impl Model {
    fn new() -> Self {
        Self {
            rig: Rig::new(),
            generation: 0,
            wanted: BTreeMap::new(),
            removed: BTreeSet::new(),
            newest: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        let object_name = |object: usize| name(object / OBJECTS, object % OBJECTS);
        match step {
            Step::Want {
                release,
                objects,
                value,
            } if !self.removed.contains(release) => {
                let wanted = objects
                    .iter()
                    .map(|object| (name(*release, *object), value.to_string()));
                self.wanted.insert(*release, wanted.collect());
                self.announce(*release);
            }
            Step::Remove { release } if self.wanted.contains_key(release) => {
                self.removed.insert(*release);
                self.announce(*release);
            }
            Step::Want { .. } | Step::Remove { .. } => {}
            Step::Edit { object } => {
                let name = object_name(*object);
                if self.rig.cluster.has(&name) {
                    self.rig
                        .cluster
                        .edit(&name, |it| it["data"]["value"] = "theirs".into());
                }
            }
            Step::Delete { object } => self.rig.cluster.delete(&object_name(*object)),
            Step::Fail { object, code } => self.rig.cluster.fail(&object_name(*object), *code),
            Step::Away => self.rig.cluster.away(true),
            Step::Heal => self.rig.cluster.heal(),
            Step::Restart => {
                self.rig.restart();
                self.announce_lost();
            }
            Step::Work { rounds } => (0..*rounds).for_each(|_| {
                self.rig.cluster.watch(&mut self.rig.plane, self.rig.now);
                self.rig.round();
            }),
            Step::Time { seconds } => self.rig.now += core::time::Duration::from_secs(*seconds),
        }
    }

    fn announce(&mut self, release: usize) {
        self.generation += 1;
        self.newest.insert(release, self.generation);
        self.say(release);
    }

    fn say(&mut self, release: usize) {
        let (name, generation) = (RELEASES[release], self.newest[&release]);
        if self.removed.contains(&release) {
            self.rig.remove(name, generation);
            return;
        }
        let objects: Vec<Value> = self.wanted[&release]
            .iter()
            .map(|(name, value)| config_map(name, value))
            .collect();
        self.rig.announce(name, generation, &objects, true);
    }

    /// A new session announces what the plane does not hold.
    fn announce_lost(&mut self) {
        for (release, generation) in self.newest.clone() {
            let key = super::release_key(RELEASES[release]);
            let held = agent::Plane::holding(&self.rig.plane, &key).map(|it| it.head.version.generation.0);
            if held != Some(generation) {
                self.say(release);
            }
        }
    }

    /// What a Release that is not removed wants, now or in any head that was announced, was never deleted by us.
    fn check_nothing_left_unsaid(&self) {
        for line in &self.rig.log {
            let Some(deleted) = line.strip_prefix("delete ConfigMap shop/") else {
                continue;
            };
            assert!(self.said(deleted), "{deleted} was deleted and no head said so");
        }
    }

    fn said(&self, name: &str) -> bool {
        let release = RELEASES
            .iter()
            .position(|release| name.starts_with(release))
            .unwrap();
        // A Release that had one head only never let go of anything.
        self.removed.contains(&release) || self.newest[&release] > 1
    }

    fn expected(&self) -> BTreeMap<String, String> {
        let kept = self
            .wanted
            .iter()
            .filter(|(release, _)| !self.removed.contains(release));
        kept.flat_map(|(_, objects)| objects.clone()).collect()
    }

    fn there(&self) -> BTreeMap<String, String> {
        let value = |name: String| {
            let value = self.rig.cluster.value(&name).unwrap_or_default().to_owned();
            (name, value)
        };
        self.rig.cluster.names().into_iter().map(value).collect()
    }
}

proptest! {
    #[test]
    fn once_faults_are_over_the_cluster_is_what_the_newest_heads_say(steps in steps()) {
        let mut model = Model::new();
        for step in &steps {
            model.take(step);
            model.check_nothing_left_unsaid();
        }
        model.rig.cluster.heal();
        model.announce_lost();
        model.rig.settle_in_time();
        prop_assert_eq!(model.there(), model.expected());
        for (release, _) in model.wanted.iter().filter(|(release, _)| !model.removed.contains(release)) {
            let view = agent::Plane::report(&model.rig.plane, &super::release_key(RELEASES[*release])).unwrap();
            prop_assert!(view.objects.iter().all(|it| it.blocker.is_none()), "{:#?}", view.objects);
            prop_assert!(view.leftovers.is_empty());
        }
        prop_assert!(model.rig.plane.is_at_rest());
        model.rig.log.clear();
        model.rig.restart();
        model.rig.settle_in_time();
        // A removal that came to an empty store is looked into again until it is settled.
        model.rig.log.retain(|line| line != "sweep");
        prop_assert_eq!(&model.rig.log, &Vec::<String>::new(), "a restart finds everything as it was");
    }
}
