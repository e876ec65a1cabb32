//! What the routes answer.

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::json;

use super::api_server::ADMIN;
use super::{Access, Hub, body_json, body_text, request, samples};
use crate::readiness::Check;
use outhaul_hub_core::view::{BlockerView, BundleState};

#[tokio::test]
async fn planes_are_listed_in_the_envelope() {
    let hub = Hub::start(Access::Tokens);
    let (status, body) = hub.get_json("/api/v1/planes").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["success"], true);
    let list = &body["data"];
    assert_eq!(
        (&list["totalCount"], &list["page"], &list["pageSize"]),
        (&json!(2), &json!(1), &json!(2))
    );
    assert_eq!(
        list["items"][0],
        serde_json::to_value(samples::plane("eu")).unwrap()
    );
}

#[tokio::test]
async fn what_is_stuck_is_explained_on_a_plane_and_of_one_resource() {
    let hub = Hub::start(Access::Tokens);
    let mut cart = samples::bundle("eu", "cart");
    cart.state = BundleState::Progressing;
    cart.objects[0].health = "Degraded".to_owned();
    hub.fleet.put_bundle(cart);
    for path in [
        "/api/v1/planes/eu/explanations",
        "/api/v1/explanations/release/shop/cart",
    ] {
        let (status, body) = hub.get_json(path).await;
        let explained = &body["data"]["items"];
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(explained.as_array().unwrap().len(), 1, "{path} {explained}");
        assert_eq!(
            (&explained[0]["reason"], &explained[0]["object"]["name"]),
            (&json!("Degraded"), &json!("web"))
        );
        assert!(
            explained[0]["remedies"][0]["command"]
                .as_str()
                .unwrap()
                .starts_with("kubectl get")
        );
    }
    let (_, body) = hub.get_json("/api/v1/planes/us/explanations").await;
    assert_eq!(body["data"]["totalCount"], 0);
    let (_, body) = hub.get_json("/api/v1/explanations/release/shop/none").await;
    assert_eq!(body["code"], "BUNDLE_NOT_FOUND");
}

#[tokio::test]
async fn a_plane_a_bundle_and_what_is_not_there() {
    let hub = Hub::start(Access::Tokens);
    let (status, body) = hub.get_json("/api/v1/planes/eu").await;
    assert_eq!(
        (status, &body["data"]["connection"]["term"]["dial"]),
        (StatusCode::OK, &json!(14))
    );
    let (status, body) = hub.get_json("/api/v1/planes/eu/bundles").await;
    assert_eq!((status, &body["data"]["totalCount"]), (StatusCode::OK, &json!(2)));
    let (status, body) = hub.get_json("/api/v1/planes/eu/bundles/release/shop/cart").await;
    assert_eq!(
        (status, &body["data"]["objects"][0]["health"]),
        (StatusCode::OK, &json!("Healthy"))
    );
    let missing = [
        ("/api/v1/planes/asia", "PLANE_NOT_FOUND"),
        ("/api/v1/planes/a%2Fb", "PLANE_NOT_FOUND"),
        ("/api/v1/planes/asia/bundles", "PLANE_NOT_FOUND"),
        ("/api/v1/planes/asia/bundles/release/shop/cart", "PLANE_NOT_FOUND"),
        ("/api/v1/planes/eu/bundles/release/shop/none", "BUNDLE_NOT_FOUND"),
        ("/api/v1/planes/us/bundles/release/shop/cart", "BUNDLE_NOT_FOUND"),
    ];
    for (path, code) in missing {
        let (status, body) = hub.get_json(path).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::NOT_FOUND, &json!(code)),
            "{path}"
        );
        assert_eq!((&body["success"], body.get("data")), (&json!(false), None));
    }
    let (status, body) = hub.get_json("/api/v1/planes/eu/bundles/pod/shop/cart").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::BAD_REQUEST, &json!("INVALID_INPUT"))
    );
}

