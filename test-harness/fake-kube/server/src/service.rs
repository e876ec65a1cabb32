//! The API as a tower service: the same for a socket and for a client in this process.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT, WARNING};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use outhaul_fake_kube_core::refusal::Refusal;
use outhaul_fake_kube_core::reply::{Outcome, Reply};
use outhaul_fake_kube_core::request::{self, MAX_REQUEST_BYTES, RawRequest};
use tower::Service;

use crate::body::{self, ResponseBody};
use crate::engine::{Engine, Impersonation, Who};
use crate::watching;

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

    async fn answer<B>(self, request: Request<B>) -> Response<ResponseBody>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, incoming) = request.into_parts();
        let bytes = match Limited::new(incoming, MAX_REQUEST_BYTES).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) => return reply(unreadable(error.as_ref()).into()),
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
        match self.dispatch(&raw, &parts.headers).await {
            Ok(Outcome::Reply(answer)) => reply(answer),
            Ok(Outcome::Watch(watch)) => stream(body::streamed(watching::stream(self.engine, *watch))),
            Err(refusal) => reply(refusal.into()),
        }
    }

    async fn dispatch(&self, raw: &RawRequest<'_>, headers: &HeaderMap) -> Result<Outcome, Refusal> {
        let request = request::Request::parse(raw)?;
        let delay = self.engine.fault(&request)?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let who = match headers.get(AUTHORIZATION) {
            Some(value) => bearer(value)?,
            None => self.default_user.clone(),
        };
        Ok(self.engine.handle(&request, &who, &impersonation(headers)))
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
        Box::pin(async move { Ok(this.answer(request).await) })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn bearer(value: &HeaderValue) -> Result<Who, Refusal> {
    let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    token
        .map(|token| Who::Bearer(token.to_owned()))
        .ok_or_else(Refusal::unauthorized)
}

fn impersonation(headers: &HeaderMap) -> Impersonation<'_> {
    let user = headers
        .get("impersonate-user")
        .and_then(|value| value.to_str().ok());
    let groups = headers
        .get_all("impersonate-group")
        .iter()
        .filter_map(|value| value.to_str().ok());
    Impersonation {
        user,
        groups: groups.collect(),
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
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
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
