//! One case for each rule: a small world, what is changed in it, and what that changes in the Release.
//!
//! `of` names the world. `with` has merge patches for its resources, by kind and name, and new ones. `at` tells single
//! fields of objects, by id and pointer; `(absent)` is a field that is not there. What is not told of problems,
//! warnings and errors must not be.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use outhaul_hub_render::{AsOpenChoreo, Change, RenderError, Wanted, readiness};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::{Made, World, differences, texts};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Case {
    pub(crate) name: String,
    of: String,
    #[serde(default)]
    with: BTreeMap<String, Value>,
    ids: Option<Vec<String>>,
    #[serde(default)]
    at: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
    endpoints: Option<Value>,
    #[serde(default)]
    problems: Vec<String>,
    #[serde(default)]
    warnings: Vec<String>,
    error: Option<String>,
    /// What the condition says: reason and message.
    ready: Option<String>,
    change: Option<String>,
    /// What stays as OpenChoreo makes it, by the name that the hub's flag has for it.
    #[serde(default)]
    as_openchoreo: Vec<String>,
}

#[test]
fn each_rule_holds() {
    let cases = cases();
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

/// All cases, in the order of their files.
pub(crate) fn cases() -> Vec<Case> {
    let mut files: Vec<_> = fs::read_dir(data().join("rules"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let read = |file: &PathBuf| -> Vec<Case> {
        let text = fs::read_to_string(file).unwrap();
        let mut list: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
        list.apply_merge().unwrap();
        serde_yaml_ng::from_value(list).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().flat_map(read).collect()
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

impl Case {
    /// What is made of its world, changed as it says.
    pub(crate) fn make(&self) -> Made {
        let mut world = self.world();
        for (resource, patch) in &self.with {
            change(&mut world, resource, patch);
        }
        let mut as_openchoreo = AsOpenChoreo::default();
        for put_off in &self.as_openchoreo {
            *match put_off.as_str() {
                "level-policies" => &mut as_openchoreo.level_policies,
                "address-rules" => &mut as_openchoreo.address_rules,
                "connection-hosts" => &mut as_openchoreo.connection_hosts,
                "task-states" => &mut as_openchoreo.task_states,
                "class-fields" => &mut as_openchoreo.class_fields,
                other => panic!("{}: there is no {other:?}", self.name),
            } = true;
        }
        world.make_as(as_openchoreo)
    }
}

impl Case {
    /// The world that it changes.
    fn world(&self) -> World {
        let file = data().join("worlds").join(format!("{}.yaml", self.of));
        World::read(&fs::read_to_string(file).unwrap())
    }

    /// What is made of that as it is.
    pub(crate) fn plain(&self) -> Made {
        self.world().make()
    }

    /// Whether it tells what is at this pointer of an object, or around it.
    pub(crate) fn tells(&self, id: &str, pointer: &str) -> bool {
        let told = |at: &String| {
            let rest = pointer.strip_prefix(at.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.at.get(id).is_some_and(|fields| fields.keys().any(told))
    }
}

/// Cases that there are, so that none is left out unseen.
pub(crate) const CASES: usize = 131;

fn check(case: &Case, found: &mut Vec<String>) {
    let made = case.make();
    let mut expect = |what: &str, made: Value, expected: Value| differences(what, &made, &expected, found);
    let error = made.rendered.as_ref().err().map(chain);
    expect("error", json!(error), json!(case.error));
    let said = readiness::of(made.state, &made.rendered, made.existing.as_ref());
    if let Some(ready) = &case.ready {
        expect(
            "ready",
            json!(format!("{} {}: {}", said.ready, said.reason, said.message)),
            json!(ready),
        );
    }
    if let Some(change) = &case.change {
        expect("change", json!(change_of(&made)), json!(change));
    }
    if let Some(endpoints) = &case.endpoints {
        expect("endpoints", json!(made.endpoints), endpoints.clone());
    }
    let Some(rendered) = made.rendered() else { return };
    expect("problems", texts(&rendered.problems), json!(case.problems));
    expect("warnings", texts(&rendered.warnings), json!(case.warnings));
    let release = made.release().unwrap();
    let ids: Vec<_> = release
        .spec
        .resources
        .iter()
        .map(|resource| resource.id.as_str())
        .collect();
    if let Some(expected) = &case.ids {
        expect("ids", json!(ids), json!(expected));
    }
    for (pointer, value) in &case.metadata {
        expect(pointer, at(&json!(release.metadata), pointer), value.clone());
    }
    for (id, fields) in &case.at {
        match release.spec.resources.iter().find(|resource| resource.id == *id) {
            None => expect(id, json!(ids), json!("to be among them")),
            Some(resource) => {
                for (pointer, value) in fields {
                    expect(
                        &format!("{id} {pointer}"),
                        at(&resource.object, pointer),
                        value.clone(),
                    );
                }
            }
        }
    }
}

fn at(object: &Value, pointer: &str) -> Value {
    object
        .pointer(pointer)
        .cloned()
        .unwrap_or_else(|| json!("(absent)"))
}

fn change(world: &mut World, resource: &str, patch: &Value) {
    let (kind, name) = resource.split_once('/').unwrap();
    let known = world
        .0
        .iter_mut()
        .find(|document| document["kind"] == kind && document["metadata"]["name"] == name);
    match (known, patch) {
        (Some(_), Value::Null) => {
            world
                .0
                .retain(|document| document["kind"] != kind || document["metadata"]["name"] != name);
        }
        (Some(document), patch) => json_patch::merge(document, patch),
        (None, patch) => {
            let mut document = json!({
                "apiVersion": "openchoreo.dev/v1alpha1", "kind": kind,
                "metadata": {"name": name, "namespace": "default", "uid": format!("uid-of-{name}")},
            });
            json_patch::merge(&mut document, patch);
            world.0.push(document);
        }
    }
}

fn change_of(made: &Made) -> &'static str {
    match &made.rendered {
        Ok(Wanted::NoRelease) => "no release",
        Ok(Wanted::Release(rendered)) => match rendered.change {
            Change::Create(_) => "create",
            Change::Update(_) => "update",
            Change::Keep => "keep",
        },
        Err(_) => "error",
    }
}

fn chain(error: &RenderError) -> String {
    let mut text = format!("{}: {error}", error.reason());
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
