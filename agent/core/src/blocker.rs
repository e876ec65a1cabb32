//! Why a request failed, in a word that scripts can match and a sentence that says what to do.

use core::time::Duration;

use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::report::{Blocker, BlockerReason};

/// A request that did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The API server said no.
    Refused(Box<Refusal>),
    /// There was no answer.
    Unreachable(String),
    /// The API server did as it was told, or not: its answer cannot be read.
    Unreadable(String),
    /// The API server serves no such kind in this version, or something in between says so.
    KindUnknown(String),
    /// The API server has told what it serves, and no version of its group has such a kind: nothing of it is there.
    KindAbsent(String),
    /// The manifest does not fit the scope of its kind.
    Scope(ScopeError),
    /// The policy of the plane's owner excludes it: nobody was asked.
    Excluded(Box<Blocker>),
}

/// An object whose namespace does not fit its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeError {
    /// It names none and needs one.
    NamespaceMissing,
    /// It names one and cannot be in any.
    NamespaceGiven,
}

/// An error answer of an API server, as its `Status` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// `reason`.
    pub reason: String,
    /// `message`.
    pub message: String,
    /// Reasons in `details.causes`.
    pub causes: Vec<String>,
    /// `details.name`: for "not found", what was not found.
    pub name: String,
    /// `details.kind`, plural and in lower case.
    pub kind: String,
    /// The `Retry-After` header.
    pub retry_after: Option<Duration>,
}

/// What a failure means for whoever sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// The object itself is wrong or not allowed: try again now and then.
    Object,
    /// The namespace has to be made first.
    MakeNamespace,
    /// Nothing is wrong with the object: wait for the API server, then go on.
    Server,
    /// The API server asks for less.
    Overload(Option<Duration>),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Failure {
    /// What to do about it.
    pub fn course(&self) -> Course {
        match self {
            Self::Unreachable(_) => Course::Server,
            Self::Unreadable(_)
            | Self::KindUnknown(_)
            | Self::KindAbsent(_)
            | Self::Scope(_)
            | Self::Excluded(_) => Course::Object,
            Self::Refused(refusal) if refusal.code == 429 => Course::Overload(refusal.retry_after),
            Self::Refused(refusal) if refusal.is_missing_namespace() => Course::MakeNamespace,
            Self::Refused(_) => Course::Object,
        }
    }

    /// Whether the API server says that the object of the request is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == 404)
    }

    /// Whether the API server serves no such kind.
    pub fn is_unserved(&self) -> bool {
        matches!(self, Self::KindUnknown(_) | Self::KindAbsent(_))
    }

    /// Whether the object of the request is not there, for sure: it was not found, there can be none of its kind, or
    /// none in its place. That its kind is not served at the moment proves nothing.
    pub fn proves_absence(&self) -> bool {
        self.is_not_found() || matches!(self, Self::KindAbsent(_) | Self::Scope(_))
    }

    /// Whether a precondition on uid or resource version did not hold.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == 409)
    }

    /// Whether an object of this name is there, to stay.
    pub fn says_it_exists(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.reason == "AlreadyExists" && !refusal.message.contains("being deleted"))
    }

    /// Whether an object of this name is there, and is being deleted.
    pub fn says_it_is_going(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.reason == "AlreadyExists" && refusal.message.contains("being deleted"))
    }

    /// Whether it tells nothing of what is there.
    pub fn tells_nothing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Unreadable(_))
    }

    /// Whether it stays like this until something changes: what is wanted, what is there, or the definition of its kind.
    pub fn is_lasting(&self) -> bool {
        use BlockerReason::{Immutable, Invalid, TooLarge};
        match self {
            Self::Refused(refusal) if refusal.code == 404 => false,
            Self::Refused(refusal) => matches!(refusal.blocker_reason(), Invalid | Immutable | TooLarge),
            Self::Scope(_) => true,
            Self::Unreachable(_)
            | Self::Unreadable(_)
            | Self::KindUnknown(_)
            | Self::KindAbsent(_)
            | Self::Excluded(_) => false,
        }
    }

    /// The blocker that people see.
    pub fn blocker(&self) -> Blocker {
        let (reason, message) = match self {
            Self::Excluded(blocker) => return (**blocker).clone(),
            Self::Refused(refusal) => (refusal.blocker_reason(), refusal.sentence()),
            Self::Unreachable(error) => (
                BlockerReason::ApiUnavailable,
                format!("the cluster's API server does not answer: {error}"),
            ),
            Self::Unreadable(error) => (
                BlockerReason::ApiUnavailable,
                format!("the cluster's API server answers what cannot be read: {error}"),
            ),
            Self::KindUnknown(kind) | Self::KindAbsent(kind) => (
                BlockerReason::KindUnknown,
                format!(
                    "the cluster does not serve {kind}; it is applied as soon as its definition is there"
                ),
            ),
            Self::Scope(ScopeError::NamespaceMissing) => (
                BlockerReason::Invalid,
                "its kind lives in namespaces and metadata.namespace is empty: name one".to_owned(),
            ),
            Self::Scope(ScopeError::NamespaceGiven) => (
                BlockerReason::Invalid,
                "its kind lives in no namespace and metadata.namespace names one: remove it".to_owned(),
            ),
        };
        blocker(reason, message)
    }
}

