//! An object on its way in: what is checked and completed before any verb looks at it.

use serde_json::{Value, json};

use crate::apply::{Ignored, Manager, Operation};
use crate::kind::Served;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{FieldValidation, Options, Target};
use crate::rules;
use crate::schema::{self, FieldError};

/// Checks that a body is an object of the kind and place that the path names.
pub(super) fn check_identity(served: &Served, target: &Target, object: &mut Value) -> Result<(), Refusal> {
    if !object.is_object() {
        return Err(Refusal::bad_request("the body of the request is not an object"));
    }
    let expected = served.api_version();
    let api_version = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or(&expected);
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or(&served.kind.name);
    if api_version != expected || kind != &*served.kind.name {
        let (group, version) = meta::split_api_version(api_version);
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{version}\" of group \"{group}\" cannot be handled as a {}: the API version in the data \
             ({api_version}) does not match the expected API version ({expected})",
            served.kind.name
        )));
    }
    object["apiVersion"] = expected.into();
    object["kind"] = (*served.kind.name).into();
    check_namespace(served, target, object)
}

fn check_namespace(served: &Served, target: &Target, object: &mut Value) -> Result<(), Refusal> {
    let Some(namespace) = target
        .namespace
        .as_deref()
        .filter(|_| served.kind.is_namespaced())
    else {
        meta::remove(object, "namespace");
        return Ok(());
    };
    match meta::namespace(object) {
        "" => meta::set(object, "namespace", namespace),
        given if given == namespace => {}
        _ => {
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    Ok(())
}

/// Checks that the name in a body is the one in the path, where the path has one.
pub(super) fn check_name(target: &Target, object: &mut Value) -> Result<(), Refusal> {
    let Some(name) = &target.name else { return Ok(()) };
    match meta::name(object) {
        "" => meta::set(object, "name", name.as_str()),
        given if given == name => {}
        given => {
            return Err(Refusal::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
    }
    Ok(())
}

/// Prunes and defaults an object as it was sent; returns warnings about what was dropped.
pub(super) fn shape(served: &Served, options: &Options, object: &mut Value) -> Result<Vec<String>, Refusal> {
    let schema = &served.version().schema;
    if let Some(why) = schema::undecodable(schema, object) {
        let (kind, version) = (&served.kind.name, &served.version().name);
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"
        )));
    }
    let warnings = drop_unknown(served, options, object)?;
    schema::default(schema, object);
    Ok(warnings)
}

/// Prunes and defaults an object as an apply made it.
pub(super) fn shape_applied(
    served: &Served,
    options: &Options,
    object: &mut Value,
) -> Result<Vec<String>, Refusal> {
    let warnings = drop_unknown(served, options, object)?;
    schema::default_applied(&served.version().schema, object);
    Ok(warnings)
}

fn drop_unknown(served: &Served, options: &Options, object: &mut Value) -> Result<Vec<String>, Refusal> {
    let dropped = schema::prune(&served.version().schema, object);
    let unknown: Vec<String> = dropped
        .iter()
        .map(|path| format!("unknown field \"{path}\""))
        .collect();
    match options.field_validation {
        FieldValidation::Strict if !unknown.is_empty() => {
            let message = format!(
                "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
                served.kind.name,
                served.version().name,
                served.kind.name,
                unknown.join(", ")
            );
            Err(Refusal::bad_request(message))
        }
        FieldValidation::Warn => Ok(unknown),
        FieldValidation::Strict | FieldValidation::Ignore => Ok(Vec::new()),
    }
}

/// Refuses an object that breaks rules of its kind; `old` is what it replaces.
pub(super) fn validate(served: &Served, old: Option<&Value>, new: &Value) -> Result<(), Refusal> {
    let kind = &served.kind;
    let schema = &served.version().schema;
    let mut errors: Vec<FieldError> = match old {
        None => schema::validate(schema, new),
        Some(old) => schema::validate_update(schema, old, new),
    };
    errors.extend(rules::size::check_data(kind, new));
    match old {
        None => errors.extend(rules::names::check(kind, meta::name(new))),
        Some(old) => {
            errors.extend(rules::finalizers::check(old, new));
            errors.extend(rules::immutable::check(kind, old, new));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(invalid(served, meta::name(new), &errors))
    }
}

/// The refusal for broken rules.
pub(super) fn invalid(served: &Served, name: &str, errors: &[FieldError]) -> Refusal {
    Refusal::invalid(&served.kind.id.group, &served.kind.name, name, errors)
}

/// Who writes, for managedFields.
pub(super) fn manager(
    served: &Served,
    options: &Options,
    operation: Operation,
    subresource: Option<&str>,
    moment: &Moment,
) -> Manager {
    let ignores = match (served.version().status, subresource) {
        (false, _) => Ignored::Nothing,
        (true, Some("status")) => Ignored::AllButStatus,
        (true, _) => Ignored::Status,
    };
    let name = if options.field_manager.is_empty() {
        &options.user_manager
    } else {
        &options.field_manager
    };
    Manager {
        name: name.clone(),
        operation,
        api_version: served.api_version(),
        subresource: subresource.map(str::to_owned),
        time: moment.now,
        ignores,
    }
}

/// Server-owned metadata that a client may send but never sets.
pub(super) const SERVER_OWNED: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
];

/// A success without an object to show.
pub(super) fn success(served: &Served, name: &str, uid: &str) -> Value {
    let mut details = json!({"name": name, "kind": &*served.kind.id.resource, "uid": uid});
    if !served.kind.id.group.is_empty() {
        details["group"] = (*served.kind.id.group).into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
