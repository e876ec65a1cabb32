//! The form of every JSON answer: `{"success":true,"data":…}`, and for errors `{"success":false,"error":…,"code":…}`.
//!
//! It is OpenChoreo's, so that one client reads both: content type exactly `application/json`, a newline at the
//! end, and `<`, `>` and `&` escaped.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Code};

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Success<T> {
    /// Always true.
    success: bool,
    /// The thing itself.
    data: T,
}

/// All items of a list. There is one page, and it has everything.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<T> {
    items: Vec<T>,
    total_count: usize,
    /// Always 1.
    page: usize,
    /// As many as there are.
    page_size: usize,
}

/// Why it was not done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Failure {
    /// Always false.
    success: bool,
    /// For people: what is wrong and what to do.
    error: String,
    /// For programs.
    code: Code,
}

impl<T> Success<T> {
    pub(super) fn new(data: T) -> Self {
        Self { success: true, data }
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        let count = items.len();
        Self {
            items,
            total_count: count,
            page: 1,
            page_size: count,
        }
    }
}

impl From<&ApiError> for Failure {
    fn from(error: &ApiError) -> Self {
        Self {
            success: false,
            error: error.message().to_owned(),
            code: error.code(),
        }
    }
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self)
    }
}

/// An answer with this body in the form that all our JSON has.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = escaped(&serde_json::to_string(body).expect("our answers have string keys only"));
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// In JSON these three occur inside strings only, so they can be escaped wherever they stand.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 1);
    for letter in json.chars() {
        match letter {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            other => text.push(other),
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_say_how_many_and_that_there_is_one_page() {
        let list = serde_json::to_value(Success::new(List::from(vec!["a", "b"]))).unwrap();
        let expected = serde_json::json!({
            "success": true,
            "data": { "items": ["a", "b"], "totalCount": 2, "page": 1, "pageSize": 2 },
        });
        assert_eq!(list, expected);
    }

    #[test]
    fn markup_is_escaped_and_reads_back() {
        let text = escaped(&serde_json::to_string("<b>&</b>").unwrap());
        assert_eq!(text, "\"\\u003cb\\u003e\\u0026\\u003c/b\\u003e\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "<b>&</b>");
    }
}
