//! An object on its way in: what is checked and completed before any verb looks at it.

use serde_json::{Value, json};

use crate::apply::{Ignored, Manager, Operation};
use crate::kind::Served;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{FieldValidation, Options, Target};
use crate::rules;
use crate::schema::{self, FieldError, FieldPath, Problem};

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
    if api_version != expected {
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if kind != &*served.kind.name {
        return Err(wrong_kind(served, kind, meta::name(object)));
    }
    object["apiVersion"] = expected.into();
    object["kind"] = (*served.kind.name).into();
    check_namespace(served, target, object)
}

fn wrong_kind(served: &Served, given: &str, name: &str) -> Refusal {
    let expected = &served.kind.name;
    if served.kind.custom.is_some() {
        let problem = Problem::Invalid {
            value: given.into(),
            detail: format!("must be {expected}"),
        };
        let path = FieldPath::root().field("kind");
        return Refusal::invalid(
            &served.kind.id.group,
            given,
            name,
            &[FieldError { path, problem }],
        );
    }
    let version = &served.version().name;
    let package = match served.kind.id.group.split('.').next().unwrap_or_default() {
        "" => "core",
        first => first,
    };
    Refusal::bad_request(format!(
        "{given} in version \"{version}\" cannot be handled as a {expected}: converting ({version}.{given}) to \
         ({package}.{expected}): unknown conversion"
    ))
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
    errors.extend(rules::workloads::check(kind, new));
    errors.extend(rules::size::check_data(kind, new));
    errors.extend(rules::finalizers::check_names(kind, new));
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

/// A write without the resourceVersion that its kind demands. The server names the resource here, not the kind.
pub(super) fn must_name_version(served: &Served, name: &str) -> Refusal {
    let detail = "must be specified for an update".to_owned();
    let path = FieldPath::root().field("metadata").field("resourceVersion");
    let error = FieldError {
        path,
        problem: Problem::Invalid {
            value: Value::from(0),
            detail,
        },
    };
    Refusal::invalid(&served.kind.id.group, &served.kind.id.resource, name, &[error])
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
