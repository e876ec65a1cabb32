//! What was written by update before it was applied here.

use serde_json::{Value, json};

use super::Rig;
use crate::testing::config_map;

const LABELS: &str = "/metadata/labels";

/// Somebody writes a ConfigMap by update under the name of OpenChoreo's manager, with a value that is not wanted.
fn update(rig: &mut Rig) {
    rig.cluster.edit("one", |object| {
        let entry = json!({
            "manager": "manager", "operation": "Update",
            "fieldsV1": {"f:data": {"f:value": {}, "f:unwanted": {}}},
        });
        let entries = object["metadata"]["managedFields"].as_array_mut().unwrap();
        entries.push(entry);
    });
}

fn managers(rig: &Rig) -> Vec<String> {
    let entries = rig.cluster.get("one").unwrap()["metadata"]["managedFields"].as_array();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let entries = entries.unwrap().iter();
    entries
        .map(|entry| text(entry, "manager") + " " + &text(entry, "operation"))
        .collect()
}

#[test]
fn what_was_written_by_update_becomes_ours_before_it_counts_as_applied() {
    let mut rig = Rig::new();
    rig.cluster.put_of("one", "cart");
    update(&mut rig);
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle();
    assert_eq!(rig.log, ["adopt ConfigMap shop/one", "apply ConfigMap shop/one"]);
    assert_eq!(managers(&rig), ["release-controller Apply"]);
    assert_eq!(rig.blocker(&key, "one"), None);
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0]);
}

#[test]
fn what_nobody_owned_is_applied_adopted_and_applied_once_more() {
    let mut rig = Rig::new();
    rig.cluster.put_of("one", "cart");
    update(&mut rig);
    rig.cluster
        .edit("one", |object| *object.pointer_mut(LABELS).unwrap() = json!({}));
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle();
    assert_eq!(
        rig.log,
        [
            "create namespace shop",
            "apply ConfigMap shop/one",
            "adopt ConfigMap shop/one",
            "apply ConfigMap shop/one"
        ]
    );
    assert_eq!(managers(&rig), ["release-controller Apply"]);
}

#[test]
fn what_others_write_later_stays_theirs() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    update(&mut rig);
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle_in_time();
    assert!(
        !rig.log.contains(&"adopt ConfigMap shop/one".to_owned()),
        "{:?}",
        rig.log
    );
}
