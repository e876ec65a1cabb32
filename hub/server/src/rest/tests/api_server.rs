//! An API server that reviews tokens and rights, says its version, and takes patches of Releases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

/// A token whose user may do everything.
pub(super) const ADMIN: &str = "token-of-admin";

/// A token whose user may do nothing until it is granted.
pub(super) const GUEST: &str = "token-of-guest";

const CART: &str = "/apis/openchoreo.dev/v1alpha1/namespaces/shop/releases/cart";

#[derive(Clone, Default)]
pub(super) struct ReviewingServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    away: bool,
    /// Users by token, beside the two above.
    withdrawn: BTreeSet<String>,
    /// Of the guest: "verb resource/subresource name".
    grants: BTreeSet<String>,
    /// Requests by path.
    asked: BTreeMap<String, usize>,
    /// What Releases were changed to, by path.
    patches: BTreeMap<String, Value>,
}

impl ReviewingServer {
    pub(super) fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.answer(request).await }
        });
        kube::Client::new(service, "default")
    }

    pub(super) fn go_away(&self) {
        self.0.lock().unwrap().away = true;
    }

    /// The token is nobody's from now on.
    pub(super) fn withdraw(&self, token: &str) {
        self.0.lock().unwrap().withdrawn.insert(token.to_owned());
    }

    /// `right` is like `get planes/bundles eu`; without a name it covers all.
    pub(super) fn grant(&self, right: &str) {
        self.0.lock().unwrap().grants.insert(right.to_owned());
    }

    /// Reviews of tokens and of rights so far.
    pub(super) fn reviews(&self) -> (usize, usize) {
        let state = self.0.lock().unwrap();
        let count = |path: &str| state.asked.get(path).copied().unwrap_or_default();
        (
            count("/apis/authentication.k8s.io/v1/tokenreviews"),
            count("/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        )
    }

    /// How the Release `shop/cart` was patched.
    pub(super) fn patch(&self) -> Option<Value> {
        self.0.lock().unwrap().patches.get(CART).cloned()
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
        let mut state = self.0.lock().unwrap();
        *state.asked.entry(parts.uri.path().to_owned()).or_default() += 1;
        if state.away {
            return Err(std::io::Error::other("connection refused"));
        }
        let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        let answer = match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/version") => version(),
            (&Method::POST, "/apis/authentication.k8s.io/v1/tokenreviews") => state.whose(sent),
            (&Method::POST, "/apis/authorization.k8s.io/v1/subjectaccessreviews") => state.may(sent),
            // An empty control plane: what routes change is not there.
            (_, path) if path.contains("/secrets/") || path.contains("/planes") => not_found(),
            (&Method::PATCH, CART) => {
                state.patches.insert(CART.to_owned(), sent);
                json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "cart"}})
            }
            (method, path) => panic!("nobody should ask the API server for {method} {path}"),
        };
        let body = serde_json::to_vec(&answer).unwrap();
        let mut response = Response::new(Body::from(body));
        if answer["reason"] == "NotFound" {
            *response.status_mut() = http::StatusCode::NOT_FOUND;
        }
        Ok(response)
    }
}

impl State {
    fn whose(&self, mut review: Value) -> Value {
        let token = review["spec"]["token"].as_str().unwrap_or_default();
        let user = match token {
            _ if self.withdrawn.contains(token) => None,
            ADMIN => Some("admin"),
            GUEST => Some("guest"),
            _ => None,
        };
        review["status"] = match user {
            Some(user) => json!({"authenticated": true, "user": {"username": user, "groups": ["people"]}}),
            None => json!({"authenticated": false}),
        };
        review
    }

    fn may(&self, mut review: Value) -> Value {
        let spec = &review["spec"];
        let asked = &spec["resourceAttributes"];
        assert_eq!(asked["group"], "outhaul.dev");
        assert_eq!(
            spec["groups"],
            json!(["people"]),
            "the review is about the token's user, groups included"
        );
        let text = |key: &str| asked[key].as_str().unwrap_or_default();
        let resource = match text("subresource") {
            "" => text("resource").to_owned(),
            subresource => format!("{}/{subresource}", text("resource")),
        };
        let on_all = format!("{} {resource}", text("verb"));
        let on_one = format!("{on_all} {}", text("name"));
        let allowed = match spec["user"].as_str() {
            Some("admin") => true,
            _ => self.grants.contains(&on_all) || self.grants.contains(&on_one),
        };
        review["status"] = json!({"allowed": allowed});
        review
    }
}

fn not_found() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "37", "gitVersion": "v1.37.1", "gitCommit": "", "gitTreeState": "",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
    })
}
