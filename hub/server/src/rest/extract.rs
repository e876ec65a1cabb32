//! What handlers take from a request, with errors in our form.

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use http::request::Parts;
use outhaul_protocol_wire::ids::PlaneName;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};

/// The `{plane}` of the path. What cannot be a plane's name is a plane that does not exist.
pub(super) struct OnePlane(pub(super) PlaneName);

/// The `?plane=` of the query; given twice it is refused.
pub(super) struct PlaneQuery {
    pub(super) plane: Option<PlaneName>,
}

/// The body, read as JSON whatever its Content-Type says.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync> FromRequestParts<S> for OnePlane {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_not_text| no_such_plane("?"))?;
        let text = params
            .iter()
            .find(|(key, _)| *key == "plane")
            .map(|(_, value)| value);
        let text = text.expect("the route has {plane} in its path");
        let plane = PlaneName::new(text).map_err(|_invalid| no_such_plane(text))?;
        Ok(Self(plane))
    }
}

#[derive(Deserialize)]
struct RawPlaneQuery {
    plane: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PlaneQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = Query::<RawPlaneQuery>::try_from_uri(&parts.uri);
        let Query(query) = query.map_err(|error| ApiError::new(Code::InvalidInput, error.body_text()))?;
        let plane = query.plane.map(PlaneName::new).transpose();
        let plane = plane.map_err(|error| ApiError::new(Code::InvalidInput, format!("The {error}.")))?;
        Ok(Self { plane })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let bytes: Result<Bytes, BytesRejection> = request.extract().await;
        let bytes = bytes.map_err(|error| unreadable(&error))?;
        let value = serde_json::from_slice(&bytes);
        value.map(Self).map_err(|error| {
            ApiError::new(
                Code::InvalidJson,
                format!("The body is not what this route takes: {error}."),
            )
        })
    }
}

/// The answer for a plane that is not there.
pub(super) fn no_such_plane(name: &str) -> ApiError {
    let shown: String = name.chars().take(64).collect();
    ApiError::new(Code::PlaneNotFound, format!("There is no plane {shown:?}."))
}

fn unreadable(error: &BytesRejection) -> ApiError {
    if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::new(Code::BodyTooLarge, "The body is larger than this hub takes.");
    }
    ApiError::new(Code::InvalidInput, "The body could not be read to its end.")
}
