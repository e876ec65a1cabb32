//! Whole Releases, field by field: three are what OpenChoreo's own controllers made of the same resources, and so are the
//! policies of a fourth; the web application follows its rules.
//!
//! Each folder has what is given and what is expected of it. In `every-policy` the rules for addresses are in another
//! order than OpenChoreo's, on purpose; what it made itself is there too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use outhaul_hub_render::{AsOpenChoreo, Change};
use serde_json::{Value, json};

use crate::world::{Made, World, differences, texts};
use crate::{accepted, rules};

#[test]
fn releases_are_what_they_are_expected_to_be() {
    let mut cases = 0;
    let mut objects = 0;
    let mut found = Vec::new();
    for case in folders() {
        let expected: Value = serde_yaml_ng::from_str(&read(&case, "expected.yaml")).unwrap();
        let made = make(&case);
        let release = made
            .release()
            .unwrap_or_else(|| panic!("{case:?}: {:?}", made.rendered));
        let mut actual = json!({
            "labels": release.metadata.labels,
            "ownerReferences": release.metadata.owner_references,
            "spec": release.spec,
        });
        let rendered = made.rendered().unwrap();
        for (field, list) in [
            ("endpoints", json!(made.endpoints)),
            ("problems", texts(&rendered.problems)),
            ("warnings", texts(&rendered.warnings)),
        ] {
            if list != json!([]) {
                actual[field] = list;
            }
        }
        cases += 1;
        objects += release.spec.resources.len();
        differences(
            case.file_name().unwrap().to_str().unwrap(),
            &actual,
            &expected,
            &mut found,
        );
    }
    assert!(
        found.is_empty(),
        "{} differences:\n{}",
        found.len(),
        found.join("\n")
    );
    assert_eq!((cases, objects), (CASES, OBJECTS), "cases and objects");
}

/// OpenChoreo's own Release is not written again by whoever takes it over.
#[test]
fn a_release_that_is_expected_is_kept() {
    for case in folders() {
        let expected: Value = serde_yaml_ng::from_str(&read(&case, "expected.yaml")).unwrap();
        let owners = &expected["ownerReferences"];
        let mut world = World::read(&read(&case, "given.yaml"));
        world.0.push(json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
            "metadata": {
                "name": owners[0]["name"], "namespace": "default", "labels": expected["labels"], "ownerReferences": owners,
                "annotations": {"somebody": "else"}, "finalizers": ["openchoreo.dev/dataplane-cleanup"],
            },
            "spec": expected["spec"],
        }));
        let made = world.make();
        assert_eq!(made.rendered().unwrap().change, Change::Keep, "{case:?}");
    }
}

#[test]
fn what_is_put_off_is_as_openchoreo_made_it() {
    let case = folder().join("every-policy");
    let put_off = AsOpenChoreo {
        level_policies: true,
        address_rules: true,
        connection_hosts: true,
        task_states: true,
        class_fields: true,
    };
    let made = World::read(&read(&case, "given.yaml")).make_as(put_off);
    let resources = &made.release().unwrap().spec.resources;
    let mut found = Vec::new();
    let World(policies) = World::read(&read(&case, "openchoreo.yaml"));
    for policy in &policies {
        let name = &policy["metadata"]["name"];
        let same = |object: &&Value| object["kind"] == policy["kind"] && object["metadata"]["name"] == *name;
        let object = resources.iter().map(|entry| &entry.object).find(same);
        let object = object.unwrap_or_else(|| panic!("{name} is not there"));
        differences(&name.to_string(), &object["spec"], &policy["spec"], &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(policies.len(), 4);
}

#[test]
fn the_documentation_says_how_much_is_compared() {
    let documentation = include_str!("../../../../docs/compatibility.md");
    let objects: usize = accepted::TAKEN.iter().map(|(_, count)| count).sum();
    for said in [
        format!("{CASES} whole Releases with {OBJECTS} objects"),
        format!("{} cases of single rules", rules::CASES),
        format!("{objects} objects of {} kinds", accepted::TAKEN.len()),
    ] {
        assert!(documentation.contains(&said), "it should say: {said}");
    }
}

/// Cases and objects that there are, so that none is left out unseen.
const CASES: usize = 5;
const OBJECTS: usize = 26;

/// The folder of each case.
pub(crate) fn folders() -> Vec<PathBuf> {
    let cases = fs::read_dir(folder()).unwrap();
    cases.map(|case| case.unwrap().path()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

/// What is made of what is given.
pub(crate) fn make(case: &Path) -> Made {
    World::read(&read(case, "given.yaml")).make()
}

fn read(case: &Path, file: &str) -> String {
    fs::read_to_string(case.join(file)).unwrap()
}
