//! Planes: all, one, and one that will never return.

use axum::extract::State;
use outhaul_hub_core::view::{BundleName, PlaneView};
use outhaul_protocol_wire::ids::PlaneName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Rest;
use super::envelope::{Failure, List, Success};
use super::error::{ApiError, Code};
use super::extract::{JsonBody, OnePlane, no_such_plane};
use crate::forgetting::ForgetError;
use crate::handle::HubStopped;
use crate::pinning::PinError;

/// All planes, by name.
#[utoipa::path(
    get,
    path = "/api/v1/planes",
    operation_id = "listPlanes",
    tag = "fleet",
    responses(
        (status = 200, description = "Every plane with its connection and queue.", body = Success<List<PlaneView>>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn list(State(rest): State<Rest>) -> Result<Success<List<PlaneView>>, ApiError> {
    Ok(Success::new(rest.hub.planes().await?.into()))
}

/// One plane.
#[utoipa::path(
    get,
    path = "/api/v1/planes/{plane}",
    operation_id = "getPlane",
    tag = "fleet",
    params(("plane" = String, Path, description = "Name of the Plane.")),
    responses(
        (status = 200, description = "The plane with its connection and queue.", body = Success<PlaneView>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn one(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
) -> Result<Success<PlaneView>, ApiError> {
    let view = rest.hub.plane(plane.clone()).await?;
    view.map(Success::new)
        .ok_or_else(|| no_such_plane(plane.as_str()))
}

/// A plane that is forgotten.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Forgotten {
    /// Its name.
    plane: String,
    /// Releases and Bundles that were on it: they wait for it no longer.
    bundles: Vec<BundleName>,
}

/// Says that a plane will never return. Releases and Bundles wait for it no longer, its agent is refused, and nothing is
/// removed there.
#[utoipa::path(
    post,
    path = "/api/v1/planes/{plane}/forget",
    operation_id = "forgetPlane",
    tag = "fleet",
    params(("plane" = String, Path, description = "Name of the plane; its Plane may be gone already.")),
    responses(
        (status = 200, description = "It is forgotten.", body = Success<Forgotten>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn forget(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
) -> Result<Success<Forgotten>, ApiError> {
    // Its resource may not say so yet.
    let view = rest.hub.plane(plane.clone()).await?;
    if view.is_some_and(|view| view.connection.is_some()) {
        return Err(not_forgotten(&plane, &ForgetError::Connected(plane.clone())));
    }
    let bundles = rest.hub.on(plane.clone()).await?;
    rest.hub
        .forget(&plane, !bundles.is_empty())
        .await
        .map_err(|error| not_forgotten(&plane, &error))?;
    Ok(Success::new(Forgotten {
        plane: plane.to_string(),
        bundles,
    }))
}

/// Which control plane is confirmed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ControlPlane {
    /// Its witness, as the plane shows it under `unconfirmed`.
    witness: String,
}

/// Confirms this control plane to a plane that knew another one: from then on the plane lets go and takes over what it
/// says. For control planes that were rebuilt, and Planes that were made again.
#[utoipa::path(
    post,
    path = "/api/v1/planes/{plane}/confirmations",
    operation_id = "confirmControlPlane",
    tag = "fleet",
    params(("plane" = String, Path, description = "Name of the Plane.")),
    request_body = ControlPlane,
    responses(
        (status = 200, description = "It is written down and on its way.", body = Success<ControlPlane>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn confirm(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
    JsonBody(confirmed): JsonBody<ControlPlane>,
) -> Result<Success<ControlPlane>, ApiError> {
    let confirming = rest.hub.confirm_control_plane(plane, &confirmed.witness);
    confirming.await.map_err(not_confirmed)?;
    Ok(Success::new(confirmed))
}

fn not_confirmed(error: PinError) -> ApiError {
    match error {
        PinError::NoPlane(plane) => no_such_plane(plane.as_str()),
        PinError::NotWaiting => ApiError::new(Code::Conflict, format!("Nothing was confirmed: {error}.")),
        PinError::Stopped(stopped) => stopped.into(),
        PinError::Api(_) => {
            let source: &dyn std::error::Error = &error;
            tracing::warn!(error = source, "Could not confirm the control plane to a plane");
            ApiError::new(
                Code::Unavailable,
                format!("Nothing was confirmed: {error}. The hub's log says more."),
            )
        }
    }
}

fn not_forgotten(plane: &PlaneName, error: &ForgetError) -> ApiError {
    match error {
        ForgetError::Unknown(_) => no_such_plane(plane.as_str()),
        ForgetError::Connected(_) => ApiError::new(Code::Conflict, format!("Nothing was changed: {error}.")),
        ForgetError::Api { .. } => {
            let source: &dyn std::error::Error = error;
            tracing::warn!(error = source, %plane, "Could not forget a plane");
            ApiError::new(
                Code::Unavailable,
                format!("The plane is not forgotten: {error}. The hub's log says more."),
            )
        }
    }
}

impl From<HubStopped> for ApiError {
    fn from(_: HubStopped) -> Self {
        Self::new(
            Code::Unavailable,
            "The hub is shutting down. Try again in a moment.",
        )
    }
}
