//! In which order owned items are written down.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::kind::Kind;

/// Whether items of a list come in another order by the text of their keys than by their keys, in what somebody owns of
/// `object`: 443 before 80. The real server writes them down by the text in a scale, and by the keys in any other write.
/// Of a custom resource it writes them down by the text in any case.
pub(crate) fn is_out_of_order(kind: &Kind, object: &Value) -> bool {
    let entries = object["metadata"]["managedFields"].as_array();
    let mut entries = entries.into_iter().flatten();
    let has_scale = kind.versions.iter().any(|version| version.scale.is_some());
    kind.custom.is_none() && has_scale && entries.any(|entry| differs(&entry["fieldsV1"]))
}

fn differs(fields: &Value) -> bool {
    let Some(fields) = fields.as_object() else {
        return false;
    };
    let mut names: Vec<&str> = fields.keys().filter_map(|name| name.strip_prefix("k:")).collect();
    names.sort_unstable();
    let keys: Vec<Map<String, Value>> = names
        .iter()
        .filter_map(|name| serde_json::from_str(name).ok())
        .collect();
    !keys.is_sorted_by(|a, b| order(a, b).is_le()) || fields.values().any(differs)
}

fn order(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let parts =
        |(name, value): (&String, &Value)| (name.clone(), value.as_i64(), value.as_str().map(str::to_owned));
    a.iter().map(parts).cmp(b.iter().map(parts))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_have_another_order_than_their_texts() {
        let is_out = |ports: &[u16]| {
            let keys = ports
                .iter()
                .map(|port| format!(r#"k:{{"containerPort":{port},"protocol":"TCP"}}"#));
            let items: Map<String, Value> = keys.map(|key| (key, json!({}))).collect();
            differs(&json!({"f:ports": items}))
        };
        assert!(is_out(&[80, 443]));
        assert!(!is_out(&[80, 8080]));
        assert!(!is_out(&[443]));
    }
}
