//! What goes wrong, as users see it. What operators need to know is logged where it happens.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Failure, json};

/// The word that programs match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Code {
    /// 401: no bearer token, or one that the API server does not know.
    Unauthenticated,
    /// 403: the token's user lacks the right.
    Forbidden,
    /// 400: the body is no JSON, or not what the route takes.
    InvalidJson,
    /// 400: a value in path, query or body is not valid.
    InvalidInput,
    /// 404: there is no such plane.
    PlaneNotFound,
    /// 404: the plane has no such bundle.
    BundleNotFound,
    /// 404: the plane has named no such orphan.
    OrphanNotFound,
    /// 409: what was asked for does not fit what is there now.
    Conflict,
    /// 413: the body is larger than any that we take.
    BodyTooLarge,
    /// 503: something that is needed does not answer now. Try again.
    Unavailable,
    /// 504: it took too long.
    Timeout,
}

/// A refusal or failure with a sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct ApiError {
    code: Code,
    message: String,
}

impl ApiError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl Code {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::InvalidJson | Self::InvalidInput => StatusCode::BAD_REQUEST,
            Self::PlaneNotFound | Self::BundleNotFound | Self::OrphanNotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json(self.code.status(), &Failure::from(&self));
        if self.code == Code::Unauthenticated {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_has_text_and_code_and_no_data() {
        let response = ApiError::new(Code::PlaneNotFound, "There is no plane \"eu\".").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        let expected =
            "{\"success\":false,\"error\":\"There is no plane \\\"eu\\\".\",\"code\":\"PLANE_NOT_FOUND\"}\n";
        assert_eq!(body, expected);
    }

    #[test]
    fn who_is_not_known_is_told_how_to_say_so() {
        let response = ApiError::new(Code::Unauthenticated, "").into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
}
