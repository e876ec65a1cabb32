//! What the tests do in the plane themselves.

use http::{Method, Request};
use serde_json::{Value, json};

use super::{PATIENCE, World};

impl World {
    /// The object at a path; none if it is not there.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        match self.call(Method::GET, path, &Value::Null).await {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("GET {path}: {error}"),
        }
    }

    pub(crate) async fn post(&self, path: &str, object: &Value) -> Value {
        self.call(Method::POST, path, object).await.unwrap()
    }

    /// Changes an object as `kubectl edit` does.
    pub(crate) async fn merge(&self, path: &str, patch: &Value) -> Value {
        let path = format!("{path}?fieldManager=somebody-else");
        self.call(Method::PATCH, &path, patch).await.unwrap()
    }

    /// Nests `levels` maps under a field of a custom resource. Each step of a JSON patch is shallow, so that it takes no
    /// reader who follows it all the way down.
    pub(crate) async fn nest(&self, path: &str, field: &str, levels: usize) {
        let step = |depth: usize| json!({"op": "add", "path": format!("/{field}{}", "/a".repeat(depth)), "value": {}});
        let patch = Value::Array((0..levels).map(step).collect());
        let request = request(Method::PATCH, path, "application/json-patch+json", &patch);
        // The answer is not read either.
        self.client.request_text(request).await.unwrap();
    }

    pub(crate) async fn delete(&self, path: &str) {
        self.call(Method::DELETE, path, &Value::Null).await.unwrap();
    }

    /// Waits until the object at a path is as the test wants it.
    pub(crate) async fn until(&self, path: &str, what: &str, holds: impl Fn(Option<&Value>) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut pause = tokio::time::interval(std::time::Duration::from_millis(5));
        loop {
            let object = self.get(path).await;
            if holds(object.as_ref()) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{path}: not {what}: {object:?}"
            );
            pause.tick().await;
        }
    }

    /// Secrets of the agent's store, by what they are.
    pub(crate) async fn stored(&self, what: &str) -> Vec<Value> {
        let path =
            format!("/api/v1/namespaces/outhaul-system/secrets?labelSelector=outhaul.dev%2Fstore%3D{what}");
        let list = self.get(&path).await.unwrap();
        list["items"].as_array().unwrap().clone()
    }

    pub(crate) async fn make_namespace(&self, name: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.post("/api/v1/namespaces", &namespace).await;
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> kube::Result<Value> {
        let content_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        self.client
            .request(request(method, path, content_type, body))
            .await
    }
}

fn request(method: Method, path: &str, content_type: &str, body: &Value) -> Request<Vec<u8>> {
    let body = match body {
        Value::Null => Vec::new(),
        body => serde_json::to_vec(body).unwrap(),
    };
    let request = Request::builder().method(method).uri(path);
    request.header("content-type", content_type).body(body).unwrap()
}

pub(crate) fn config_map_path(name: &str) -> String {
    format!("/api/v1/namespaces/shop/configmaps/{name}")
}

/// The value in one of the tests' ConfigMaps.
pub(crate) fn value(object: Option<&Value>) -> Option<&str> {
    object?["data"]["value"].as_str()
}
