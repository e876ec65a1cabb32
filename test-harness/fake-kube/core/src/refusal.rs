//! Everything the API says no with: one constructor per reason, with the words of the real server.
//!
//! A refusal becomes a `Status` object of kind Failure; clients branch on its code and reason, people read its
//! message, and some programs parse the message, so the texts are kept to the letter.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::kind::GroupResource;
use crate::schema::{FieldError, FieldPath, Problem};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status code.
    pub code: u16,
    /// The machine-readable reason, as in `metav1.StatusReason`.
    pub reason: &'static str,
    /// What people read.
    pub message: String,
    /// What the client is warned of beside.
    pub warnings: Vec<String>,
    /// Seconds after which to try again, for 429.
    pub retry_after: Option<u32>,
    details: Map<String, Value>,
    /// Details are there although there is nothing in them.
    bare_details: bool,
    /// Where a list goes on nevertheless.
    continues: Option<Box<str>>,
}

/// One cause inside the details of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Such as `FieldValueInvalid`.
    pub reason: String,
    /// The message without the field in front.
    pub message: String,
    /// The field's path.
    pub field: String,
}

impl Cause {
    /// A cause for a field whose value is wrong.
    pub fn new(reason: &str, field: &str, message: impl Into<String>) -> Self {
        Self {
            reason: reason.to_owned(),
            message: message.into(),
            field: field.to_owned(),
        }
    }
}

