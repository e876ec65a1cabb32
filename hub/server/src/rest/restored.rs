//! After a restore of the control plane: a higher epoch.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Rest;
use super::envelope::{Failure, Success};
use super::error::{ApiError, Code};

/// The epoch that counts from now on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restored {
    /// The larger of the former epoch and one more, and the time in Unix seconds.
    epoch: u64,
}

/// Raises the epoch after the control plane went back to a backup: what it says from now on counts on every plane, also
/// where that holds something newer. Every replica reads everything again before it announces anything.
#[utoipa::path(
    post,
    path = "/api/v1/hub/restored",
    operation_id = "hubRestored",
    tag = "hub",
    responses(
        (status = 200, description = "The epoch was raised.", body = Success<Restored>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn raise(State(rest): State<Rest>) -> Result<Success<Restored>, ApiError> {
    let epoch = rest.hub.restored().await.map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "Could not raise the epoch");
        ApiError::new(
            Code::Unavailable,
            "The epoch was not raised: the hub's Secret could not be read or written. The hub's log says more.",
        )
    })?;
    Ok(Success::new(Restored { epoch: epoch.0 }))
}