#[tokio::test]
async fn what_waits_names_its_blocker() {
    let hub = Hub::start(Access::Tokens);
    let mut plane = samples::plane("eu");
    plane.connection = None;
    hub.fleet.put_plane(plane);
    let mut bundle = samples::bundle("eu", "cart");
    bundle.state = BundleState::Queued;
    hub.fleet.put_bundle(bundle);
    let (_, body) = hub.get_json("/api/v1/planes/eu/bundles").await;
    assert_eq!(body["data"]["items"][0]["blocker"]["reason"], "PlaneDisconnected");
}

#[tokio::test]
async fn ready_says_what_is_missing() {
    let hub = Hub::start(Access::Tokens);
    let ready = hub.send(request(Method::GET, "/ready", None)).await;
    assert_eq!(
        (ready.status(), body_text(ready).await.as_str()),
        (StatusCode::OK, "Ready")
    );

    let hub = Hub::start(Access::Tokens);
    hub.fleet.lose(Check::Gateway, "port 7443 is taken");
    hub.api_server.go_away();
    let unready = hub.send(request(Method::GET, "/ready", None)).await;
    assert_eq!(unready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body_text(unready).await,
        "API server: does not answer\ngateway: port 7443 is taken\n"
    );
}

#[tokio::test]
async fn health_is_always_ok() {
    let hub = Hub::start(Access::Tokens);
    hub.api_server.go_away();
    let health = hub.send(request(Method::GET, "/health", None)).await;
    assert_eq!(
        health.headers()[header::CONTENT_TYPE],
        "text/plain; charset=utf-8"
    );
    assert_eq!(
        (health.status(), body_text(health).await.as_str()),
        (StatusCode::OK, "OK")
    );
}

#[tokio::test]
async fn other_paths_and_methods_are_answered_as_clients_of_openchoreo_expect() {
    let hub = Hub::start(Access::Tokens);
    let cases = [
        (
            Method::GET,
            "/nowhere",
            StatusCode::NOT_FOUND,
            "404 page not found\n",
        ),
        (
            Method::GET,
            "/api/v1/planes/",
            StatusCode::NOT_FOUND,
            "404 page not found\n",
        ),
        (
            Method::DELETE,
            "/api/v1/planes",
            StatusCode::METHOD_NOT_ALLOWED,
            "Method Not Allowed\n",
        ),
        (
            Method::OPTIONS,
            "/health",
            StatusCode::METHOD_NOT_ALLOWED,
            "Method Not Allowed\n",
        ),
        (
            Method::GET,
            "/api/v1/planes/eu/tokens",
            StatusCode::METHOD_NOT_ALLOWED,
            "Method Not Allowed\n",
        ),
    ];
    for (method, path, status, text) in cases {
        let response = hub.send(request(method, path, None)).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/plain; charset=utf-8"
        );
        assert_eq!(body_text(response).await, text, "{path}");
    }
    let refused = hub.send(request(Method::PUT, "/health", None)).await;
    assert_eq!(refused.headers()[header::ALLOW], "GET, HEAD");
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let hub = Hub::start(Access::Tokens);
    let head = hub
        .send(request(Method::HEAD, "/api/v1/planes", Some(ADMIN)))
        .await;
    assert_eq!(
        (head.status(), head.headers()[header::CONTENT_TYPE].as_bytes()),
        (StatusCode::OK, &b"application/json"[..])
    );
    assert_eq!(body_text(head).await, "");
    let stranger = hub.send(request(Method::HEAD, "/api/v1/planes", None)).await;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn odd_paths_are_redirected_with_method_and_query() {
    let hub = Hub::start(Access::Tokens);
    let response = hub.get("/api//v1/./planes?x=1").await;
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(response.headers()[header::LOCATION], "/api/v1/planes?x=1");
    let response = hub.get("//evil.example/").await;
    assert_eq!(response.headers()[header::LOCATION], "/evil.example/");
}

