//! An object on its way in: what is checked and completed before any verb looks at it.

use serde_json::{Value, json};

use super::decoding::{self, Sent};
use super::state::{self, Part};
use crate::apply::{Ignored, Manager, Operation};
use crate::effects;
use crate::fieldset::{self, Hollow};
use crate::kind::Served;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{FieldValidation, Options, Request, Target};
use crate::rules;
use crate::schema::{self, FieldError, FieldPath, Problem};

/// Checks that an object is of the place that the path names, and puts it there.
pub(super) fn check_namespace(served: &Served, target: &Target, object: &mut Value) -> Result<(), Refusal> {
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
pub(super) fn check_name(target: &Target, object: &Value) -> Result<(), Refusal> {
    let Some(name) = &target.name else { return Ok(()) };
    match meta::name(object) {
        given if given == name => Ok(()),
        "" => Err(Refusal::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        given => Err(Refusal::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({name})"
        ))),
    }
}

/// An object that is answered and not stored, as it was sent and completed; and warnings about what was dropped.
pub(crate) fn read(served: &Served, request: &Request) -> Result<(Value, Vec<String>), Refusal> {
    let mut object = decoding::decode(served, request)?;
    let warnings = shape(served, &request.options, Sent::Whole, &mut object)?;
    Ok((object, warnings))
}

/// Prunes and defaults an object as it was sent; returns warnings about what was dropped.
pub(super) fn shape(
    served: &Served,
    options: &Options,
    sent: Sent<'_>,
    object: &mut Value,
) -> Result<Vec<String>, Refusal> {
    let schema = &served.version().schema;
    let warnings = drop_unknown(served, options, sent, object)?;
    schema::canonicalize(schema, object);
    effects::fold_string_data(&served.kind, object);
    schema::default(schema, object);
    effects::read_in(&served.kind, object);
    Ok(warnings)
}

/// Prunes and defaults an object as an apply made it; returns warnings, and what of it the real server stores but does
/// not read back.
pub(super) fn shape_applied(
    served: &Served,
    options: &Options,
    object: &mut Value,
) -> Result<(Vec<String>, Unread), Refusal> {
    let schema = &served.version().schema;
    let is_hollow = effects::is_hollow(object);
    let hollow = fieldset::hollow(schema, object);
    // What is not declared at all was refused, and what is dropped of something untyped is not told of.
    let dropped = schema::prune(schema, object);
    let unread = match &served.kind.custom {
        Some(_) if dropped.iter().any(|path| !path.is_in("metadata")) => Unread::Content,
        Some(_) if is_hollow => Unread::Metadata,
        Some(_) => Unread::Nothing,
        None => Unread::of_builtin(served, &hollow),
    };
    let warnings = judge_unknown(served, options, Sent::Whole, object, &[])?;
    schema::canonicalize(schema, object);
    effects::fold_string_data(&served.kind, object);
    schema::default_applied(schema, object);
    effects::read_in(&served.kind, object);
    Ok((warnings, unread))
}

/// What the real server is given and does not read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    Nothing,
    /// Labels or the like that are empty, or null.
    Metadata,
    /// Fields that the schema drops. They count as a change each time.
    Content,
    /// Empty lists and maps, where they count as a change each time.
    Emptiness,
}

impl Unread {
    /// Where the server counts changes by a function to which empty and absent are two things.
    pub(super) fn of_builtin(served: &Served, hollow: &Hollow) -> Self {
        let compared = match &*served.kind.name {
            "NetworkPolicy" => "spec",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => "webhooks",
            _ => return Self::Nothing,
        };
        if hollow.fields.contains(compared) {
            Self::Emptiness
        } else {
            Self::Nothing
        }
    }

    /// What is left of it in what a write may change: custom resources take no metadata through their status.
    pub(super) fn through(self, part: Part) -> Self {
        match (part, self) {
            (Part::Status, Self::Metadata) => Self::Nothing,
            (_, unread) => unread,
        }
    }

    /// Whether it is stored, so that another write stores something else in any case: of an apply to a custom resource.
    pub(super) fn is_stored(self) -> bool {
        matches!(self, Self::Metadata | Self::Content)
    }
}

fn drop_unknown(
    served: &Served,
    options: &Options,
    sent: Sent<'_>,
    object: &mut Value,
) -> Result<Vec<String>, Refusal> {
    let dropped = schema::prune(&served.version().schema, object);
    judge_unknown(served, options, sent, object, &dropped)
}

