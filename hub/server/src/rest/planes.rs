//! Planes: all, and one.

use axum::extract::State;
use outhaul_hub_core::view::PlaneView;

use super::Rest;
use super::envelope::{Failure, List, Success};
use super::error::{ApiError, Code};
use super::extract::{OnePlane, no_such_plane};
use crate::handle::HubStopped;

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

impl From<HubStopped> for ApiError {
    fn from(_: HubStopped) -> Self {
        Self::new(
            Code::Unavailable,
            "The hub is shutting down. Try again in a moment.",
        )
    }
}
