//! What a kubelet asks: is the process alive, and can it do its work.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tokio::time::{Instant, timeout};

use super::Rest;

/// A probe must answer before the kubelet's own patience of one second ends.
const PATIENCE: Duration = Duration::from_millis(800);

/// Anyone may ask, so at most one request per second goes on to the API server.
const LIFETIME: Duration = Duration::from_secs(1);

/// Whether the control plane's API server answers.
pub(super) struct ApiServer {
    client: kube::Client,
    // Held to read or write one small value, never across an await.
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

/// The process is alive. Nothing else is looked at.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "getHealth",
    tag = "probes",
    responses((status = 200, description = "OK", content_type = "text/plain", body = String)),
)]
pub(super) async fn health() -> &'static str {
    "OK"
}

/// The hub can do its work: the API server answers, every kind was listed, and agents can connect.
#[utoipa::path(
    get,
    path = "/ready",
    operation_id = "getReady",
    tag = "probes",
    responses(
        (status = 200, description = "Ready", content_type = "text/plain", body = String),
        (status = 503, description = "What is missing, one per line.", content_type = "text/plain", body = String),
    ),
)]
pub(super) async fn ready(State(rest): State<Rest>) -> Response {
    let readiness = rest.hub.ready();
    let mut checks = vec![("API server", rest.api_server.answers().await)];
    checks.extend(
        readiness
            .checks
            .into_iter()
            .map(|(check, state)| (check.as_str(), state)),
    );
    let missing: String = checks
        .into_iter()
        .filter_map(|(check, state)| state.err().map(|why| format!("{check}: {why}\n")))
        .collect();
    if missing.is_empty() {
        return "Ready".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, missing).into_response()
}

impl ApiServer {
    pub(super) fn new(client: kube::Client) -> Self {
        Self {
            client,
            last: Mutex::new(None),
        }
    }

    async fn answers(&self) -> Result<(), String> {
        if let Some(answer) = self.remembered() {
            return answer;
        }
        let answer = match timeout(PATIENCE, self.client.apiserver_version()).await {
            Ok(Ok(_version)) => Ok(()),
            Ok(Err(error)) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "The API server did not answer a probe"
                );
                Err("does not answer".to_owned())
            }
            Err(_late) => Err("does not answer in time".to_owned()),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answer.clone()));
        answer
    }

    fn remembered(&self) -> Option<Result<(), String>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, answer) = last.as_ref()?;
        (since.elapsed() < LIFETIME).then(|| answer.clone())
    }
}
