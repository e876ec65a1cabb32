//! What a Secret of a known type must hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::kind::Kind;
use crate::meta;
use crate::schema::go::json_type;
use crate::schema::{FieldError, FieldPath};

const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";

/// What a Secret lacks for its type, or holds in another form.
pub(super) fn check(kind: &Kind, secret: &Value) -> Vec<FieldError> {
    if !kind.is("", "Secret") {
        return Vec::new();
    }
    let empty = Map::new();
    let data = secret["data"].as_object().unwrap_or(&empty);
    let missing = |key: &str| FieldError::required(FieldPath::root().field("data").key(key), "");
    match secret["type"].as_str().unwrap_or_default() {
        "kubernetes.io/service-account-token" => {
            let name = meta::metadata(secret)
                .and_then(|metadata| metadata.get("annotations")?[ACCOUNT_NAME].as_str());
            let path = FieldPath::root()
                .field("metadata")
                .field("annotations")
                .key(ACCOUNT_NAME);
            let is_missing = name.is_none_or(str::is_empty);
            is_missing
                .then(|| FieldError::required(path, ""))
                .into_iter()
                .collect()
        }
        "kubernetes.io/dockercfg" => check_json(data, ".dockercfg"),
        "kubernetes.io/dockerconfigjson" => check_json(data, ".dockerconfigjson"),
        "kubernetes.io/basic-auth" if !data.contains_key("username") && !data.contains_key("password") => {
            ["username", "password"].map(missing).into()
        }
        "kubernetes.io/ssh-auth" if is_empty(data, "ssh-privatekey") => vec![missing("ssh-privatekey")],
        "kubernetes.io/tls" => {
            let keys = ["tls.crt", "tls.key"].into_iter();
            keys.filter(|key| !data.contains_key(*key)).map(missing).collect()
        }
        _ => Vec::new(),
    }
}

fn is_empty(data: &Map<String, Value>, key: &str) -> bool {
    data.get(key).and_then(Value::as_str).is_none_or(str::is_empty)
}

/// An entry that must be there, and a JSON object.
fn check_json(data: &Map<String, Value>, key: &str) -> Vec<FieldError> {
    let path = FieldPath::root().field("data").key(key);
    let Some(text) = data.get(key) else {
        return vec![FieldError::required(path, "")];
    };
    let bytes = STANDARD
        .decode(text.as_str().unwrap_or_default())
        .unwrap_or_default();
    let complaint = not_an_object(&bytes);
    complaint
        .map(|why| FieldError::invalid(path, "<secret contents redacted>", why))
        .into_iter()
        .collect()
}

/// Why Go reads no map from this.
fn not_an_object(json: &[u8]) -> Option<String> {
    match serde_json::from_slice::<Value>(json) {
        Ok(Value::Object(_) | Value::Null) => None,
        Ok(other) => Some(format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            json_type(&other)
        )),
        Err(error) if error.is_eof() => Some("unexpected end of JSON input".to_owned()),
        Err(error) => {
            let mut lines = json.split(|byte| *byte == b'\n');
            let line = lines.nth(error.line().saturating_sub(1)).unwrap_or_default();
            let stray = line
                .get(error.column().saturating_sub(1))
                .copied()
                .unwrap_or_default();
            Some(format!(
                "invalid character {:?} looking for beginning of value",
                char::from(stray)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stray_character_is_named_in_whichever_line_it_is() {
        for json in ["a", "{}\n\n  a", "[1,\na]"] {
            let why = not_an_object(json.as_bytes()).unwrap();
            assert!(why.contains("invalid character 'a'"), "{why}");
        }
    }
}
