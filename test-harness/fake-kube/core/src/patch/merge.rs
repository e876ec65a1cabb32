//! JSON merge patch (RFC 7396).

use serde_json::{Map, Value};

/// `live` with `patch` merged into it: null removes a field, objects merge, everything else replaces.
pub fn merge(live: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else {
        return patch.clone();
    };
    let mut merged = live.as_object().cloned().unwrap_or_else(Map::new);
    for (name, change) in changes {
        if change.is_null() {
            merged.remove(name);
        } else {
            let before = merged.remove(name).unwrap_or(Value::Null);
            merged.insert(name.clone(), merge(&before, change));
        }
    }
    Value::Object(merged)
}
