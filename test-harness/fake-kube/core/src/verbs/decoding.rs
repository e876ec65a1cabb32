//! From a body to an object of the kind that the path names, in the words of the server's decoders.

use serde_json::Value;

use crate::kind::Served;
use crate::meta;
use crate::refusal::Refusal;
use crate::request::{Request, Verb, whole_numbers};
use crate::schema::go::{go_value, json_type};
use crate::schema::{self, Builtins, FieldError, FieldPath};

/// Versions that decode into kinds but are not served any more.
const REMOVED_VERSIONS: [&str; 2] = ["apps/v1beta1", "apps/v1beta2"];
/// What of a body messages show.
const SUMMARY: usize = 30;

/// How an object came to be what it is, for messages that quote it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sent<'a> {
    /// As it is.
    Whole,
    /// By a patch that made it so.
    Patched,
    /// By this strategic merge patch.
    Merged(&'a Value),
}

impl Sent<'_> {
    pub(super) fn refuse(self, served: &Served, object: &Value, why: String) -> Refusal {
        let (kind, version) = (&served.kind.name, &served.version().name);
        match self {
            Self::Whole => Refusal::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"
            )),
            Self::Patched => Refusal::unreadable_patched(object.to_string(), why),
            Self::Merged(patch) => Refusal::unreadable_patched(go_value(patch), why),
        }
    }
}

/// Refuses a body that could not be read at all.
pub(crate) fn check_readable(served: &Served, request: &Request) -> Result<(), Refusal> {
    let Some(unreadable) = &request.options.unreadable else {
        return Ok(());
    };
    Err(match request.verb {
        Verb::Delete | Verb::DeleteCollection => Refusal::bad_request(unreadable.why.clone()),
        _ => unrecognized(served, &unreadable.why, &summary(&unreadable.body)),
    })
}

/// The body as an object of the served kind.
pub(super) fn decode(served: &Served, request: &Request) -> Result<Value, Refusal> {
    let mut object = request.body.clone();
    if served.kind.custom.is_some() {
        whole_numbers(&mut object);
    }
    check_shape(served, &object)?;
    let text = |field| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    check_type(served, api_version, kind, meta::name(&object))?;
    object["apiVersion"] = served.api_version().into();
    object["kind"] = (*served.kind.name).into();
    check_fields(served, Sent::Whole, &object)?;
    Ok(object)
}

/// What a patch made of an object must still be one of its kind.
pub(super) fn check_patched(served: &Served, sent: Sent<'_>, object: &Value) -> Result<(), Refusal> {
    let text = |field| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let refuse = |why: String| Err(Refusal::unreadable_patched(object.to_string(), why));
    match &served.kind.custom {
        Some(_) if kind.is_empty() => return refuse(format!("Object 'Kind' is missing in '{object}'")),
        Some(_) => check_type(served, api_version, kind, meta::name(object))?,
        None if kind != &*served.kind.name || api_version != served.api_version() => {
            return refuse(unregistered(api_version, kind));
        }
        None => {}
    }
    check_fields(served, sent, object)
}

fn check_fields(served: &Served, sent: Sent<'_>, object: &Value) -> Result<(), Refusal> {
    let Some(why) = schema::undecodable(&served.version().schema, object) else {
        return Ok(());
    };
    let why = match sent {
        Sent::Merged(_) if why.starts_with("json: cannot unmarshal object") => {
            "cannot restore slice from map".to_owned()
        }
        _ => why,
    };
    Err(sent.refuse(served, object, why))
}

/// A body must be an object; custom kinds must name themselves.
fn check_shape(served: &Served, body: &Value) -> Result<(), Refusal> {
    let parse_error = "couldn't get version/kind; json parse error:";
    match body {
        Value::Object(fields) => {
            let has_kind = fields.get("kind").is_some_and(|kind| kind != "");
            if served.kind.custom.is_some() && !has_kind {
                let why = format!("Object 'Kind' is missing in '{body}'");
                return Err(unrecognized(served, &why, &summary(&body.to_string())));
            }
            Ok(())
        }
        Value::Null => {
            let why = format!("{parse_error} unexpected end of JSON input");
            Err(unrecognized(served, &why, "<empty>"))
        }
        other => {
            let why = format!(
                "{parse_error} json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \
                 \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
                json_type(other)
            );
            Err(unrecognized(served, &why, &summary(&other.to_string())))
        }
    }
}

fn unrecognized(served: &Served, why: &str, summary: &str) -> Refusal {
    let kind = &served.kind.name;
    Refusal::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({summary})"
    ))
}

/// The beginning of a body: objects as text, anything else as bytes.
fn summary(body: &str) -> String {
    let (start, cut) = match body.char_indices().nth(SUMMARY) {
        Some((end, _)) => (&body[..end], " ..."),
        None => (body, ""),
    };
    match start.bytes().next() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{start}{cut}"),
        Some(_) => {
            let bytes: String = start.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("{bytes}{cut}")
        }
    }
}

/// Built-in kinds need not name themselves.
fn check_type(served: &Served, api_version: &str, kind: &str, name: &str) -> Result<(), Refusal> {
    let (expected_version, expected) = (served.api_version(), &*served.kind.name);
    let is_custom = served.kind.custom.is_some();
    let (group, version) = meta::split_api_version(api_version);
    if !is_custom && kind != expected && Builtins::load().schema(group, version, kind).is_some() {
        return Err(wrong_kind(served, version, kind, name));
    }
    if api_version != expected_version && (is_custom || !api_version.is_empty()) {
        let is_known =
            is_custom || REMOVED_VERSIONS.contains(&api_version) || *group != *served.kind.id.group;
        if !is_known {
            return Err(Refusal::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {expected}: {}",
                unregistered(api_version, kind)
            )));
        }
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected_version})"
        )));
    }
    if kind != expected && (is_custom || !kind.is_empty()) {
        return Err(wrong_kind(served, &served.version().name, kind, name));
    }
    Ok(())
}

fn unregistered(api_version: &str, kind: &str) -> String {
    format!(
        "no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\""
    )
}

fn wrong_kind(served: &Served, version: &str, given: &str, name: &str) -> Refusal {
    let expected = &served.kind.name;
    if served.kind.custom.is_some() {
        let path = FieldPath::root().field("kind");
        let error = FieldError::invalid(path, given, format!("must be {expected}"));
        return Refusal::invalid(&served.kind.id.group, given, name, &[error]);
    }
    let package = match served.kind.id.group.split('.').next().unwrap_or_default() {
        "" => "core",
        first => first,
    };
    Refusal::bad_request(format!(
        "{given} in version \"{version}\" cannot be handled as a {expected}: converting ({version}.{given}) to \
         ({package}.{expected}): unknown conversion"
    ))
}
