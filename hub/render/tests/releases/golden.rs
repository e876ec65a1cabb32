//! Whole Releases, field by field: the first four are what OpenChoreo's own controllers made of the same resources.
//!
//! Each folder has what is given and what is expected of it. In `every-policy` the rules for addresses are in another
//! order than OpenChoreo's, on purpose.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::world::{Made, World, differences, texts};

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
    assert_eq!((cases, objects), (5, 26), "cases and objects");
}

/// The folder of each case.
pub(crate) fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden");
    let cases = fs::read_dir(folder).unwrap();
    cases.map(|case| case.unwrap().path()).collect()
}

/// What is made of what is given.
pub(crate) fn make(case: &Path) -> Made {
    World::read(&read(case, "given.yaml")).make()
}

fn read(case: &Path, file: &str) -> String {
    fs::read_to_string(case.join(file)).unwrap()
}
