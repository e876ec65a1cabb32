//! What is meant for a plane: every resource with its objects, how far each is, and what holds it.

use axum::extract::{FromRequestParts, RawPathParams, State};
use http::request::Parts;
use outhaul_hub_core::view::{BundleName, BundleView, KindName, PlaneView};
use outhaul_protocol_wire::ids::PlaneName;

use super::Rest;
use super::blockers::with_blockers;
use super::envelope::{Failure, List, Success};
use super::error::{ApiError, Code};
use super::extract::{OnePlane, no_such_plane};

/// Everything meant for a plane, by kind, namespace and name.
#[utoipa::path(
    get,
    path = "/api/v1/planes/{plane}/bundles",
    operation_id = "listBundles",
    tag = "fleet",
    params(("plane" = String, Path, description = "Name of the Plane.")),
    responses(
        (status = 200, description = "Every Release and Bundle with the state of its objects.",
         body = Success<List<BundleView>>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn list(
    State(rest): State<Rest>,
    OnePlane(name): OnePlane,
) -> Result<Success<List<BundleView>>, ApiError> {
    let plane = existing(&rest, &name).await?;
    let bundles = rest.hub.bundles(name.clone()).await?;
    let bundles = bundles.ok_or_else(|| no_such_plane(name.as_str()))?;
    let bundles: Vec<_> = bundles
        .into_iter()
        .map(|bundle| with_blockers(bundle, &plane))
        .collect();
    Ok(Success::new(bundles.into()))
}

/// One Release or Bundle on a plane.
#[utoipa::path(
    get,
    path = "/api/v1/planes/{plane}/bundles/{kind}/{namespace}/{name}",
    operation_id = "getBundle",
    tag = "fleet",
    params(
        ("plane" = String, Path, description = "Name of the Plane."),
        ("kind" = String, Path, description = "Release or Bundle."),
        ("namespace" = String, Path, description = "Its namespace in the control plane."),
        ("name" = String, Path, description = "Its name."),
    ),
    responses(
        (status = 200, description = "The resource with the state of its objects.", body = Success<BundleView>),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn one(
    State(rest): State<Rest>,
    OnePlane(plane): OnePlane,
    OneBundle(bundle): OneBundle,
) -> Result<Success<BundleView>, ApiError> {
    let on = existing(&rest, &plane).await?;
    let view = rest.hub.bundle(plane, bundle.clone()).await?;
    let view = view.ok_or_else(|| no_such_bundle(&bundle, &on))?;
    Ok(Success::new(with_blockers(view, &on)))
}

async fn existing(rest: &Rest, plane: &PlaneName) -> Result<PlaneView, ApiError> {
    let view = rest.hub.plane(plane.clone()).await?;
    view.ok_or_else(|| no_such_plane(plane.as_str()))
}

/// `{kind}/{namespace}/{name}` of the path.
pub(super) struct OneBundle(pub(super) BundleName);

impl<S: Send + Sync> FromRequestParts<S> for OneBundle {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_not_text| invalid_path())?;
        let part = |key: &str| {
            let found = params.iter().find(|(name, _)| *name == key);
            found
                .map(|(_, value)| value.to_owned())
                .expect("the route has this parameter in its path")
        };
        Ok(Self(BundleName {
            kind: kind(&part("kind"))?,
            namespace: part("namespace"),
            name: part("name"),
        }))
    }
}

fn kind(text: &str) -> Result<KindName, ApiError> {
    match text.to_ascii_lowercase().as_str() {
        "release" | "releases" => Ok(KindName::Release),
        "bundle" | "bundles" => Ok(KindName::Bundle),
        _ => Err(ApiError::new(
            Code::InvalidInput,
            "The kind is Release or Bundle.",
        )),
    }
}

fn invalid_path() -> ApiError {
    ApiError::new(Code::InvalidInput, "The path is not text.")
}

fn no_such_bundle(bundle: &BundleName, plane: &PlaneView) -> ApiError {
    let message = format!("Plane {:?} has no {bundle}.", plane.name);
    ApiError::new(Code::BundleNotFound, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_understood_as_people_write_them() {
        for text in ["Release", "release", "releases"] {
            assert_eq!(kind(text).unwrap(), KindName::Release);
        }
        assert_eq!(kind("Bundle").unwrap(), KindName::Bundle);
        assert_eq!(kind("Pod").unwrap_err().code(), Code::InvalidInput);
    }
}
