//! What holds for every object: field sets survive their JSON, and applying is idempotent and reversible.

#![expect(
    clippy::unwrap_used,
    reason = "an object that is not as it should be fails the test"
)]

use std::sync::LazyLock;

use outhaul_fake_kube_core::apply::{Ignored, Manager, Operation, apply, track_update};
use outhaul_fake_kube_core::fieldset::{FieldSet, compare, of_value, remove_items};
use outhaul_fake_kube_core::patch;
use outhaul_fake_kube_core::schema::{Schema, default, prune};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Map, Value, json};

/// A schema with every way to own: fields, sets, lists by key, atomic things, maps, and anything.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let number = json!({"type": "integer"});
    let items = json!({"type": "object", "properties": {
        "name": text, "side": {"type": "string", "default": "left"}, "size": number,
        "inner": {"type": "object", "properties": {"a": text, "b": text}}}});
    let keyed = json!({"type": "array", "items": items, "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name", "side"]});
    let spec = json!({"type": "object", "properties": {
        "title": text,
        "size": number,
        "tags": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
        "parts": keyed,
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text},
        "list": {"type": "array", "items": text},
        "map": {"type": "object", "additionalProperties": text},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
    Schema::from_crd(&json!({"type": "object", "properties": {"spec": spec}})).unwrap()
});

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn words() -> impl Strategy<Value = Value> {
    prop::collection::vec(word(), 0..4).prop_map(|words| json!(words))
}

/// Each word once, as a set must have it, and at least one: an empty list whose items are told apart is owned by
/// nobody, on a real server too.
fn distinct_words() -> impl Strategy<Value = Value> {
    prop::sample::subsequence(vec!["a", "b", "c", "d"], 1..4)
        .prop_shuffle()
        .prop_map(|words| json!(words))
}

fn map_of_words() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(word(), word(), 0..3).prop_map(|words| json!(words))
}

fn parts() -> impl Strategy<Value = Value> {
    let part = (
        any::<bool>(),
        prop::option::of(0..3_i64),
        prop::option::of(map_of_words()),
    );
    prop::collection::btree_map(word(), part, 1..4).prop_map(|parts| {
        let part = |(name, (is_right, size, inner))| {
            let mut part = json!({ "name": name });
            if is_right {
                part["side"] = json!("right");
            }
            if let Some(size) = size {
                part["size"] = json!(size);
            }
            if let Some(Value::Object(inner)) = inner {
                let declared = inner.into_iter().filter(|(name, _)| name == "a" || name == "b");
                part["inner"] = Value::Object(declared.collect());
            }
            part
        };
        Value::Array(parts.into_iter().map(part).collect())
    })
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        word().prop_map(Value::String),
        (0..3_i64).prop_map(Value::from),
        words()
    ];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map(word(), inner, 0..3).prop_map(|fields| json!(fields))
    });
    prop::collection::btree_map(word(), nested, 0..3).prop_map(|fields| json!(fields))
}

/// A config with any of the fields.
fn config() -> impl Strategy<Value = Value> {
    let fields = (
        prop::option::of(word().prop_map(Value::String)),
        prop::option::of((0..3_i64).prop_map(Value::from)),
        prop::option::of(distinct_words()),
        prop::option::of(parts()),
        prop::option::of(map_of_words()),
        prop::option::of(words()),
        prop::option::of(map_of_words()),
        prop::option::of(anything()),
    );
    fields.prop_map(|(title, size, tags, parts, whole, list, map, any)| {
        let named = [
            ("title", title),
            ("size", size),
            ("tags", tags),
            ("parts", parts),
            ("whole", whole),
            ("list", list),
            ("map", map),
            ("any", any),
        ];
        let spec: Map<String, Value> = named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        json!({"apiVersion": "a.example.com/v1", "kind": "A", "metadata": {"name": "x"}, "spec": spec})
    })
}

fn manager(name: &str, operation: Operation) -> Manager {
    Manager {
        name: name.to_owned(),
        operation,
        api_version: "a.example.com/v1".to_owned(),
        subresource: None,
        time: "2026-01-01T00:00:00Z".parse().ok(),
        ignores: Ignored::Nothing,
    }
}

