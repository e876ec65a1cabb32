//! Keys of the data in ConfigMaps and Secrets.

use serde_json::Value;

use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
     'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// What is wrong with the keys of an object's data.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    if !kind.id.group.is_empty() || !matches!(&*kind.name, "ConfigMap" | "Secret") {
        return Vec::new();
    }
    let mut errors = Vec::new();
    for key in object["data"]
        .as_object()
        .into_iter()
        .flat_map(|data| data.keys())
    {
        if object["binaryData"].get(key).is_some() {
            let path = FieldPath::root().field("data").key(key);
            errors.push(FieldError::invalid(
                path,
                key.as_str(),
                "duplicate of key present in binaryData",
            ));
        }
    }
    for field in ["data", "binaryData"] {
        for key in object[field].as_object().into_iter().flat_map(|data| data.keys()) {
            let path = FieldPath::root().field(field).key(key);
            errors.extend(complaint(key).map(|detail| FieldError::invalid(path, key.as_str(), detail)));
        }
    }
    errors
}

/// What is wrong with a key.
pub(super) fn complaint(key: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match key {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        _ if key.len() > 253 => Some("must be no more than 253 characters".to_owned()),
        _ if key.is_empty() || !key.bytes().all(fits) => Some(RULE.to_owned()),
        _ if key.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}
