//! A request, parsed once at the edge: the verbs below see targets and options, never paths and query strings.

mod accept;
mod body;
mod json;
mod log_options;
mod options;
mod path;
mod protobuf;

pub use accept::Form;
pub(crate) use body::whole_numbers;
pub use body::{PatchKind, Unreadable};
pub use log_options::{LogOptions, LogParameters};
pub use options::{
    Continue, DeleteOptions, FieldValidation, Options, Preconditions, Propagation, VersionMatch,
};
pub use path::{Path, Target, percent_decode};

use serde_json::Value;

use crate::refusal::Refusal;

/// What the largest request may weigh: the real server's limit.
pub const MAX_REQUEST_BYTES: usize = 3 * 1024 * 1024;

/// A request as HTTP has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawRequest<'a> {
    /// The HTTP method, in capitals.
    pub method: &'a str,
    /// The path, not decoded.
    pub path: &'a str,
    /// The query, without the question mark.
    pub query: &'a str,
    /// The `Accept` header.
    pub accept: &'a str,
    /// The `Content-Type` header.
    pub content_type: &'a str,
    /// The `User-Agent` header: the field manager of who names none.
    pub user_agent: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// What is asked of a resource, in the words of RBAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// One object.
    Get,
    /// All that match.
    List,
    /// What changes.
    Watch,
    /// A new object.
    Create,
    /// The whole object, replaced.
    Update,
    /// A part of it, changed.
    Patch,
    /// One object, removed.
    Delete,
    /// All that match, removed.
    DeleteCollection,
}

impl Verb {
    /// The verb as rules and messages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// A parsed request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked.
    pub verb: Verb,
    /// Of what.
    pub path: Path,
    /// How.
    pub options: Options,
    /// In which form the answer is wanted.
    pub form: Form,
    /// The kind of patch that the body is.
    pub patch: Option<PatchKind>,
    /// The body; null when there was none.
    pub body: Value,
}

impl Request {
    /// What is asked of what, of a request that [`Request::parse`] refuses: who may not ask is not told why. Nothing where
    /// no resource has such a method.
    pub fn outline(raw: &RawRequest<'_>) -> Option<Self> {
        let path = Path::parse(raw.path);
        let mut options = Options {
            watch: options::asks_to_watch(raw.query),
            ..Options::default()
        };
        let verb = verb(raw.method, &path, &mut options).ok()?;
        Some(Self {
            verb,
            path,
            options,
            form: Form::parse(raw.accept),
            patch: None,
            body: Value::Null,
        })
    }

    /// Parses a request.
    ///
    /// # Errors
    /// When the method, the query or the size is not acceptable.
    pub fn parse(raw: &RawRequest<'_>) -> Result<Self, Refusal> {
        if raw.body.len() > MAX_REQUEST_BYTES {
            return Err(Refusal::too_large(format!(
                "Request entity too large: limit is {MAX_REQUEST_BYTES}"
            )));
        }
        let path = Path::parse(raw.path);
        let mut options = Options::parse(raw.method, raw.query)?;
        let verb = verb(raw.method, &path, &mut options)?;
        if options.field_manager.is_empty() && verb != Verb::Patch {
            options.field_manager = default_manager(raw.user_agent);
        }
        options.user_manager = default_manager(raw.user_agent);
        let body = body::read(verb, raw.content_type, raw.body)?;
        if let Some(kind) = body.patch {
            options.check_patch(kind)?;
        }
        options.duplicates = body.duplicates;
        options.unreadable = body.unreadable;
        Ok(Self {
            verb,
            path,
            options,
            form: Form::parse(raw.accept),
            patch: body.patch,
            body: body.value,
        })
    }
}

fn verb(method: &str, path: &Path, options: &mut Options) -> Result<Verb, Refusal> {
    let (named, watch_path) = match path {
        Path::Resource(target) => (target.name.is_some(), target.watch),
        Path::Other(_) => (true, false),
    };
    options.watch |= watch_path;
    Ok(match method {
        "GET" if options.watch && (watch_path || !named) => Verb::Watch,
        "GET" if named => Verb::Get,
        "GET" => Verb::List,
        "POST" => Verb::Create,
        "PUT" => Verb::Update,
        "PATCH" => Verb::Patch,
        "DELETE" if named => Verb::Delete,
        "DELETE" => Verb::DeleteCollection,
        _ => {
            return Err(Refusal::new(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ));
        }
    })
}

/// Up to the first slash of the user agent: `kubectl` of `kubectl/v1.37.2 (linux/amd64)`.
fn default_manager(user_agent: &str) -> String {
    let prefix = user_agent.split('/').next().unwrap_or_default();
    if prefix.is_empty() {
        "unknown".to_owned()
    } else {
        prefix.chars().take(128).collect()
    }
}
