//! Who gets in.

use http::{Method, StatusCode, header};

use super::api_server::{ADMIN, GUEST};
use super::{Access, Hub, body_json, request};
use crate::rest::access::Needs;
use crate::rest::routes::{Route, routes};

/// The route's path with something in each parameter.
fn sample_path(route: &Route) -> String {
    let path = route.path.replace("{plane}", "eu").replace("{kind}", "Release");
    path.replace("{namespace}", "shop").replace("{name}", "cart")
}

#[tokio::test]
async fn every_route_but_the_open_ones_needs_a_token_and_rights() {
    let hub = Hub::start(Access::Tokens);
    let mut open = Vec::new();
    for route in routes() {
        let path = sample_path(&route);
        let stranger = hub.send(request(route.method.clone(), &path, None)).await;
        if route.needs == Needs::Nothing {
            assert_eq!(stranger.status(), StatusCode::OK, "{path}");
            open.push(route.path);
            continue;
        }
        assert_eq!(
            stranger.status(),
            StatusCode::UNAUTHORIZED,
            "{} {path}",
            route.method
        );
        assert_eq!(body_json(stranger).await["code"], "UNAUTHENTICATED");
        let forged = hub
            .send(request(route.method.clone(), &path, Some("forged")))
            .await;
        assert_eq!(
            forged.status(),
            StatusCode::UNAUTHORIZED,
            "{} {path}",
            route.method
        );
        let guest = hub.send(request(route.method.clone(), &path, Some(GUEST))).await;
        assert_eq!(guest.status(), StatusCode::FORBIDDEN, "{} {path}", route.method);
        assert_eq!(body_json(guest).await["code"], "FORBIDDEN");
        let admin = hub.send(request(route.method.clone(), &path, Some(ADMIN))).await;
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&admin.status());
        assert!(!refused, "{} {path}", route.method);
    }
    assert_eq!(open, ["/health", "/ready", "/openapi.json"]);
}

#[tokio::test]
async fn without_a_token_anonymous_mode_answers_every_question_and_makes_no_change() {
    let hub = Hub::start(Access::Anonymous);
    for route in routes() {
        let mut request = request(route.method.clone(), &sample_path(&route), None);
        request
            .headers_mut()
            .insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
        let status = hub.send(request).await.status();
        let expected = match route.method {
            Method::GET => StatusCode::OK,
            _ => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(status, expected, "{} {}", route.method, route.path);
    }
    assert_eq!(hub.api_server.reviews(), (0, 0));
}

#[tokio::test]
async fn anonymous_mode_answers_only_under_a_loopback_name() {
    let hub = Hub::start(Access::Anonymous);
    let cases = [
        ("localhost:8080", StatusCode::OK),
        ("[::1]:8080", StatusCode::OK),
        ("127.0.0.2", StatusCode::OK),
        ("rebound.example:8080", StatusCode::UNAUTHORIZED),
        ("localhost.example", StatusCode::UNAUTHORIZED),
    ];
    for (host, expected) in cases {
        let mut request = request(Method::GET, "/api/v1/planes", None);
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        assert_eq!(hub.send(request).await.status(), expected, "{host}");
    }
}

#[tokio::test]
async fn in_anonymous_mode_a_token_counts_as_ever() {
    let hub = Hub::start(Access::Anonymous);
    let guest = hub
        .send(request(Method::GET, "/api/v1/planes", Some(GUEST)))
        .await;
    assert_eq!(guest.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_right_on_one_plane_opens_that_plane_only() {
    let hub = Hub::start(Access::Tokens);
    for right in [
        "get planes eu",
        "get planes/bundles eu",
        "watch planes eu",
        "watch planes/bundles eu",
    ] {
        hub.api_server.grant(right);
    }
    let open = [
        "/api/v1/planes/eu",
        "/api/v1/planes/eu/bundles",
        "/api/v1/events?plane=eu",
    ];
    let closed = [
        "/api/v1/planes",
        "/api/v1/planes?plane=eu",
        "/api/v1/planes/us",
        "/api/v1/planes/us/bundles",
        "/api/v1/planes/none",
        "/api/v1/events",
        "/api/v1/events?plane=us",
    ];
    for (paths, expected) in [(&open[..], StatusCode::OK), (&closed[..], StatusCode::FORBIDDEN)] {
        for path in paths {
            let status = hub.send(request(Method::GET, path, Some(GUEST))).await.status();
            assert_eq!(status, expected, "{path}");
        }
    }
    let twice = hub
        .send(request(
            Method::GET,
            "/api/v1/events?plane=eu&plane=us",
            Some(GUEST),
        ))
        .await;
    assert_eq!(twice.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn events_need_the_right_on_planes_and_on_what_they_run() {
    let hub = Hub::start(Access::Tokens);
    hub.api_server.grant("watch planes");
    let events = hub
        .send(request(Method::GET, "/api/v1/events", Some(GUEST)))
        .await;
    assert_eq!(events.status(), StatusCode::FORBIDDEN);
    let error = body_json(events).await["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("guest may not watch planes/bundles in outhaul.dev"),
        "{error}"
    );
}

#[tokio::test]
async fn reviews_are_remembered_for_seconds() {
    let hub = Hub::start(Access::Tokens);
    for _ in 0..50 {
        assert_eq!(hub.get("/api/v1/planes").await.status(), StatusCode::OK);
    }
    assert_eq!(hub.api_server.reviews(), (1, 1));
    for _ in 0..50 {
        hub.send(request(Method::GET, "/api/v1/planes", Some("forged")))
            .await;
    }
    assert_eq!(hub.api_server.reviews(), (2, 1));
}

#[tokio::test]
async fn while_the_api_server_is_away_nobody_new_gets_in_and_is_told_why() {
    let hub = Hub::start(Access::Tokens);
    hub.api_server.go_away();
    let response = hub.get("/api/v1/planes").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body_json(response).await["code"], "UNAVAILABLE");
}

#[tokio::test]
async fn what_is_no_bearer_token_is_refused_unread() {
    let hub = Hub::start(Access::Tokens);
    let long = format!("Bearer {}", "x".repeat(20_000));
    for value in ["Basic YTpi", "Bearer", "Bearer  ", "token", long.as_str()] {
        let mut request = request(Method::GET, "/api/v1/planes", None);
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, value.parse().unwrap());
        assert_eq!(hub.send(request).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(hub.api_server.reviews(), (0, 0));
}
