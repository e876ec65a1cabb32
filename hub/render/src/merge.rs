//! The strategic merge of Kubernetes on JSON: a class below, what comes from a workload over it.
//!
//! Maps merge key by key, and some lists entry by entry; everything else is replaced. JSON and not types, so that a
//! class may use fields that are newer than this program.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

/// Which lists merge entry by entry: the name of the field, and of the field that says which entry is which.
pub(crate) type Keys = &'static [(&'static str, &'static str)];

/// The lists of pod templates that overlays have. Of a port its number alone counts, not the protocol.
pub(crate) const POD: Keys = &[
    ("containers", "name"),
    ("env", "name"),
    ("ports", "containerPort"),
];

/// The lists of a Service that overlays have. Of a port its number alone counts, not the protocol.
pub(crate) const SERVICE: Keys = &[("ports", "port")];

/// Every list is replaced whole.
pub(crate) const NO_LISTS: Keys = &[];

/// Lays `overlay` over `base`. A null takes the field away. A list that is absent or empty in `base` is taken as it is.
pub(crate) fn merge(base: &mut Map<String, Value>, overlay: Map<String, Value>, keys: Keys) {
    for (field, value) in overlay {
        match (base.get_mut(&field), value) {
            (_, Value::Null) => {
                base.remove(&field);
            }
            (Some(Value::Object(base)), Value::Object(overlay)) => merge(base, overlay, keys),
            (Some(Value::Array(base)), Value::Array(overlay)) if !base.is_empty() => {
                match keys.iter().find(|(list, _)| *list == field) {
                    Some((_, key)) => merge_list(base, overlay, key, keys),
                    None => *base = overlay,
                }
            }
            (_, value) => {
                base.insert(field, value);
            }
        }
    }
}

/// Entries with the same key merge, those of the overlay among each other too: a later one wins.
fn merge_list(base: &mut Vec<Value>, overlay: Vec<Value>, key: &str, keys: Keys) {
    let in_base = places(base, key);
    let in_overlay = places(&overlay, key);
    let mut merged = std::mem::take(base);
    let mut known = in_base.clone();
    for entry in overlay {
        match identity(&entry, key).map(|id| *known.entry(id).or_insert(merged.len())) {
            Some(place) if place < merged.len() => merge_entry(&mut merged[place], entry, keys),
            _ => merged.push(entry),
        }
    }
    *base = ordered(merged, key, &in_base, &in_overlay);
}

fn merge_entry(base: &mut Value, overlay: Value, keys: Keys) {
    if let (Value::Object(base), Value::Object(overlay)) = (base, overlay) {
        merge(base, overlay, keys);
    }
}

/// The overlay's entries keep their order, and so do those that only the base has. One of these goes before the next
/// of the overlay only where the base has both, in that order.
fn ordered(merged: Vec<Value>, key: &str, in_base: &Places, in_overlay: &Places) -> Vec<Value> {
    let place = |places: &Places, entry: &Value| identity(entry, key).and_then(|id| places.get(&id).copied());
    let (mut overlaid, mut kept): (Vec<_>, Vec<_>) = merged
        .into_iter()
        .partition(|entry| place(in_overlay, entry).is_some());
    overlaid.sort_by_key(|entry| place(in_overlay, entry));
    // What the base repeats stands together.
    kept.sort_by_key(|entry| place(in_base, entry).unwrap_or(usize::MAX));
    let mut kept = VecDeque::from(kept);
    let mut list = Vec::with_capacity(kept.len() + overlaid.len());
    for entry in overlaid {
        if let Some(end) = place(in_base, &entry) {
            while let Some(next) =
                kept.pop_front_if(|next| place(in_base, next).is_some_and(|place| place < end))
            {
                list.push(next);
            }
        }
        list.push(entry);
    }
    list.extend(kept);
    list
}

/// Where an entry first stands in a list.
type Places = BTreeMap<String, usize>;

fn places(list: &[Value], key: &str) -> Places {
    let mut places = Places::new();
    for (place, entry) in list.iter().enumerate() {
        if let Some(id) = identity(entry, key) {
            places.entry(id).or_insert(place);
        }
    }
    places
}