/// A blocker whose message fits its limit.
pub fn blocker(reason: BlockerReason, message: impl Into<String>) -> Blocker {
    let mut message = message.into();
    if message.len() > limits::MESSAGE_BYTES {
        let ellipsis = '…';
        message.truncate(message.floor_char_boundary(limits::MESSAGE_BYTES - ellipsis.len_utf8()));
        message.push(ellipsis);
    }
    Blocker { reason, message }
}

impl Refusal {
    fn is_missing_namespace(&self) -> bool {
        self.code == 404 && self.kind == "namespaces"
    }

    fn blocker_reason(&self) -> BlockerReason {
        let says = |text: &str| self.message.contains(text);
        let cause = |reason: &str| self.causes.iter().any(|cause| cause == reason);
        match self.code {
            _ if says("denied the request") || says("denied request") => BlockerReason::WebhookRefused,
            _ if says("failed calling webhook") => BlockerReason::WebhookUnavailable,
            _ if says("request is too large") => BlockerReason::TooLarge,
            // A value of the wrong type: API servers answer 500 to that.
            _ if says("failed to create typed patch object") => BlockerReason::Invalid,
            413 => BlockerReason::TooLarge,
            403 if cause("NamespaceTerminating") => BlockerReason::NamespaceTerminating,
            403 if says("exceeded quota") => BlockerReason::QuotaExceeded,
            401 | 403 => BlockerReason::Forbidden,
            409 => BlockerReason::Conflict,
            422 if says("immutable") || says("may not change") || says("fields other than") => {
                BlockerReason::Immutable
            }
            429 | 500..=599 => BlockerReason::ApiUnavailable,
            _ => BlockerReason::Invalid,
        }
    }

    fn sentence(&self) -> String {
        match (self.code, self.message.as_str()) {
            (401, _) => "the API server does not accept the agent's credentials".to_owned(),
            (code, "") => format!("the API server answered {code} {}", self.reason),
            (_, message) => message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, message: &str) -> Failure {
        Failure::from(Refusal {
            code,
            message: message.into(),
            ..Refusal::default()
        })
    }

    #[test]
    fn answers_of_real_api_servers_get_their_names() {
        use BlockerReason as R;
        let cases = [
            (
                403,
                r#"deployments.apps "cart" is forbidden: User "agent" cannot patch resource"#,
                R::Forbidden,
            ),
            (
                403,
                r#"pods "x" is forbidden: exceeded quota: q, requested: pods=1"#,
                R::QuotaExceeded,
            ),
            (
                422,
                r#"Service "x" is invalid: spec.clusterIP: Invalid value: "": field is immutable"#,
                R::Immutable,
            ),
            (
                422,
                r#"StatefulSet.apps "x" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden"#,
                R::Immutable,
            ),
            (
                422,
                r#"Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1"#,
                R::Invalid,
            ),
            (
                400,
                r#"admission webhook "no.example.dev" denied the request: not today"#,
                R::WebhookRefused,
            ),
            (
                500,
                r#"Internal error occurred: failed calling webhook "x": connection refused"#,
                R::WebhookUnavailable,
            ),
            (500, "etcdserver: request is too large", R::TooLarge),
            (413, "Request entity too large: limit is 3145728", R::TooLarge),
            (
                409,
                r#"Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas"#,
                R::Conflict,
            ),
            (
                503,
                "the server is currently unable to handle the request",
                R::ApiUnavailable,
            ),
            (400, "cannot unmarshal string into Go struct field", R::Invalid),
        ];
        for (code, message, reason) in cases {
            assert_eq!(
                refused(code, message).blocker().reason,
                reason,
                "{code} {message}"
            );
        }
    }

    #[test]
    fn only_a_change_helps_where_the_object_itself_is_wrong() {
        let cases = [
            (422, "spec.replicas: Invalid value: -1", true),
            (422, "field is immutable", true),
            (400, "strict decoding error: unknown field", true),
            (500, ".spec.replicas: failed to create typed patch object", true),
            (413, "Request entity too large", true),
            (
                422,
                r#"admission webhook "no.example.dev" denied the request"#,
                false,
            ),
            (403, "exceeded quota: q", false),
            (403, "forbidden", false),
            (404, "not found", false),
            (409, "conflict", false),
            (500, "failed calling webhook", false),
            (503, "unable to handle the request", false),
        ];
        for (code, message, lasting) in cases {
            assert_eq!(refused(code, message).is_lasting(), lasting, "{code} {message}");
        }
        assert!(Failure::Scope(ScopeError::NamespaceGiven).is_lasting());
        assert!(!Failure::Unreachable("away".into()).is_lasting());
    }

    #[test]
    fn a_terminating_namespace_and_a_missing_one_are_told_apart_from_the_object() {
        let terminating = Failure::from(Refusal {
            code: 403,
            causes: vec!["NamespaceTerminating".into()],
            ..Refusal::default()
        });
        assert_eq!(terminating.blocker().reason, BlockerReason::NamespaceTerminating);
        let missing = Failure::from(Refusal {
            code: 404,
            kind: "namespaces".into(),
            name: "shop".into(),
            ..Refusal::default()
        });
        assert_eq!(missing.course(), Course::MakeNamespace);
        assert_eq!(refused(404, "").course(), Course::Object);
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let blocker = blocker(BlockerReason::Invalid, "é".repeat(limits::MESSAGE_BYTES));
        assert!(blocker.message.len() <= limits::MESSAGE_BYTES);
        assert!(blocker.message.ends_with('…'));
    }
}