#[tokio::test]
async fn bodies_that_are_no_request_for_a_token_are_refused() {
    let hub = Hub::start(Access::Tokens);
    let large = format!("{{\"ttlSeconds\": {}1}}", " ".repeat(70_000));
    let cases = [
        ("", StatusCode::BAD_REQUEST, "INVALID_JSON"),
        ("{", StatusCode::BAD_REQUEST, "INVALID_JSON"),
        ("{\"ttl\": 60}", StatusCode::BAD_REQUEST, "INVALID_JSON"),
        ("{\"ttlSeconds\": -1}", StatusCode::BAD_REQUEST, "INVALID_JSON"),
        (
            "{\"for\": {\"kind\": \"Pod\", \"namespace\": \"a\", \"name\": \"b\"}}",
            StatusCode::BAD_REQUEST,
            "INVALID_JSON",
        ),
        (large.as_str(), StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE"),
    ];
    for (body, status, code) in cases {
        let mut request = request(Method::POST, "/api/v1/planes/eu/tokens", Some(ADMIN));
        *request.body_mut() = Body::from(body.to_owned());
        let response = hub.send(request).await;
        assert_eq!(response.status(), status, "{code}");
        assert_eq!(body_json(response).await["code"], code);
    }
}

#[tokio::test]
async fn what_a_plane_holds_is_confirmed_for_the_generation_that_the_caller_saw() {
    let hub = Hub::start(Access::Tokens);
    let confirm = async |body: serde_json::Value| {
        let path = "/api/v1/planes/eu/bundles/release/shop/cart/confirmations";
        let mut request = request(Method::POST, path, Some(ADMIN));
        *request.body_mut() = Body::from(body.to_string());
        let response = hub.send(request).await;
        (response.status(), body_json(response).await)
    };
    let remove = |generation: u64| json!({"verdict": "remove", "generation": generation});
    let (status, body) = confirm(remove(2)).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("CONFLICT"))
    );
    assert!(
        body["error"].as_str().unwrap().contains("holds nothing"),
        "{body}"
    );

    let mut bundle = samples::bundle("eu", "cart");
    bundle.blocker = Some(BlockerView {
        reason: "OverBudget".to_owned(),
        message: "held".to_owned(),
    });
    hub.fleet.put_bundle(bundle);
    let (status, body) = confirm(remove(1)).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("CONFLICT"))
    );
    assert!(body["error"].as_str().unwrap().contains("generation 2"), "{body}");
    let (status, _) = confirm(json!({"verdict": "keep", "generation": 2})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(hub.api_server.patch(), None);

    let (status, body) = confirm(remove(2)).await;
    assert_eq!(
        (status, &body["data"]["confirmation"]),
        (StatusCode::OK, &json!("remove@2"))
    );
    let annotations = json!({"outhaul.dev/confirm": "remove@2"});
    let patch = json!({"metadata": {"uid": "uid-of-cart", "annotations": annotations}});
    let sent = hub.api_server.patch().unwrap();
    assert_eq!(sent["metadata"], patch["metadata"], "{sent}");
}

#[tokio::test]
async fn a_hub_without_an_address_says_what_it_needs() {
    let hub = Hub::start(Access::Tokens);
    let mut request = request(Method::POST, "/api/v1/planes/eu/tokens", Some(ADMIN));
    *request.body_mut() = Body::from("{}");
    let response = hub.send(request).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let error = body_json(response).await["error"].as_str().unwrap().to_owned();
    assert!(error.contains("--advertise"), "{error}");
}

#[tokio::test]
async fn the_openapi_document_is_served() {
    let hub = Hub::start(Access::Tokens);
    let (status, body) = hub.get_json("/openapi.json").await;
    assert_eq!(
        (status, &body["info"]["title"]),
        (StatusCode::OK, &json!("Outhaul"))
    );
}
