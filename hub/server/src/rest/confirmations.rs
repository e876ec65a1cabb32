//! Confirmations of what a plane holds.

use axum::extract::State;
use outhaul_protocol_wire::confirmation::Confirmation;
use outhaul_protocol_wire::head::Confirmed;
use outhaul_protocol_wire::ids::Generation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Rest;
use super::bundles::OneBundle;
use super::envelope::{Failure, Success};
use super::error::{ApiError, Code};
use super::extract::{JsonBody, OnePlane};
use crate::confirming::ConfirmError;

/// What is to become of the objects that the plane holds.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// The plane lets them go.
    Remove,
    /// They stay where they are, and the plane forgets them.
    Leave,
}

/// A confirmation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewConfirmation {
    /// What is to become of the objects.
    verdict: Verdict,
    /// The generation whose objects are meant: what was held when the caller looked.
    generation: u64,
}

/// What was written down.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GivenConfirmation {
    /// The annotation `outhaul.dev/confirm` of the resource, as it is now.
    confirmation: String,
}

/// Confirms what a plane holds of a Release or Bundle: that it may go, or that it is to stay.
#[utoipa::path(
    post,
    path = "/api/v1/planes/{plane}/bundles/{kind}/{namespace}/{name}/confirmations",
    operation_id = "confirm",
    tag = "fleet",
    params(
        ("plane" = String, Path, description = "Name of the Plane."),
        ("kind" = String, Path, description = "Release or Bundle."),
        ("namespace" = String, Path, description = "Its namespace in the control plane."),
        ("name" = String, Path, description = "Its name."),
    ),
    request_body = NewConfirmation,
    responses(
        (status = 200, description = "It is written down and on its way.", body = Success<GivenConfirmation>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn create(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
    bundle: OneBundle,
    JsonBody(new): JsonBody<NewConfirmation>,
) -> Result<Success<GivenConfirmation>, ApiError> {
    let confirmation = Confirmation {
        confirmed: match new.verdict {
            Verdict::Remove => Confirmed::Remove,
            Verdict::Leave => Confirmed::Leave,
        },
        generation: Generation(new.generation),
    };
    let OneBundle(bundle) = bundle;
    let confirmed = rest.hub.confirm(plane, bundle, confirmation).await;
    confirmed.map_err(refusal)?;
    Ok(Success::new(GivenConfirmation {
        confirmation: confirmation.to_string(),
    }))
}

fn refusal(error: ConfirmError) -> ApiError {
    let code = match &error {
        ConfirmError::NotThere => Code::BundleNotFound,
        ConfirmError::NothingHeld
        | ConfirmError::NotOurs
        | ConfirmError::ControlPlane(_)
        | ConfirmError::Edited(_) => Code::Conflict,
        ConfirmError::Stopped(_) => Code::Unavailable,
        ConfirmError::Api(source) => {
            tracing::warn!(
                error = source as &dyn std::error::Error,
                "Could not write a confirmation"
            );
            let message = format!("Nothing was confirmed: {error}. The hub's log says more.");
            return ApiError::new(Code::Unavailable, message);
        }
    };
    ApiError::new(code, format!("Nothing was confirmed: {error}."))
}