fn applied(live: Option<&Value>, config: &Value, name: &str) -> Value {
    apply(live, config, &manager(name, Operation::Apply), true, &SCHEMA)
        .unwrap()
        .object
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn field_sets_survive_their_json(object in config()) {
        let set = of_value(&SCHEMA, &object);
        prop_assert_eq!(FieldSet::from_json(&set.to_json()).unwrap(), set);
    }

    #[test]
    fn set_algebra_holds(a in config(), b in config()) {
        let (a, b) = (of_value(&SCHEMA, &a), of_value(&SCHEMA, &b));
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert!(a.difference(&a).is_empty());
        prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a);
    }

    #[test]
    fn what_is_removed_is_not_there_any_more(object in config()) {
        let set = of_value(&SCHEMA, &object).with_declared_parents(Some(SCHEMA.root()));
        prop_assert_eq!(remove_items(&SCHEMA, &object, &set), json!({}));
    }

    #[test]
    fn a_comparison_is_empty_exactly_for_what_is_equal(a in config(), b in config()) {
        let found = compare(&SCHEMA, &a, &b);
        let is_same = found.removed.is_empty() && found.modified.is_empty() && found.added.is_empty();
        prop_assert_eq!(is_same, a == b || is_reordered(&a, &b));
    }

    #[test]
    fn a_second_apply_changes_nothing(first in config(), second in config()) {
        let live = applied(None, &first, "one");
        let live = applied(Some(&live), &second, "two");
        let again = apply(Some(&live), &second, &manager("two", Operation::Apply), false, &SCHEMA).unwrap();
        prop_assert!(!again.changed, "{} became {}", live, again.object);
    }

    #[test]
    fn an_apply_holds_what_its_config_says(first in config(), second in config()) {
        let live = applied(None, &first, "one");
        let mut live = applied(Some(&live), &second, "two");
        live.as_object_mut().unwrap().remove("status");
        let missing = compare(&SCHEMA, &second, &live);
        prop_assert!(missing.removed.is_empty(), "{:?}", missing.removed.paths());
        prop_assert!(missing.modified.is_empty(), "{:?}", missing.modified.paths());
    }

    #[test]
    fn who_applies_nothing_any_more_leaves_the_others_as_they_were(first in config(), second in config()) {
        let nothing = json!({"apiVersion": "a.example.com/v1", "kind": "A", "metadata": {"name": "x"}});
        let alone = applied(None, &without_hollow(&first), "one");
        let both = apply(Some(&alone), &second, &manager("two", Operation::Apply), false, &SCHEMA);
        // With conflicts there is nothing to undo.
        let Ok(both) = both else { return Ok(()) };
        let mut left = applied(Some(&both.object), &nothing, "two");
        let mut alone = alone;
        prune(&SCHEMA, &mut left);
        default(&SCHEMA, &mut left);
        default(&SCHEMA, &mut alone);
        let changes = compare(&SCHEMA, &alone, &left);
        prop_assert!(changes.modified.is_empty(), "{:?}", changes.modified.paths());
        prop_assert!(changes.removed.is_empty(), "{:?}", changes.removed.paths());
    }

    #[test]
    fn every_change_has_exactly_one_updater(first in config(), second in config()) {
        let mut live = first.clone();
        track_update(None, &mut live, &manager("one", Operation::Update), &SCHEMA);
        let mut after = patch::merge(&live, &second);
        track_update(Some(&live), &mut after, &manager("two", Operation::Update), &SCHEMA);
        let sets: Vec<FieldSet> = after["metadata"]["managedFields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| FieldSet::from_json(&entry["fieldsV1"]).unwrap())
            .collect();
        for (index, set) in sets.iter().enumerate() {
            for other in &sets[..index] {
                prop_assert!(set.intersection(other).is_empty());
            }
        }
        let owned = sets.iter().fold(FieldSet::default(), |all, set| all.union(set));
        let mentioned = of_value(&SCHEMA, &json!({"spec": after["spec"]}));
        prop_assert!(mentioned.difference(&owned).is_empty(), "{:?}", mentioned.difference(&owned).paths());
    }
}

/// An object that loses what another put into it goes, though it was there empty before: so on a real server.
fn without_hollow(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .map(|(name, field)| (name.clone(), without_hollow(field)));
            Value::Object(kept.filter(|(_, field)| *field != json!({})).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_hollow).collect()),
        scalar => scalar.clone(),
    }
}

/// Items that are told apart may stand in any order.
fn is_reordered(a: &Value, b: &Value) -> bool {
    let sorted = |object: &Value| {
        let mut object = object.clone();
        for name in ["tags", "parts"] {
            if let Some(items) = object["spec"].get_mut(name).and_then(Value::as_array_mut) {
                items.sort_by_key(Value::to_string);
            }
        }
        object
    };
    sorted(a) == sorted(b)
}
