//! Bodies: JSON, YAML and protobuf become values; what is none of them is refused with the formats that would do.

use serde_json::Value;

use super::{Verb, json, protobuf};
use crate::refusal::Refusal;
use crate::schema::go::json_type;

const OBJECT_FORMATS: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// The patch types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, by patch keys of the schema.
    Strategic,
    /// Server-side apply.
    Apply,
}

/// A body, read.
pub(super) struct Body {
    /// What kind of patch it is, if it is one that we know.
    pub(super) patch: Option<PatchKind>,
    /// What it says; null when there was none.
    pub(super) value: Value,
    /// Fields that it has more than once.
    pub(super) duplicates: Vec<String>,
    /// Why it could not be read.
    pub(super) unreadable: Option<Unreadable>,
}

/// A body that is no JSON. What is said about it depends on what was expected.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Why.
    pub why: String,
    /// How it begins.
    pub body: String,
}

/// As much of a body is kept.
const KEPT: usize = 64;

impl Body {
    fn nothing() -> Self {
        Self::plain(Value::Null)
    }

    fn plain(value: Value) -> Self {
        Self {
            patch: None,
            value,
            duplicates: Vec::new(),
            unreadable: None,
        }
    }
}

/// Reads the body of a request.
pub(super) fn read(verb: Verb, content_type: &str, body: &[u8]) -> Result<Body, Refusal> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if verb == Verb::Patch {
        // Which kinds of patches there are depends on what is patched.
        return match patch_kind(media_type) {
            Some(kind) => read_patch(kind, body),
            None => Ok(Body::nothing()),
        };
    }
    if body.is_empty() || !verb.writes() {
        return Ok(Body::nothing());
    }
    match media_type {
        "" | "application/json" | "*/*" => Ok(read_json(body)),
        "application/yaml" | "text/yaml" => read_yaml(body).map(Body::plain),
        protobuf::MEDIA_TYPE => protobuf::read(body).map(Body::plain),
        _ => Err(Refusal::unsupported_media_type(OBJECT_FORMATS)),
    }
}

fn patch_kind(media_type: &str) -> Option<PatchKind> {
    match media_type {
        "application/json-patch+json" => Some(PatchKind::Json),
        "application/merge-patch+json" => Some(PatchKind::Merge),
        "application/strategic-merge-patch+json" => Some(PatchKind::Strategic),
        "application/apply-patch+yaml" => Some(PatchKind::Apply),
        _ => None,
    }
}

fn read_patch(kind: PatchKind, body: &[u8]) -> Result<Body, Refusal> {
    let (mut value, duplicates) = match (kind, json::read(body)) {
        (_, Ok(read)) => read,
        // JSON is what most clients send as YAML, and its parser is many times faster.
        (PatchKind::Apply, Err(_)) => (read_yaml_patch(body)?, Vec::new()),
        (_, Err(_)) => return Err(Refusal::bad_request("invalid JSON patch")),
    };
    if kind == PatchKind::Apply {
        whole_numbers(&mut value);
    }
    let where_from = match kind {
        PatchKind::Apply => "error unmarshaling JSON: while decoding JSON: ",
        PatchKind::Json | PatchKind::Merge | PatchKind::Strategic => "",
    };
    if kind != PatchKind::Json && !value.is_object() {
        return Err(Refusal::bad_request(format!(
            "error decoding patch: {where_from}json: cannot unmarshal {} into Go value of type \
             map[string]interface {{}}",
            json_type(&value)
        )));
    }
    Ok(Body {
        patch: Some(kind),
        duplicates,
        ..Body::plain(value)
    })
}

fn read_yaml_patch(body: &[u8]) -> Result<Value, Refusal> {
    serde_yaml_ng::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("error encoding patch: yaml: {}", bare(&error))))
}

fn read_json(body: &[u8]) -> Body {
    match json::read(body) {
        Ok((value, duplicates)) => Body {
            duplicates,
            ..Body::plain(value)
        },
        Err(error) => {
            let why = if error.is_eof() {
                "unexpected end of JSON input".to_owned()
            } else {
                error.to_string()
            };
            Body {
                unreadable: Some(Unreadable {
                    why: format!("couldn't get version/kind; json parse error: {why}"),
                    body: String::from_utf8_lossy(body).chars().take(KEPT).collect(),
                }),
                ..Body::nothing()
            }
        }
    }
}

fn read_yaml(body: &[u8]) -> Result<Value, Refusal> {
    serde_yaml_ng::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))
}

/// What is wrong with YAML, without the place.
fn bare(error: &serde_yaml_ng::Error) -> String {
    let said = error.to_string();
    said.split_once(" at line ")
        .map_or(said.as_str(), |(why, _)| why)
        .to_owned()
}

/// Numbers that no type waits for have no fraction where it is zero: 2.0 is 2.
pub(crate) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            if float.fract() == 0.0 && float.abs() < MAX_EXACT {
                *value = (float as i64).into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, field)| whole_numbers(field)),
        _ => {}
    }
}

/// Beyond it not every whole number is a float.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