/// As JSON, in which a number and its digits differ. An entry without the key is none but itself.
fn identity(entry: &Value, key: &str) -> Option<String> {
    entry.get(key).map(Value::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(base: Value, overlay: Value, keys: Keys) -> Value {
        let (Value::Object(mut base), Value::Object(overlay)) = (base, overlay) else {
            panic!("only objects merge");
        };
        merge(&mut base, overlay, keys);
        base.into()
    }

    fn names(list: &Value) -> Vec<&str> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["name"].as_str().unwrap())
            .collect()
    }

    fn named(names: &[&str]) -> Value {
        names.iter().map(|name| json!({"name": name})).collect()
    }

    #[test]
    fn maps_merge_and_the_overlay_wins() {
        let base =
            json!({"labels": {"tier": "web", "app": "x"}, "replicas": 2, "strategy": {"type": "Recreate"}});
        let overlay = json!({"labels": {"app": "y", "team": "z"}, "strategy": {}, "paused": true});
        let expected = json!({
            "labels": {"tier": "web", "app": "y", "team": "z"}, "replicas": 2, "strategy": {"type": "Recreate"},
            "paused": true,
        });
        assert_eq!(merged(base, overlay, POD), expected);
    }

    #[test]
    fn a_null_takes_the_field_away() {
        let base = json!({"metadata": {"creationTimestamp": "2024-01-01T00:00:00Z", "labels": {}}});
        let overlay = json!({"metadata": {"creationTimestamp": null, "absent": null}});
        assert_eq!(merged(base, overlay, POD), json!({"metadata": {"labels": {}}}));
    }

    #[test]
    fn other_types_and_lists_without_key_are_replaced() {
        let base = json!({"args": ["a", "b"], "containers": null, "x": {"y": 1}});
        let overlay = json!({"args": ["c"], "containers": [{"name": "main"}], "x": [1]});
        assert_eq!(merged(base, overlay.clone(), POD), overlay);
        let base = json!({"ports": [{"port": 1}]});
        let overlay = json!({"ports": [{"port": 2}]});
        assert_eq!(merged(base, overlay.clone(), NO_LISTS), overlay);
    }

    #[test]
    fn entries_with_the_same_key_merge() {
        let base = json!({"containers": [{"name": "main", "env": [
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "B", "value": "b"},
        ], "volumeMounts": [{"name": "data"}]}]});
        let overlay =
            json!({"containers": [{"name": "main", "image": "i", "env": [{"name": "A", "value": "a"}]}]});
        let expected = json!({"containers": [{"name": "main", "image": "i", "env": [
            {"name": "A", "value": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "B", "value": "b"},
        ], "volumeMounts": [{"name": "data"}]}]});
        assert_eq!(merged(base, overlay, POD), expected);
    }

    #[test]
    fn the_overlays_order_counts_and_the_classes_where_it_has_both() {
        for (class, overlay, expected) in [
            (
                &["CLASS_ONLY", "LOG_LEVEL", "FROM_FIELD"][..],
                &["LOG_LEVEL", "A", "FROM_FIELD"][..],
                &["CLASS_ONLY", "LOG_LEVEL", "A", "FROM_FIELD"][..],
            ),
            (
                &["LOG_LEVEL", "TASK_TYPE"],
                &["A", "B"],
                &["A", "B", "LOG_LEVEL", "TASK_TYPE"],
            ),
            (&["sidecar", "main"], &["main"], &["sidecar", "main"]),
            (&["a", "b", "a"], &["c"], &["c", "a", "a", "b"]),
            (&["main"], &["app"], &["app", "main"]),
            (&["main", "sidecar"], &["main"], &["main", "sidecar"]),
            (&["a", "b", "c"], &["c", "a"], &["b", "c", "a"]),
            (
                &["x", "a", "y", "b", "z"],
                &["b", "a"],
                &["x", "y", "b", "a", "z"],
            ),
        ] {
            let list = merged(json!({"env": named(class)}), json!({"env": named(overlay)}), POD);
            assert_eq!(names(&list["env"]), expected, "{class:?} {overlay:?}");
        }
    }

    #[test]
    fn an_overlay_repeats_itself_only_where_the_class_has_no_list() {
        let overlay = json!({"ports": [
            {"port": 53, "protocol": "TCP", "name": "ep-53-tcp"}, {"port": 53, "protocol": "UDP", "name": "ep-53-udp"},
        ]});
        for base in [json!({}), json!({"ports": []}), json!({"ports": null})] {
            assert_eq!(merged(base, overlay.clone(), SERVICE), overlay);
        }
        let base = json!({"ports": [{"port": 80, "name": "http"}]});
        let expected = json!({"ports": [
            {"port": 53, "protocol": "UDP", "name": "ep-53-udp"}, {"port": 80, "name": "http"},
        ]});
        assert_eq!(merged(base, overlay, SERVICE), expected);
        let base = json!({"env": [{"name": "X", "value": "x"}]});
        let overlay = json!({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]});
        let expected = json!({"env": [{"name": "A", "value": "2"}, {"name": "X", "value": "x"}]});
        assert_eq!(merged(base, overlay, POD), expected);
    }

    #[test]
    fn an_overlay_renames_a_port_of_the_same_number() {
        let base = json!({"ports": [{"containerPort": 8080, "name": "http", "protocol": "UDP"}]});
        let overlay = json!({"ports": [{"containerPort": 8080, "name": "ep-8080-tcp", "protocol": "TCP"}]});
        assert_eq!(merged(base, overlay.clone(), POD), overlay);
    }

    #[test]
    fn entries_without_the_key_stay_as_they_are() {
        let base = json!({"env": [{"value": "1"}, 7]});
        let overlay = json!({"env": [{"name": "A"}]});
        assert_eq!(
            merged(base, overlay, POD)["env"],
            json!([{"name": "A"}, {"value": "1"}, 7])
        );
    }

    #[test]
    fn ten_thousand_entries_merge_at_once() {
        let list = |from: usize, to: usize| -> Value {
            (from..to)
                .map(|index| json!({"name": format!("V{index}"), "value": "x"}))
                .collect()
        };
        let env = merged(
            json!({"env": list(0, 10_000)}),
            json!({"env": list(5_000, 15_000)}),
            POD,
        );
        assert_eq!(env["env"], list(0, 15_000));
    }
}
