//! What becomes of a Release in its plane, as OpenChoreo's users know it: one case for each rule.
//!
//! `plane.yaml` has Releases: what is there before, what `spec` says, what it says `then`, and what that comes to.
//! `health.yaml` has objects as API servers show them, and their health.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use outhaul_protocol_wire::report::{ObjectReport, RawStatus};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::health::health;

/// How many cases there are, so that none is left out unseen.
const CASES: (usize, usize) = (29, 54);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Objects that are there before.
    #[serde(default)]
    there: Vec<Value>,
    /// Namespaces that are.
    #[serde(default)]
    namespaces: Vec<String>,
    /// Kinds that the plane does not serve.
    #[serde(default)]
    unserved: Vec<String>,
    /// Objects that the plane refuses, and the code.
    #[serde(default)]
    refused: BTreeMap<String, u16>,
    /// The Release.
    spec: Value,
    /// What controllers of the plane write into objects.
    #[serde(default)]
    live: BTreeMap<String, Value>,
    /// What somebody deletes in the plane.
    #[serde(default)]
    lost: Vec<String>,
    /// The Release after an edit.
    then: Option<Value>,
    /// Whether the Release is deleted in the end.
    #[serde(default)]
    deleted: bool,
    /// Requests that change anything, since the edit if there is one.
    requests: Option<Vec<String>>,
    /// Fields of objects, by name and pointer. `(absent)` is a field that is not there.
    #[serde(default)]
    at: BTreeMap<String, BTreeMap<String, Value>>,
    /// Namespaces that were made, and their labels.
    made: Option<BTreeMap<String, BTreeMap<String, String>>>,
    /// All objects that are there in the end.
    left: Option<Vec<String>>,
    /// Of each object in order: its id, health, raw status and blocker.
    report: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// Group and kind.
    of: String,
    object: Value,
    health: String,
}

#[test]
fn each_rule_holds_in_the_plane() {
    let cases: Vec<Case> = read("plane.yaml");
    let rows: Vec<Row> = read("health.yaml");
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
    for row in &rows {
        let (group, kind) = row.of.split_once('/').unwrap();
        let judged = health(group, kind, &row.object);
        if judged.as_str() != row.health {
            found.push(format!("{}: {judged:?} should be {}", row.name, row.health));
        }
    }
    assert!(
        found.is_empty(),
        "{} failures:\n{}",
        found.len(),
        found.join("\n")
    );
    assert_eq!((cases.len(), rows.len()), CASES, "cases");
}

#[test]
fn the_documentation_says_how_much_is_compared() {
    let documentation = include_str!("../../../../../docs/compatibility.md");
    let said = format!(
        "{} cases of what becomes of a Release in its plane, and {} of health",
        CASES.0, CASES.1
    );
    assert!(documentation.contains(&said), "it should say: {said}");
}

fn read<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/releases");
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut list: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
    list.apply_merge().unwrap();
    serde_yaml_ng::from_value(list).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn check(case: &Case, failures: &mut Vec<String>) {
    let mut rig = Rig::new();
    for namespace in &case.namespaces {
        rig.cluster.put_namespace(namespace);
    }
    for object in &case.there {
        let name = object["metadata"]["name"].as_str().unwrap();
        rig.cluster.put(name, object.clone());
    }
    case.unserved.iter().for_each(|kind| rig.cluster.undefine(kind));
    for (name, code) in &case.refused {
        rig.cluster.fail(name, *code);
    }
    let key = rig.announce_spec("cart", 1, &case.spec, true);
    rig.settle();
    for (name, live) in &case.live {
        rig.cluster.edit(name, |object| cluster::merge(object, live));
    }
    rig.settle();
    if case.then.is_some() || case.deleted {
        rig.log.clear();
    }
    case.lost.iter().for_each(|name| rig.cluster.delete(name));
    if let Some(then) = &case.then {
        rig.announce_spec("cart", 2, then, true);
    }
    if case.deleted {
        let held = rig.remove("cart", 3);
        rig.settle_in_time();
        if !rig.news.contains(&News::Gone(held)) {
            failures.push("it is not gone".to_owned());
        }
    }
    rig.settle();

    let mut differ = |what: &str, made: Value, expected: Value| {
        if made != expected {
            failures.push(format!("{what}: {made} should be {expected}"));
        }
    };
    if let Some(requests) = &case.requests {
        let changes = rig.log.iter().filter(|line| !line.starts_with("look"));
        differ("requests", changes.cloned().collect(), json!(requests));
    }
    for (name, fields) in &case.at {
        let object = rig.cluster.get(name).cloned().unwrap_or_default();
        for (pointer, expected) in fields {
            let absent = Value::from("(absent)");
            let made = object.pointer(pointer).unwrap_or(&absent).clone();
            differ(&format!("{name}{pointer}"), made, expected.clone());
        }
    }
    if let Some(made) = &case.made {
        differ("namespaces", json!(rig.cluster.made()), json!(made));
    }
    if let Some(left) = &case.left {
        differ("objects", json!(rig.cluster.names()), json!(left));
    }
    if let Some(report) = &case.report {
        let view = agent::Plane::report(&rig.plane, &key);
        let said = view.iter().flat_map(|view| view.objects).map(said);
        differ("report", said.collect(), json!(report));
    }
}

fn said(report: &ObjectReport) -> String {
    let status = match &report.status {
        RawStatus::Absent => String::new(),
        RawStatus::Json(json) => format!(" {}", String::from_utf8_lossy(json)),
        RawStatus::Summary { bytes, .. } => format!(" {bytes} bytes"),
    };
    let blocker = report.blocker.as_ref();
    let blocker = blocker.map_or_else(String::new, |blocker| format!(", {}", blocker.reason.as_str()));
    format!("{}: {}{status}{blocker}", report.id, report.health.as_str())
}
