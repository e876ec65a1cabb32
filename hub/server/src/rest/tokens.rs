//! Enrolment tokens: the one thing that this part of REST creates.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use outhaul_hub_resources::AdmittedKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Rest;
use super::envelope::{Failure, Success, json};
use super::error::{ApiError, Code};
use super::extract::{JsonBody, OnePlane};
use crate::tokens::{AdmitRequest, TokenError, TokenRequest};

/// What the token is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewToken {
    /// The resource that may use the plane, admitted with this if it is not yet.
    #[serde(default)]
    r#for: Option<PlaneUser>,
    /// For how many seconds the token can be redeemed.
    #[serde(default)]
    ttl_seconds: Option<u64>,
}

/// A DataPlane or BuildPlane.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlaneUser {
    /// DataPlane or BuildPlane.
    #[schema(value_type = String, example = "DataPlane")]
    kind: AdmittedKind,
    /// Its namespace in the control plane.
    namespace: String,
    /// Its name.
    name: String,
}

/// A token for one agent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    /// The plane whose agent may enrol with it.
    plane: String,
    /// The token. It is shown this once: the hub keeps its hash only.
    token: String,
    /// Until when it can be redeemed, RFC 3339.
    expires: String,
}

/// Makes a one-time token with which an agent enrols, and the Plane where there is none.
#[utoipa::path(
    post,
    path = "/api/v1/planes/{plane}/tokens",
    operation_id = "createToken",
    tag = "fleet",
    params(("plane" = String, Path, description = "Name of the Plane.")),
    request_body = NewToken,
    responses(
        (status = 201, description = "The token, this once.", body = Success<Token>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn create(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
    JsonBody(new): JsonBody<NewToken>,
) -> Result<Response, ApiError> {
    let request = TokenRequest {
        plane,
        admits: new.r#for.map(|user| AdmitRequest {
            kind: user.kind,
            namespace: user.namespace,
            name: user.name,
        }),
        ttl: new.ttl_seconds.map(Duration::from_secs),
    };
    let issued = rest.hub.create_token(request).await.map_err(refusal)?;
    let token = Token {
        plane: issued.plane.to_string(),
        token: issued.token.to_string(),
        expires: issued.expires.to_string(),
    };
    let mut response = json(StatusCode::CREATED, &Success::new(token));
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

fn refusal(error: TokenError) -> ApiError {
    if error.is_client_fault() {
        return ApiError::new(Code::InvalidInput, format!("No token was made: {error}."));
    }
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "Could not make an enrolment token"
    );
    // Its source, which may quote the API server, is for the log.
    ApiError::new(
        Code::Unavailable,
        format!("No token was made: {error}. The hub's log says more."),
    )
}
