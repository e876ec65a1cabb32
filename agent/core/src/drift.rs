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
