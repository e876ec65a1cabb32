//! What planes hold and the hub does not know: shown, and decided about.

use axum::extract::State;
use outhaul_hub_core::view::{BundleName, KindName, OrphanView};
use outhaul_hub_resources::{OrphanDecision, OrphanKind, OrphanVerdict};
use outhaul_protocol_wire::ids::PlaneName;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Rest;
use super::bundles::OneBundle;
use super::envelope::{Failure, List, Success};
use super::error::{ApiError, Code};
use super::extract::{JsonBody, OnePlane, no_such_plane};
use crate::deciding::DecideError;

/// What becomes of an orphan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Decision {
    /// `Adopt`: what has its name now takes its objects over as they are. `Remove`: they are deleted.
    #[schema(value_type = String, example = "Adopt")]
    decision: OrphanVerdict,
    /// Which one, where the plane has several of this name.
    #[serde(default)]
    uid: Option<String>,
}

/// What a plane holds and the hub does not know: the first 256 by name.
#[utoipa::path(
    get,
    path = "/api/v1/planes/{plane}/orphans",
    operation_id = "listOrphans",
    tag = "fleet",
    params(("plane" = String, Path, description = "Name of the Plane.")),
    responses(
        (status = 200, description = "Each with what may adopt it and what was decided.",
         body = Success<List<OrphanView>>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn list(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
) -> Result<Success<List<OrphanView>>, ApiError> {
    Ok(Success::new(existing(&rest, &plane).await?.into()))
}

/// Decides what becomes of an orphan. The decision is written down in the Plane before the plane hears of it.
#[utoipa::path(
    post,
    path = "/api/v1/planes/{plane}/orphans/{kind}/{namespace}/{name}",
    operation_id = "decideOrphan",
    tag = "fleet",
    params(
        ("plane" = String, Path, description = "Name of the Plane."),
        ("kind" = String, Path, description = "Release or Bundle."),
        ("namespace" = String, Path, description = "The namespace that it had in the control plane."),
        ("name" = String, Path, description = "The name that it had there."),
    ),
    request_body = Decision,
    responses(
        (status = 200, description = "The orphan and what was decided.", body = Success<OrphanView>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn decide(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
    OneBundle(bundle): OneBundle,
    JsonBody(wanted): JsonBody<Decision>,
) -> Result<Success<OrphanView>, ApiError> {
    let orphans = existing(&rest, &plane).await?;
    let mut orphan = the_one(&plane, orphans, &bundle, wanted.uid.as_deref())?;
    if wanted.decision == OrphanVerdict::Adopt && orphan.successor.is_none() {
        return Err(ApiError::new(
            Code::Conflict,
            format!(
                "Nothing that is meant for plane {plane} can adopt it: create {bundle} first, and send it there."
            ),
        ));
    }
    if let Some(elsewhere) = &orphan.elsewhere {
        return Err(ApiError::new(
            Code::Conflict,
            format!(
                "{bundle} itself is meant for plane {elsewhere} now: what it left on plane {plane} stays there."
            ),
        ));
    }
    if orphan.stands {
        return Err(ApiError::new(
            Code::Conflict,
            format!(
                "{bundle} itself is in the control plane: what it left on plane {plane} stays there. Delete {bundle} first, or \
                 send it to plane {plane} again."
            ),
        ));
    }
    let decision = OrphanDecision {
        kind: match bundle.kind {
            KindName::Release => OrphanKind::Release,
            KindName::Bundle => OrphanKind::Bundle,
        },
        namespace: bundle.namespace,
        name: bundle.name,
        uid: orphan.uid.clone(),
        decision: wanted.decision,
    };
    rest.hub
        .decide(&plane, &decision)
        .await
        .map_err(|error| undecided(&plane, &error))?;
    orphan.decision = Some(wanted.decision);
    Ok(Success::new(orphan))
}

async fn existing(rest: &Rest, plane: &PlaneName) -> Result<Vec<OrphanView>, ApiError> {
    let orphans = rest.hub.orphans(plane.clone()).await?;
    orphans.ok_or_else(|| no_such_plane(plane.as_str()))
}

fn the_one(
    plane: &PlaneName,
    orphans: Vec<OrphanView>,
    bundle: &BundleName,
    uid: Option<&str>,
) -> Result<OrphanView, ApiError> {
    let named = |orphan: &OrphanView| orphan.bundle == *bundle && uid.is_none_or(|uid| orphan.uid == uid);
    let mut found: Vec<_> = orphans.into_iter().filter(named).collect();
    match (found.pop(), found.is_empty()) {
        (Some(orphan), true) => Ok(orphan),
        (Some(_), false) => Err(ApiError::new(
            Code::Conflict,
            format!("Plane {plane} keeps several that were {bundle}: name the uid of the one that you mean."),
        )),
        (None, _) => Err(ApiError::new(
            Code::OrphanNotFound,
            format!(
                "Plane {plane} has named no orphan {bundle}. The replica that it is connected to knows them."
            ),
        )),
    }
}

fn undecided(plane: &PlaneName, error: &DecideError) -> ApiError {
    match error {
        DecideError::NoPlane(_) => no_such_plane(plane.as_str()),
        DecideError::Otherwise => ApiError::new(Code::Conflict, format!("Nothing was changed: {error}.")),
        DecideError::Api { .. } => {
            let source: &dyn std::error::Error = error;
            tracing::warn!(error = source, %plane, "Could not write down a decision");
            ApiError::new(
                Code::Unavailable,
                format!("Nothing was decided: {error}. The hub's log says more."),
            )
        }
    }
}
