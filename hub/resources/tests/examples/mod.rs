//! Objects of every kind from `data`, and what a reader or an API server adds to them.

use serde::Deserialize;
use serde_json::Value;

/// Objects as people write them.
pub(crate) const EXAMPLES: &str = include_str!("../data/examples.yaml");

/// Objects as programs in Go write them where nothing was set.
pub(crate) const GO_WRITERS: &str = include_str!("../data/go-writers.yaml");

/// All that the definitions' defaults add to [`EXAMPLES`].
pub(crate) const ADDED_DEFAULTS: &[&str] = &[
    r#"Service binder has className "default""#,
    r#"WebApplication desk has className "default""#,
    r#"WebApplicationBinding desk has className "default""#,
    r#"WebApplicationBinding desk has releaseState "Active""#,
    r#"API partners has className "default""#,
    r#"APIBinding partners has releaseState "Active""#,
    r#"ConfigurationGroup opening has scope {}"#,
];

/// The objects of a YAML stream.
pub(crate) fn objects(yaml: &str) -> Vec<Value> {
    let documents = serde_yaml_ng::Deserializer::from_str(yaml);
    documents
        .map(|document| Value::deserialize(document).expect("it is an object"))
        .collect()
}

/// How the `spec` that was stored or written differs from the one that was sent.
pub(crate) fn changes(sent: &Value, stored: &Value) -> Vec<String> {
    let object = format!(
        "{} {}",
        sent["kind"].as_str().unwrap_or_default(),
        sent["metadata"]["name"].as_str().unwrap_or_default()
    );
    let mut found = Vec::new();
    compare(&sent["spec"], &stored["spec"], "", &mut found);
    found
        .into_iter()
        .map(|change| format!("{object} {change}"))
        .collect()
}

fn compare(sent: &Value, stored: &Value, path: &str, found: &mut Vec<String>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match (sent, stored) {
        (Value::Object(sent), Value::Object(stored)) => {
            for (name, value) in stored {
                match sent.get(name) {
                    Some(sent) => compare(sent, value, &below(name), found),
                    None => found.push(format!("has {} {value}", below(name))),
                }
            }
            let lost = sent.keys().filter(|name| !stored.contains_key(*name));
            found.extend(lost.map(|name| format!("lost {}", below(name))));
        }
        (Value::Array(sent), Value::Array(stored)) if sent.len() == stored.len() => {
            for (index, (sent, stored)) in sent.iter().zip(stored).enumerate() {
                compare(sent, stored, &below(&index.to_string()), found);
            }
        }
        _ if sent == stored => {}
        _ => found.push(format!("changed {path} from {sent} to {stored}")),
    }
}
