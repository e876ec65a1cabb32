//! What the recorded answers leave out: times, and the order of entries in managedFields.

#![expect(clippy::unwrap_used, reason = "a test that unwraps says enough when it fails")]

use outhaul_fake_kube_core::apply::{ApplyError, Ignored, Manager, Operation, apply, track_update};
use outhaul_fake_kube_core::schema::{Builtins, Schema};
use serde_json::{Value, json};

fn schema() -> &'static Schema {
    Builtins::load().schema("", "v1", "ConfigMap").unwrap()
}

fn config(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})
}

fn manager(name: &str, operation: Operation, second: u8) -> Manager {
    Manager {
        name: name.to_owned(),
        operation,
        api_version: "v1".to_owned(),
        subresource: None,
        time: format!("2026-01-01T00:00:{second:02}.75Z").parse().ok(),
        ignores: Ignored::Nothing,
    }
}

fn applied(live: Option<&Value>, data: Value, by: &str, second: u8) -> Value {
    let by = manager(by, Operation::Apply, second);
    apply(live, &config(data), &by, false, schema()).unwrap().object
}

/// Each manager with the second it wrote at, in the order of managedFields.
fn managers(object: &Value) -> Vec<(String, Option<String>)> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let seconds = |time: &str| time.strip_prefix("2026-01-01T00:00:").unwrap().to_owned();
    let shown = |entry: &Value| {
        (
            entry["manager"].as_str().unwrap().to_owned(),
            entry.get("time").map(|time| seconds(time.as_str().unwrap())),
        )
    };
    entries.iter().map(shown).collect()
}

#[test]
fn times_have_whole_seconds_and_move_with_changes_only() {
    let object = applied(None, json!({"a": "1"}), "one", 1);
    assert_eq!(managers(&object), [("one".to_owned(), Some("01Z".to_owned()))]);

    let by = manager("one", Operation::Apply, 2);
    let same = apply(Some(&object), &config(json!({"a": "1"})), &by, false, schema()).unwrap();
    assert!(!same.changed);
    assert_eq!(same.object, object);

    let object = applied(Some(&object), json!({"a": "2"}), "one", 3);
    assert_eq!(managers(&object), [("one".to_owned(), Some("03Z".to_owned()))]);
}

#[test]
fn sharing_a_field_changes_the_object_without_a_time() {
    let object = applied(None, json!({"a": "1"}), "one", 1);
    let by = manager("two", Operation::Apply, 2);
    let shared = apply(Some(&object), &config(json!({"a": "1"})), &by, false, schema()).unwrap();
    assert!(shared.changed);
    let managers = managers(&shared.object);
    assert_eq!(
        managers,
        [
            ("two".to_owned(), None),
            ("one".to_owned(), Some("01Z".to_owned()))
        ]
    );
}

#[test]
fn entries_stand_by_operation_then_time_then_name() {
    let mut object = applied(None, json!({"a": "1"}), "late", 9);
    for (name, key, second) in [("b", "k1", 5), ("a", "k2", 5), ("c", "k3", 4)] {
        let before = object.clone();
        object["data"][key] = json!("1");
        track_update(
            Some(&before),
            &mut object,
            &manager(name, Operation::Update, second),
            schema(),
        );
    }
    let names: Vec<String> = managers(&object).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["late", "c", "a", "b"]);
}

#[test]
fn an_update_that_changes_nothing_owns_nothing() {
    let mut object = applied(None, json!({"a": "1"}), "one", 1);
    let before = object.clone();
    track_update(
        Some(&before),
        &mut object,
        &manager("editor", Operation::Update, 2),
        schema(),
    );
    assert_eq!(object, before);
}

#[test]
fn a_config_with_managed_fields_is_a_bad_request() {
    let mut config = config(json!({}));
    config["metadata"]["managedFields"] = json!([]);
    let refused = apply(
        None,
        &config,
        &manager("one", Operation::Apply, 1),
        false,
        schema(),
    )
    .unwrap_err();
    assert_eq!(
        refused,
        ApplyError::BadRequest("metadata.managedFields must be nil".to_owned())
    );
}

#[test]
fn damaged_managed_fields_refuse_an_apply_and_count_for_nothing_in_an_update() {
    let mut object = config(json!({"a": "1"}));
    object["metadata"]["managedFields"] = json!([{"manager": "x", "operation": "Sideways"}]);
    let refused = apply(
        Some(&object),
        &config(json!({})),
        &manager("one", Operation::Apply, 1),
        false,
        schema(),
    );
    assert!(matches!(refused, Err(ApplyError::BadRequest(_))));

    let before = object.clone();
    object["data"]["b"] = json!("1");
    track_update(
        Some(&before),
        &mut object,
        &manager("editor", Operation::Update, 1),
        schema(),
    );
    assert!(object["metadata"].get("managedFields").is_none());
}
