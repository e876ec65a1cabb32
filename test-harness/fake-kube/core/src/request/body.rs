//! Bodies: JSON, YAML and protobuf become values; what is none of them is refused with the formats that would do.

use serde_json::Value;

use super::{Verb, protobuf};
use crate::refusal::Refusal;

const OBJECT_FORMATS: &str = "application/json, application/yaml";
const PATCH_FORMATS: &str = "application/json-patch+json, application/merge-patch+json, \
     application/strategic-merge-patch+json, application/apply-patch+yaml";

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

/// Reads the body of a request; with a patch, also its kind.
pub(super) fn read(
    verb: Verb,
    content_type: &str,
    body: &[u8],
) -> Result<(Option<PatchKind>, Value), Refusal> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if verb == Verb::Patch {
        let kind = patch_kind(media_type)?;
        let value = if kind == PatchKind::Apply {
            read_json_or_yaml(body)?
        } else {
            read_json(body)?
        };
        return Ok((Some(kind), value));
    }
    if body.is_empty() || !verb.writes() {
        return Ok((None, Value::Null));
    }
    let value = match media_type {
        "" | "application/json" | "*/*" => read_json(body)?,
        "application/yaml" | "text/yaml" => read_yaml(body)?,
        protobuf::MEDIA_TYPE => protobuf::read(body)?,
        other => return Err(Refusal::unsupported_media_type(other, OBJECT_FORMATS)),
    };
    Ok((None, value))
}

fn patch_kind(media_type: &str) -> Result<PatchKind, Refusal> {
    match media_type {
        "application/json-patch+json" => Ok(PatchKind::Json),
        "application/merge-patch+json" => Ok(PatchKind::Merge),
        "application/strategic-merge-patch+json" => Ok(PatchKind::Strategic),
        "application/apply-patch+yaml" => Ok(PatchKind::Apply),
        other => Err(Refusal::unsupported_media_type(other, PATCH_FORMATS)),
    }
}

fn read_json(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("error decoding: invalid JSON: {error}")))
}

fn read_yaml(body: &[u8]) -> Result<Value, Refusal> {
    serde_yaml_ng::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))
}

/// JSON is what most clients send as YAML, and its parser is many times faster.
fn read_json_or_yaml(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).or_else(|_| read_yaml(body))
}
