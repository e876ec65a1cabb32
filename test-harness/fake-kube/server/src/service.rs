//! The API as a tower service: the same for a socket and for a client in this process.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT, WARNING};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use outhaul_fake_kube_core::access::Wanted;
use outhaul_fake_kube_core::refusal::Refusal;
use outhaul_fake_kube_core::reply::{Outcome, Reply};
use outhaul_fake_kube_core::request::{self, MAX_REQUEST_BYTES, RawRequest};
use tower::Service;

use crate::body::{self, ResponseBody};
use crate::engine::{Engine, Who};
use crate::fault::Then;
use crate::watching;

/// How long a request without an answer is held: longer than any client waits, and not for ever.
const HANG: Duration = Duration::from_secs(600);

/// The API of one cluster. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiService {
    engine: Arc<Engine>,
    /// Who sends requests that carry no credentials of their own.
    default_user: Who,
}

impl ApiService {
    pub(crate) fn new(engine: Arc<Engine>, default_user: Who) -> Self {
        Self { engine, default_user }
    }

    async fn answer<B>(self, request: Request<B>) -> io::Result<Response<ResponseBody>>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, incoming) = request.into_parts();
        let bytes = match Limited::new(incoming, MAX_REQUEST_BYTES).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) => return Ok(reply(unreadable(error.as_ref()).into())),
        };
        let raw = RawRequest {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            accept: text(&parts.headers, &ACCEPT),
            content_type: text(&parts.headers, &CONTENT_TYPE),
            user_agent: text(&parts.headers, &USER_AGENT),
            body: &bytes,
        };
        match request::Request::parse(&raw) {
            Ok(request) => self.decide(&request, &parts.headers).await,
            Err(refusal) => Ok(reply(self.refused(&raw, &parts.headers, refusal).into())),
        }
    }

    /// Why a request that cannot be read is refused: who may not ask is told only that.
    fn refused(&self, raw: &RawRequest<'_>, headers: &HeaderMap, refusal: Refusal) -> Refusal {
        let Some(outline) = request::Request::outline(raw) else {
            return refusal;
        };
        let who = self.who(headers);
        let admitted = self.engine.admit(&outline, &who, &impersonation(headers));
        admitted.err().unwrap_or(refusal)
    }

    fn who(&self, headers: &HeaderMap) -> Who {
        match headers.get(AUTHORIZATION) {
            Some(value) => bearer(value),
            None => self.default_user.clone(),
        }
    }

    /// Serves a request, or does what a fault wants done with it instead.
    async fn decide(
        self,
        request: &request::Request,
        headers: &HeaderMap,
    ) -> io::Result<Response<ResponseBody>> {
        let who = self.who(headers);
        let decision = self.engine.decide(request, &who);
        if !decision.delay.is_zero() {
            tokio::time::sleep(decision.delay).await;
        }
        let lag = match decision.then {
            Then::Refuse(refusal) => return Ok(reply(refusal.into())),
            Then::Hang => return Err(self.hang().await),
            Then::ServeStale(lag) => lag,
            Then::Serve | Then::LoseAnswer => 0,
        };
        let outcome = self.engine.handle(request, &who, &impersonation(headers), lag);
        if matches!(decision.then, Then::LoseAnswer) {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "injected fault"));
        }
        if !decision.late.is_zero() {
            tokio::time::sleep(decision.late).await;
        }
        Ok(match outcome {
            Outcome::Reply(answer) => reply(answer),
            Outcome::Watch(watch) => stream(body::streamed(watching::stream(
                self.engine,
                *watch,
                decision.watch,
            ))),
        })
    }

    /// Lets a client wait until it gives up, which drops this; or until the API goes away.
    async fn hang(&self) -> io::Error {
        let mut reachable = self.engine.reachable();
        let away = reachable.wait_for(|reachable| !reachable);
        // Whether it went away or was too long makes no difference to who waits.
        drop(tokio::time::timeout(HANG, away).await);
        io::Error::new(io::ErrorKind::TimedOut, "injected fault: no answer")
    }
}

impl<B> Service<Request<B>> for ApiService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let this = self.clone();
        if !*this.engine.reachable().borrow() {
            let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "the API server is away");
            return Box::pin(std::future::ready(Err(refused)));
        }
        Box::pin(this.answer(request))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Whose token it is. What is no token is nobody's.
fn bearer(value: &HeaderValue) -> Who {
    let mut words = value.to_str().unwrap_or_default().trim().splitn(3, ' ');
    match (words.next(), words.next()) {
        (Some(scheme), Some(token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            Who::Bearer(token.to_owned())
        }
        _ => Who::Anonymous,
    }
}

fn impersonation(headers: &HeaderMap) -> Wanted<'_> {
    let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (header, value) in headers {
        if let Some(key) = header.as_str().strip_prefix("impersonate-extra-") {
            let value = value.to_str().unwrap_or_default();
            extra
                .entry(request::percent_decode(key))
                .or_default()
                .push(value.to_owned());
        }
    }
    let groups = headers.get_all("impersonate-group").iter();
    Wanted {
        name: text(headers, &HeaderName::from_static("impersonate-user")),
        uid: text(headers, &HeaderName::from_static("impersonate-uid")),
        groups: groups.filter_map(|value| value.to_str().ok()).collect(),
        extra,
    }
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> Refusal {
    if error.is::<http_body_util::LengthLimitError>() {
        return Refusal::too_large(format!("Request entity too large: limit is {MAX_REQUEST_BYTES}"));
    }
    Refusal::bad_request(format!("error reading the request body: {error}"))
}

fn reply(answer: Reply) -> Response<ResponseBody> {
    let content_type = answer.content_type();
    let mut response = Response::new(body::whole(answer.body.encode()));
    // Codes come from our own constructors, all of them valid.
    *response.status_mut() = http::StatusCode::from_u16(answer.code).unwrap_or_default();
    let headers = response.headers_mut();
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    for warning in &answer.warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            headers.append(WARNING, value);
        }
    }
    response
}

fn stream(body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
