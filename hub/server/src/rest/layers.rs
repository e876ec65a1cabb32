//! What happens around every request: its span, its deadline, the size of its body, its path in plain form.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use tracing::{Instrument, debug, info_span};

use super::error::{ApiError, Code};
use super::paths;

/// Our largest body is a request for a token: some hundred bytes.
const BODY_BYTES: usize = 64 * 1024;

/// Until an answer begins, its body read and its rights checked. How long a stream of events then lasts is another
/// matter.
const DEADLINE: Duration = Duration::from_secs(15);

/// What a client may write into our log as its request id.
const REQUEST_ID_BYTES: usize = 128;

pub(super) fn around(router: Router) -> Router {
    // Outside the router proper, so that paths are made plain before they are matched.
    Router::new()
        .fallback_service(router)
        .layer(middleware::map_response(paths::spaced_allow))
        .layer(middleware::from_fn(paths::plain_only))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn(in_span))
}

async fn in_time(request: Request, next: Next) -> Response {
    match timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_late) => {
            ApiError::new(Code::Timeout, "The hub could not answer in time. Try again.").into_response()
        }
    }
}

/// A request's span: its method, path, and the id that the client gave it. Never its query or its headers.
async fn in_span(request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get("x-request-id")
        .and_then(|id| id.to_str().ok());
    let id = id.filter(|id| id.len() <= REQUEST_ID_BYTES).unwrap_or_default();
    let span =
        info_span!("request", method = %request.method(), path = request.uri().path(), request_id = id);
    async move {
        let response = next.run(request).await;
        debug!(status = response.status().as_u16(), "Answered");
        response
    }
    .instrument(span)
    .await
}
