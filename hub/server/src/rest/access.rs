//! Who may ask what.
//!
//! Every route names the rights that it needs ([`Needs`]); the [`Gate`] stands before it. A caller is whoever the
//! API server says the bearer token belongs to (TokenReview), and may do what the API server says
//! (SubjectAccessReview), so rights on the fleet are ordinary RBAC on `planes` in `outhaul.dev`. Both answers are
//! remembered for seconds, in bounded maps: a token that was withdrawn is refused within [`TOKEN_LIFETIME`].
//!
//! For development the hub may answer without a token, on loopback only: questions, never changes, and only to
//! clients that name the hub by a loopback name, so that no web page can read it under a name of its own.

mod guard;
mod remembered;
mod review;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Method, header, uri::Authority};
use outhaul_protocol_wire::digest::Digest;
use tokio::time::Instant;

pub(super) use guard::{Pass, guarded};
use remembered::Remembered;
use review::{Caller, Question, Reviewer};

use super::error::{ApiError, Code};

/// How long a token is taken for what the API server said it is.
const TOKEN_LIFETIME: Duration = Duration::from_secs(10);

/// How long a right, or its lack, is taken for granted.
const RIGHT_LIFETIME: Duration = Duration::from_secs(5);

/// Tokens remembered. A platform has tens of clients; a stranger who tries tokens can push others out, which costs
/// a review each, not memory.
const TOKENS: usize = 1_024;

/// Answers about rights remembered: a few per token.
const RIGHTS: usize = 4_096;

/// Longer than any token that API servers sign; what is longer is refused unread.
const TOKEN_BYTES: usize = 16 * 1024;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// No token: the answer says nothing about the fleet.
    Nothing,
    /// All of these rights, on `scope`.
    Rights { rights: &'static [Right], scope: Scope },
}

/// A verb on `planes` in `outhaul.dev`, or on a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Right {
    pub(super) verb: &'static str,
    pub(super) subresource: Option<&'static str>,
}

/// Which planes a right must cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All of them.
    Fleet,
    /// The one in the path, as `{plane}`.
    Path,
    /// The one in the query, as `?plane=`, and without it all of them.
    Query,
}

/// How a caller identified itself.
#[derive(Clone)]
enum Credential {
    /// Not at all, and this request may be answered so.
    None,
    Token(String),
}

/// Decides who passes. One for all routes.
pub(super) struct Gate {
    reviewer: Reviewer,
    anonymous: bool,
    // Shared by all requests, held for one look-up or one insertion and never across an await.
    callers: Mutex<Remembered<Digest, Option<Caller>>>,
    verdicts: Mutex<Remembered<(Digest, Question), bool>>,
}

impl Gate {
    /// With `anonymous`, questions need no token: the listener must be on loopback.
    pub(super) fn new(client: kube::Client, anonymous: bool) -> Self {
        Self {
            reviewer: Reviewer::new(client),
            anonymous,
            callers: Mutex::new(Remembered::new(TOKEN_LIFETIME, TOKENS)),
            verdicts: Mutex::new(Remembered::new(RIGHT_LIFETIME, RIGHTS)),
        }
    }

    fn credential(&self, method: &Method, headers: &HeaderMap) -> Result<Credential, ApiError> {
        match headers.get(header::AUTHORIZATION) {
            Some(value) => bearer(value.as_bytes()).map(Credential::Token),
            None if !self.anonymous => Err(unauthenticated(
                "Send a bearer token of the control plane, for example one that `kubectl create token` prints.",
            )),
            None if !is_question(method) => Err(unauthenticated(
                "Without a token this hub answers questions only. Send a bearer token to change something.",
            )),
            None if !names_loopback(headers) => Err(unauthenticated(
                "Without a token this hub answers only when it is called localhost or by a loopback address.",
            )),
            None => Ok(Credential::None),
        }
    }

    async fn admit(&self, credential: &Credential, questions: &[Question]) -> Result<(), ApiError> {
        let Credential::Token(token) = credential else {
            return Ok(());
        };
        let digest = Digest::of(token.as_bytes());
        let caller = self.caller(digest, token).await?;
        for question in questions {
            if !self.may(digest, &caller, question).await? {
                return Err(forbidden(&caller, question));
            }
        }
        Ok(())
    }

    async fn caller(&self, digest: Digest, token: &str) -> Result<Caller, ApiError> {
        let remembered = lock(&self.callers).get(&digest, Instant::now());
        let caller = match remembered {
            Some(caller) => caller,
            None => {
                let caller = self.reviewer.whose(token).await?;
                lock(&self.callers).insert(digest, caller.clone(), Instant::now());
                caller
            }
        };
        caller.ok_or_else(|| {
            unauthenticated("The control plane does not know this token: it may have expired. Get a new one.")
        })
    }

    async fn may(&self, digest: Digest, caller: &Caller, question: &Question) -> Result<bool, ApiError> {
        let key = (digest, question.clone());
        if let Some(allowed) = lock(&self.verdicts).get(&key, Instant::now()) {
            return Ok(allowed);
        }
        let allowed = self.reviewer.may(caller, question).await?;
        lock(&self.verdicts).insert(key, allowed, Instant::now());
        Ok(allowed)
    }
}

/// A panic while it was held leaves a map of answers that are each still true.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bearer(value: &[u8]) -> Result<String, ApiError> {
    let malformed = || unauthenticated("The Authorization header must read `Bearer`, a space and the token.");
    let text = std::str::from_utf8(value).map_err(|_not_text| malformed())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
    let token = token.trim();
    let fits = !token.is_empty() && token.len() <= TOKEN_BYTES;
    (scheme.eq_ignore_ascii_case("bearer") && fits)
        .then(|| token.to_owned())
        .ok_or_else(malformed)
}

fn is_question(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let authority = headers
        .get(header::HOST)
        .and_then(|host| Authority::try_from(host.as_bytes()).ok());
    authority.is_some_and(|authority| {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    })
}

fn unauthenticated(message: &str) -> ApiError {
    ApiError::new(Code::Unauthenticated, message)
}

fn forbidden(caller: &Caller, question: &Question) -> ApiError {
    ApiError::new(
        Code::Forbidden,
        format!(
            "{} may not {question}. Ask for a role with this right.",
            caller.name()
        ),
    )
}