impl Refusal {
    /// The general form; the named constructors below are what to use.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            warnings: Vec::new(),
            retry_after: None,
            details: Map::new(),
            bare_details: false,
            continues: None,
        }
    }

    /// No such object.
    pub fn not_found(resource: &GroupResource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{resource} \"{name}\" not found")).about(resource, name)
    }

    /// No such path: what the real server answers for a resource it does not serve.
    pub fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self {
            bare_details: true,
            ..Self::new(404, "NotFound", message)
        }
    }

    /// An object of that name is there already.
    pub fn already_exists(resource: &GroupResource, name: &str) -> Self {
        Self::new(
            409,
            "AlreadyExists",
            format!("{resource} \"{name}\" already exists"),
        )
        .about(resource, name)
    }

    /// Somebody else was faster, or a precondition failed.
    pub fn conflict(resource: &GroupResource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
        Self::new(409, "Conflict", message).about(resource, name)
    }

    /// The resourceVersion sent is not the newest.
    pub fn stale(resource: &GroupResource, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// Server-side apply met fields that others own.
    pub fn apply_conflict(message: impl Into<String>, causes: Vec<Cause>) -> Self {
        Self::new(409, "Conflict", message).with_causes(causes)
    }

    /// The object breaks rules of its kind.
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        // Of some kinds the server knows the group only, and says so.
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let message = format!(
            "{qualified} \"{name}\" is invalid: {}",
            FieldError::aggregate(errors)
        );
        let causes = errors
            .iter()
            .map(|e| Cause::new(e.reason(), e.field(), e.message()))
            .collect();
        let mut refusal = Self::new(422, "Invalid", message).with_causes(causes);
        refusal
            .detail("name", name)
            .detail("group", group)
            .detail("kind", kind);
        refusal
    }

    /// Allowed to ask, not allowed to do.
    pub fn forbidden(resource: &GroupResource, name: &str, why: &str) -> Self {
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} \"{name}\" is forbidden: {why}")
        };
        Self::new(403, "Forbidden", message).about(resource, name)
    }

    /// New content in a namespace that is going away.
    pub fn namespace_terminating(resource: &GroupResource, name: &str, namespace: &str) -> Self {
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        Self::forbidden(resource, name, &why).with_causes(vec![Cause::new(
            "NamespaceTerminating",
            "metadata.namespace",
            format!("namespace {namespace} is being terminated"),
        )])
    }

    /// Not allowed to ask for a path that is no resource.
    pub fn forbidden_path(message: impl Into<String>) -> Self {
        Self {
            bare_details: true,
            ..Self::new(403, "Forbidden", message)
        }
    }

    /// Nothing that the client accepts can be had.
    pub fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json, application/yaml, \
                       application/vnd.kubernetes.protobuf";
        Self::new(406, "NotAcceptable", message)
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// Nobody we know.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// The resource of a custom kind has no such verb.
    pub fn method_not_allowed(resource: &GroupResource, verb: &str) -> Self {
        let message = format!("{verb} is not supported on resources of kind \"{resource}\"");
        Self::new(405, "MethodNotAllowed", message).about(resource, "")
    }

    /// The path has no such method.
    pub fn no_such_method() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self {
            bare_details: true,
            ..Self::new(405, "MethodNotAllowed", message)
        }
    }

    /// A body in a form that we do not read.
    pub fn unsupported_media_type(accepted: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {accepted}"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// A patch of a kind that the path does not take.
    pub fn unsupported_patch() -> Self {
        Self {
            bare_details: true,
            ..Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
        }
    }

    /// A patch with an operation that does not fit.
    pub fn unfit_patch(message: impl Into<String>) -> Self {
        Self {
            bare_details: true,
            ..Self::new(422, "Invalid", message)
        }
    }

    /// What a patch made of an object cannot be read.
    pub fn unreadable_patched(patched: String, why: String) -> Self {
        let problem = Problem::Invalid {
            value: patched.into(),
            detail: why,
        };
        let path = FieldPath::root().field("patch");
        Self::invalid("", "", "", &[FieldError { path, problem }])
    }

    /// A watch or a continued list starts before what the history still holds.
    pub fn expired(asked: u64, oldest: u64) -> Self {
        Self::new(
            410,
            "Expired",
            format!("too old resource version: {asked} ({oldest})"),
        )
    }

    /// A continued list of which the first part is of a version that is forgotten; the rest may be had as it is now.
    pub fn continued_too_late(rest: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list \
                       without the continue parameter, or use the continue token in this response to retrieve the \
                       remainder of the results. Continuing with the provided token results in an inconsistent list - \
                       objects that were created, modified, or deleted between the time the first chunk was returned and \
                       now may show up in the list.";
        Self {
            continues: Some(rest.into()),
            ..Self::new(410, "Expired", message)
        }
    }

    /// The request is larger than the server reads.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(413, "RequestEntityTooLarge", message)
    }

    /// Slow down.
    pub fn too_many_requests(retry_after: u32) -> Self {
        let mut refusal = Self::new(
            429,
            "TooManyRequests",
            "Too many requests, please try again later.",
        );
        refusal.come_again(retry_after);
        refusal
    }

    /// What is asked for is of a version that is still to come.
    pub fn too_new(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let cause = Cause::new("ResourceVersionTooLarge", "", "Too large resource version");
        let mut refusal = Self::new(504, "Timeout", message).with_causes(vec![cause]);
        refusal.come_again(1);
        refusal
    }

    /// Something that is not the caller's fault.
    pub fn internal(why: impl fmt::Display) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {why}"))
            .with_causes(vec![Cause::new("", "", why.to_string())])
    }

    /// With these warnings.
    #[must_use]
    pub(crate) fn warned(self, warnings: &[String]) -> Self {
        Self {
            warnings: warnings.to_vec(),
            ..self
        }
    }

    /// Names in the details what the refusal is about.
    #[must_use]
    pub fn named(self, resource: &GroupResource, name: &str) -> Self {
        self.about(resource, name)
    }

    /// Adds causes to the details.
    #[must_use]
    pub fn with_causes(mut self, causes: Vec<Cause>) -> Self {
        let causes: Vec<Value> = causes
            .into_iter()
            .map(|cause| {
                let mut value = json!({"message": cause.message});
                if !cause.reason.is_empty() {
                    value["reason"] = cause.reason.into();
                }
                if !cause.field.is_empty() {
                    value["field"] = cause.field.into();
                }
                value
            })
            .collect();
        self.detail("causes", causes);
        self
    }

    /// The `Status` object.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if let Some(rest) = &self.continues {
            status["metadata"]["continue"] = (**rest).into();
        }
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if !self.details.is_empty() || self.bare_details {
            status["details"] = Value::Object(self.details.clone());
        }
        status
    }

    fn come_again(&mut self, seconds: u32) {
        self.retry_after = Some(seconds);
        self.detail("retryAfterSeconds", seconds);
    }

    fn about(mut self, resource: &GroupResource, name: &str) -> Self {
        self.detail("name", name)
            .detail("group", &*resource.group)
            .detail("kind", &*resource.resource);
        self
    }

    fn detail(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        if value != "" {
            self.details.insert(key.to_owned(), value);
        }
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_names_the_qualified_resource() {
        let refusal = Refusal::not_found(&GroupResource::new("apps", "deployments"), "web");
        assert_eq!(refusal.message, "deployments.apps \"web\" not found");
        assert_eq!(
            refusal.status()["details"],
            json!({"name": "web", "group": "apps", "kind": "deployments"})
        );
    }
}
