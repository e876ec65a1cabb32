//! REST as its clients see it: the real router, in front of a small fleet and an API server that reviews.

mod access;
mod api_server;
mod events;
mod fleet;
mod listener;
mod questions;
pub(super) mod samples;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::access::Gate;
use super::events::Feed;
use super::probes::ApiServer;
use super::{Access, Rest};
use api_server::{ADMIN, ReviewingServer};
use fleet::SmallFleet;

/// A hub's REST without a socket.
struct Hub {
    router: Router,
    fleet: SmallFleet,
    api_server: ReviewingServer,
    closing: CancellationToken,
    _recording: tokio_util::task::AbortOnDropHandle<()>,
}

impl Hub {
    fn start(access: Access) -> Self {
        let api_server = ReviewingServer::default();
        let fleet = SmallFleet::start(api_server.client());
        let hub = fleet.handle();
        let closing = CancellationToken::new();
        let feed = Arc::new(Feed::new(uuid::Uuid::nil()));
        let changes = hub.subscribe();
        let recorder = Arc::clone(&feed);
        let recording = tokio::spawn(async move { recorder.record(changes).await });
        let gate = Arc::new(Gate::new(hub.client(), access == Access::Anonymous));
        let rest = Rest {
            api_server: Arc::new(ApiServer::new(hub.client())),
            feed,
            closing: closing.clone(),
            hub,
        };
        Self {
            router: super::router(rest, &gate),
            fleet,
            api_server,
            closing,
            _recording: tokio_util::task::AbortOnDropHandle::new(recording),
        }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router
            .clone()
            .oneshot(request)
            .await
            .expect("the router has no errors")
    }

    /// GET as somebody who may do everything.
    async fn get(&self, path: &str) -> Response<Body> {
        self.send(request(Method::GET, path, Some(ADMIN))).await
    }

    async fn get_json(&self, path: &str) -> (StatusCode, Value) {
        let response = self.get(path).await;
        (response.status(), body_json(response).await)
    }
}

fn request(method: Method, path: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "hub.example");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

async fn body_text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1024 * 1024)
        .await
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn body_json(response: Response<Body>) -> Value {
    serde_json::from_str(&body_text(response).await).unwrap()
}