/// Warns of fields that were dropped, or given twice, or refuses them.
fn judge_unknown(
    served: &Served,
    options: &Options,
    sent: Sent<'_>,
    object: &Value,
    dropped: &[FieldPath],
) -> Result<Vec<String>, Refusal> {
    let duplicates = options
        .duplicates
        .iter()
        .map(|path| format!("duplicate field \"{path}\""));
    let unknown: Vec<String> = duplicates
        .chain(dropped.iter().map(|path| format!("unknown field \"{path}\"")))
        .collect();
    match options.field_validation {
        FieldValidation::Strict if !unknown.is_empty() => {
            let why = format!("strict decoding error: {}", unknown.join(", "));
            Err(sent.refuse(served, object, why))
        }
        FieldValidation::Warn => Ok(unknown),
        FieldValidation::Strict | FieldValidation::Ignore => Ok(Vec::new()),
    }
}

/// Refuses a new object that breaks rules of its kind.
pub(super) fn validate_new(served: &Served, new: &Value) -> Result<(), Refusal> {
    let kind = &served.kind;
    let mut errors: Vec<FieldError> = rules::names::check(kind, meta::name(new)).into_iter().collect();
    errors.extend(rules::metadata::check(kind, new));
    let schema = &served.version().schema;
    errors.extend(schema::validate_shape(schema, new));
    errors.extend(rules::of_kind(served, None, new));
    rules::workloads::look_no_further(kind, new, &mut errors);
    drop(schema::check_rules(schema, None, new, &mut errors));
    accept(served, new, &errors)
}

/// Refuses an object that breaks rules of its kind, or changes of `old` what it may not. Warns of what breaks rules and
/// did so before.
pub(super) fn validate_update(
    served: &Served,
    old: &Value,
    new: &Value,
    part: Part,
    warnings: &mut Vec<String>,
) -> Result<(), Refusal> {
    let kind = &served.kind;
    let schema = &served.version().schema;
    let mut errors = rules::metadata::check_update(kind, old, new);
    if part == Part::Finalizers {
        errors.extend(rules::finalizers::check_namespace(new));
    }
    errors.extend(match part {
        Part::Status if kind.custom.is_some() => schema::validate_status(schema, old, new),
        // What nothing but OpenAPI requires is not asked of a status.
        Part::Status => schema::validate_update(schema, old, new)
            .into_iter()
            .filter(|error| !error.path.is_in("status") || !matches!(error.problem, Problem::Required { .. }))
            .collect(),
        _ => schema::validate_update(schema, old, new),
    });
    errors.extend(rules::of_kind(served, Some(old), new));
    if part == Part::Status {
        errors.extend(rules::phases::check(kind, new));
        errors.extend(rules::statuses::check(kind, old, new));
        errors.extend(rules::job_statuses::check(kind, old, new));
    }
    errors.extend(rules::immutable::check(kind, old, new));
    errors.extend(rules::frozen::check(kind, old, new));
    errors.extend(rules::jobs::check_update(kind, old, new));
    rules::workloads::look_no_further(kind, new, &mut errors);
    let excused = schema::check_rules(schema, Some(old), new, &mut errors);
    warnings.extend(excused.iter().map(ToString::to_string));
    accept(served, new, &errors)
}

fn accept(served: &Served, object: &Value, errors: &[FieldError]) -> Result<(), Refusal> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(invalid(served, meta::name(object), errors))
    }
}

/// A path of this kind that does not have the method of the request.
pub(super) fn no_such_method(served: &Served, verb: &str) -> Refusal {
    match served.kind.custom {
        Some(_) => Refusal::method_not_allowed(&served.kind.id, verb),
        None => Refusal::no_such_method(),
    }
}

/// A subresource that this kind does not have.
pub(super) fn no_such_subresource(served: &Served, name: &str) -> Refusal {
    match served.kind.custom {
        Some(_) => Refusal::not_found(&served.kind.id, name),
        None => Refusal::no_such_path(),
    }
}

/// A write without the resourceVersion that its kind demands. The server names the resource here, not the kind.
pub(super) fn must_name_version(served: &Served, name: &str) -> Refusal {
    let path = FieldPath::root().field("metadata").field("resourceVersion");
    let error = FieldError::invalid(path, 0, "must be specified for an update");
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
        (true, Some("status")) if served.kind.traits.metadata_by_status => {
            Ignored::Spec(state::kept_by_status(served))
        }
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
        // The server forgets the time of a scaling.
        time: (subresource != Some("scale")).then_some(moment.now),
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

/// The marks of a deletion: a client that sends others than there are is refused.
pub(super) const DELETION: [&str; 2] = ["deletionTimestamp", "deletionGracePeriodSeconds"];

/// A success without an object to show.
pub(super) fn success(served: &Served, name: &str, uid: &str) -> Value {
    let mut details = json!({"name": name, "kind": &*served.kind.id.resource, "uid": uid});
    if !served.kind.id.group.is_empty() {
        details["group"] = (*served.kind.id.group).into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
