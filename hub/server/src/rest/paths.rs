//! Requests that no route answers, and paths that are not written plainly: as OpenChoreo's server treats them.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};

pub(super) async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "404 page not found\n")
}

pub(super) async fn method_not_allowed() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
}

/// Redirects a path with `//`, `.` or `..` in it to the plain one, and keeps method, body and query.
pub(super) async fn plain_only(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let Some(plain) = plain(uri.path()) else {
        return next.run(request).await;
    };
    let target = match uri.query() {
        Some(query) => format!("{plain}?{query}"),
        None => plain,
    };
    Redirect::temporary(&target).into_response()
}

/// Spells the list of methods as Go does, with a space after each comma.
pub(super) async fn spaced_allow(mut response: Response) -> Response {
    if let Some(allow) = response
        .headers()
        .get(header::ALLOW)
        .and_then(|allow| allow.to_str().ok())
    {
        let methods: Vec<&str> = allow.split(',').map(str::trim).collect();
        let spaced = HeaderValue::from_str(&methods.join(", ")).expect("made of a header value");
        response.headers_mut().insert(header::ALLOW, spaced);
    }
    response
}

/// The path without empty, `.` and `..` segments; `None` where it has none.
fn plain(path: &str) -> Option<String> {
    let inner = path.strip_prefix('/')?;
    let (body, slash) = match inner.strip_suffix('/') {
        Some(body) => (body, "/"),
        None => (inner, ""),
    };
    let odd = |segment: &str| matches!(segment, "" | "." | "..");
    if inner.is_empty() || !body.split('/').any(odd) {
        return None;
    }
    let mut segments = Vec::new();
    for segment in body.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    let slash = if segments.is_empty() { "" } else { slash };
    Some(format!("/{}{slash}", segments.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_are_left_alone() {
        for path in ["/", "/health", "/api/v1/planes/", "/a/.b/c..", "*", ""] {
            assert_eq!(plain(path), None, "{path}");
        }
    }

    #[test]
    fn odd_segments_are_taken_out() {
        let cases = [
            ("//", "/"),
            ("//evil.example/x", "/evil.example/x"),
            ("/api/v1//planes", "/api/v1/planes"),
            ("/api/./v1/planes/", "/api/v1/planes/"),
            ("/api/v1/planes/../../../../etc", "/etc"),
            ("/api/v1/planes//", "/api/v1/planes/"),
            ("/..", "/"),
        ];
        for (path, expected) in cases {
            assert_eq!(plain(path).as_deref(), Some(expected), "{path}");
        }
    }
}
