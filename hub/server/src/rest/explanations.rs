//! Why something is stuck, and what resolves it: on a plane, or of one Release or Bundle wherever it is.

use axum::extract::State;
use outhaul_hub_core::explain::{self, Explanation};
use outhaul_hub_core::view::{Found, PlaneView};
use outhaul_protocol_wire::ids::PlaneName;

use super::Rest;
use super::blockers::{of_plane as blockers_of, with_blockers};
use super::bundles::OneBundle;
use super::envelope::{Failure, List, Success};
use super::error::{ApiError, Code};
use super::extract::{OnePlane, no_such_plane};

/// Everything that is stuck on a plane: the plane itself, what is meant for it, and what it keeps as orphans.
#[utoipa::path(
    get,
    path = "/api/v1/planes/{plane}/explanations",
    operation_id = "explainPlane",
    tag = "fleet",
    params(("plane" = String, Path, description = "Name of the Plane.")),
    responses(
        (status = 200, description = "What is held, blocked, waiting or orphaned, and what resolves it.",
         body = Success<List<Explanation>>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn of_plane(
    State(rest): State<Rest>,
    OnePlane(name): OnePlane,
) -> Result<Success<List<Explanation>>, ApiError> {
    let missing = || no_such_plane(name.as_str());
    let plane = rest.hub.plane(name.clone()).await?.ok_or_else(missing)?;
    let bundles = rest.hub.bundles(name.clone()).await?.ok_or_else(missing)?;
    let orphans = rest.hub.orphans(name.clone()).await?.unwrap_or_default();
    let mut explanations = explain::plane(&plane, &blockers_of(&plane));
    for bundle in bundles {
        explanations.extend(explain::bundle(&with_blockers(bundle, &plane)));
    }
    explanations.extend(orphans.iter().map(|orphan| explain::orphan(&plane, orphan)));
    Ok(Success::new(explanations.into()))
}

/// What is stuck of one Release or Bundle.
#[utoipa::path(
    get,
    path = "/api/v1/explanations/{kind}/{namespace}/{name}",
    operation_id = "explainBundle",
    tag = "fleet",
    params(
        ("kind" = String, Path, description = "Release or Bundle."),
        ("namespace" = String, Path, description = "Its namespace in the control plane."),
        ("name" = String, Path, description = "Its name."),
    ),
    responses(
        (status = 200, description = "What is held, blocked or waiting, and what resolves it.",
         body = Success<List<Explanation>>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn of_bundle(
    State(rest): State<Rest>,
    OneBundle(bundle): OneBundle,
) -> Result<Success<List<Explanation>>, ApiError> {
    let found = rest.hub.find(bundle.clone()).await?;
    let explanations = match found {
        None => {
            return Err(ApiError::new(
                Code::BundleNotFound,
                format!("There is no {bundle}."),
            ));
        }
        Some(Found::Nowhere(blocker, since)) => blocker
            .map(|blocker| explain::nowhere(&bundle, &blocker, since))
            .into_iter()
            .collect(),
        Some(Found::On(view)) => match plane_of(&rest, &view.plane).await? {
            Some(plane) => explain::bundle(&with_blockers(*view, &plane)),
            None => explain::bundle(&view),
        },
    };
    Ok(Success::new(explanations.into()))
}

/// The Plane may be gone while something is still meant for it.
async fn plane_of(rest: &Rest, name: &str) -> Result<Option<PlaneView>, ApiError> {
    match PlaneName::new(name.to_owned()) {
        Ok(name) => Ok(rest.hub.plane(name).await?),
        Err(_no_name) => Ok(None),
    }
}
