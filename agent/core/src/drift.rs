//! Whether a live object still has what was applied.
//!
//! An object changes for many reasons that are nobody's harm: a controller adds an annotation, a default appears.
//! Only a field of ours that is gone or has another value is worth a request. The comparison may find a difference
//! where there is none (a quantity written another way, a list that others add to); that costs one apply that
//! changes nothing. It never misses a difference.

use serde_json::Value;

/// Whether every field of `wanted` is in `live` with the same value.
pub fn holds(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(field, value)| {
            live.get(field)
                .map_or_else(|| is_empty(value), |it| holds(it, value))
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| holds(live, wanted))
        }
        (Value::Number(live), Value::Number(wanted)) => live == wanted || live.as_f64() == wanted.as_f64(),
        _ => live == wanted,
    }
}

/// Fields that are named of those that would change.
const NAMED: usize = 5;

/// What an apply of `wanted` would change of `live`, for people.
pub fn would_change(live: &Value, wanted: &Value) -> String {
    let mut fields = Vec::new();
    differences(live, wanted, "", &mut fields);
    // What an object does says more than what it is called.
    fields.sort_by_key(|field| field.starts_with(".metadata"));
    let more = fields.len().saturating_sub(NAMED);
    fields.truncate(NAMED);
    match (fields.as_slice(), more) {
        ([], _) => "it would be taken over as it is".to_owned(),
        (named, 0) => format!("it would change {}", named.join(", ")),
        (named, more) => format!("it would change {} and {more} more", named.join(", ")),
    }
}

fn differences(live: &Value, wanted: &Value, path: &str, fields: &mut Vec<String>) {
    let nothing = Value::Null;
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (field, value) in wanted {
                let path = match field.contains(['.', '/']) {
                    true => format!("{path}[{field:?}]"),
                    false => format!("{path}.{field}"),
                };
                match live.get(field) {
                    None if is_empty(value) => {}
                    there => differences(there.unwrap_or(&nothing), value, &path, fields),
                }
            }
        }
        (live, wanted) if holds(live, wanted) => {}
        _ => fields.push(path.to_owned()),
    }
}

/// API servers drop empty maps and lists of optional fields.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_change_is_named_and_what_others_added_is_not() {
        let live = json!({
            "metadata": {"labels": {"theirs": "1"}, "uid": "u"},
            "spec": {"replicas": 2, "args": ["a"], "more": 1},
        });
        let with = |spec: Value| json!({"metadata": {"labels": {"app.dev/name": "x"}}, "spec": spec});
        let cases = [
            (
                json!({"spec": {"replicas": 2.0, "empty": {}}}),
                "it would be taken over as it is",
            ),
            (
                with(json!({"replicas": 3, "args": ["a", "b"]})),
                "it would change .spec.args, .spec.replicas, .metadata.labels[\"app.dev/name\"]",
            ),
            (
                with(json!({"a": 1, "b": {"deep": 1}, "c": 1, "d": 1, "e": 1})),
                "it would change .spec.a, .spec.b, .spec.c, .spec.d, .spec.e and 1 more",
            ),
        ];
        for (wanted, expected) in cases {
            assert_eq!(would_change(&live, &wanted), expected);
            assert_eq!(holds(&live, &wanted), expected.contains("as it is"));
        }
    }

    #[test]
    fn additions_of_others_are_no_drift_and_changes_are() {
        let wanted = json!({"spec": {"replicas": 2, "args": [{"name": "a"}], "empty": {}}});
        let cases = [
            (
                json!({"spec": {"replicas": 2, "args": [{"name": "a", "default": 1}], "more": 1}, "status": {}}),
                true,
            ),
            (json!({"spec": {"replicas": 2.0, "args": [{"name": "a"}]}}), true),
            (json!({"spec": {"replicas": 3, "args": [{"name": "a"}]}}), false),
            (json!({"spec": {"replicas": 2, "args": []}}), false),
            (
                json!({"spec": {"replicas": 2, "args": [{"name": "a"}, {"name": "b"}]}}),
                false,
            ),
            (json!({"spec": {"args": [{"name": "a"}]}}), false),
            (json!({}), false),
        ];
        for (live, expected) in cases {
            assert_eq!(holds(&live, &wanted), expected, "{live}");
        }
    }
}
