//! What is said of a Release in the control plane, as OpenChoreo's users know it: one case for each rule.
//!
//! `releases.yaml` has what its plane says, step by step, and what the Release is then.

use std::collections::BTreeMap;
use std::time::Duration;

use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, BlockerReason, Health, Leftover, ObjectReport, RawStatus};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::world::World;

/// How many cases there are, so that none is left out unseen.
const CASES: usize = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    spec: Value,
    #[serde(default)]
    steps: Vec<Step>,
    /// Whether it is there in the end.
    #[serde(default = "yes")]
    exists: bool,
    /// Whether its plane has it.
    delivered: Option<bool>,
    /// Fields of the Release, by pointer. `(absent)` is a field that is not there.
    #[serde(default)]
    at: BTreeMap<String, Value>,
}

/// What happens next.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Step {
    /// Its plane says this of its objects.
    Report(Vec<Said>),
    /// Its plane says this of objects on their way out.
    Leaving(Vec<Said>),
    /// So many seconds pass.
    After(u64),
    /// Somebody deletes it.
    Delete,
    /// Its Environment is deleted.
    ForgetEnvironment,
    /// Its plane says that nothing of it is left.
    Gone,
}

/// What a plane says of one object.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(default)]
    id: String,
    #[serde(default)]
    group: String,
    version: String,
    kind: String,
    #[serde(default)]
    namespace: String,
    name: String,
    uid: Option<String>,
    #[serde(default)]
    health: String,
    status: Option<Value>,
    /// What keeps it from being as desired.
    terminating: Option<String>,
}

const fn yes() -> bool {
    true
}

#[test]
fn each_rule_holds_in_the_control_plane() {
    let cases: Value = {
        let text = include_str!("../data/releases.yaml");
        let mut list: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap();
        list.apply_merge().unwrap();
        serde_yaml_ng::from_value(list).unwrap()
    };
    let cases: Vec<Case> = serde_json::from_value(cases).unwrap();
    let mut found = Vec::new();
    for case in &cases {
        let mut failures = Vec::new();
        check(case, &mut failures);
        found.extend(
            failures
                .into_iter()
                .map(|failure| format!("{}: {failure}", case.name)),
        );
    }
    assert!(
        found.is_empty(),
        "{} failures:\n{}",
        found.len(),
        found.join("\n")
    );
    assert_eq!(cases.len(), CASES, "cases");
}

#[test]
fn the_documentation_says_how_much_is_compared() {
    let documentation = include_str!("../../../../docs/compatibility.md");
    let said = format!("{CASES} cases of what is said of it in the control plane");
    assert!(documentation.contains(&said), "it should say: {said}");
}

fn check(case: &Case, failures: &mut Vec<String>) {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create_with("cart", &case.spec);
    agent.listen(&mut world);
    for step in &case.steps {
        match step {
            Step::Report(objects) => {
                let objects = objects.iter().map(Said::object).collect();
                agent.report_objects(&mut world, &key, objects);
            }
            Step::Leaving(leftovers) => {
                let leftovers = leftovers.iter().map(Said::leftover).collect();
                agent.report_all(&mut world, &key, Vec::new(), leftovers);
            }
            Step::After(seconds) => world.advance(Duration::from_secs(*seconds)),
            Step::Delete => world.delete("cart"),
            Step::ForgetEnvironment => {
                let environment = (crate::world::NAMESPACE.to_owned(), "dev".to_owned());
                world.fleet.environment(environment, None, world.now);
            }
            Step::Gone => agent.gone(&mut world, &key),
        }
        agent.listen(&mut world);
    }
    if world.exists("cart") != case.exists {
        failures.push(format!("it is there: {}", world.exists("cart")));
        return;
    }
    if let Some(delivered) = case.delivered
        && delivered != (agent.holds(&key) == Some(HeadState::Present))
    {
        failures.push(format!("its plane has {:?}", agent.holds(&key)));
    }
    for (pointer, expected) in &case.at {
        let absent = json!("(absent)");
        let made = world.object("cart").pointer(pointer).unwrap_or(&absent);
        if made != expected {
            failures.push(format!("{pointer}: {made} should be {expected}"));
        }
    }
}

impl Said {
    fn reference(&self) -> ObjectRef {
        ObjectRef {
            group: self.group.clone(),
            version: self.version.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    fn uid(&self) -> Option<Uid> {
        self.uid.as_ref().map(|uid| Uid::new(uid).unwrap())
    }

    fn blocker(&self) -> Option<Blocker> {
        self.terminating.as_ref().map(|message| Blocker {
            reason: BlockerReason::Terminating,
            message: message.clone(),
        })
    }

    fn object(&self) -> ObjectReport {
        let all = [
            Health::Unknown,
            Health::Progressing,
            Health::Healthy,
            Health::Suspended,
            Health::Degraded,
        ];
        ObjectReport {
            id: self.id.clone(),
            object: self.reference(),
            uid: self.uid(),
            health: all
                .into_iter()
                .find(|health| health.as_str() == self.health)
                .unwrap(),
            status: match &self.status {
                None => RawStatus::Absent,
                Some(status) => RawStatus::Json(serde_json::to_vec(status).unwrap()),
            },
            blocker: self.blocker(),
        }
    }

    fn leftover(&self) -> Leftover {
        Leftover {
            object: self.reference(),
            uid: self.uid(),
            blocker: self.blocker(),
        }
    }
}
