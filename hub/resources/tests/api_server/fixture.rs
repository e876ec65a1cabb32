//! One API server for all tests here, and plain requests to it: tests look at warnings, which clients hide.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Client, client::Body};
use outhaul_hub_resources::crds;
use outhaul_kubernetes::{Cluster, Options, require_or_skip};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// Definitions are served within a second; the rest is for a busy machine.
const ESTABLISHED_LIMIT: Duration = Duration::from_secs(30);

static CLUSTER: OnceCell<Option<Cluster>> = OnceCell::const_new();

/// What the API server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: StatusCode,
    pub(crate) warnings: Vec<String>,
    pub(crate) body: Value,
}

impl Answer {
    /// The object that was read or written.
    pub(crate) fn object(self) -> Value {
        assert!(self.code.is_success(), "{}: {}", self.code, self.message());
        assert!(self.warnings.is_empty(), "{:?}", self.warnings);
        self.body
    }

    /// Why it was refused.
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// A namespace of one test, and requests as an administrator.
pub(crate) struct Api {
    client: Client,
    namespace: &'static str,
}

/// An API server that serves our definitions, with an empty namespace for the test; none where there is no
/// Kubernetes.
pub(crate) async fn api(namespace: &'static str) -> Option<Api> {
    let cluster = CLUSTER.get_or_init(start).await.as_ref()?;
    let client = cluster
        .client()
        .await
        .expect("the kubeconfig is the fixture's own");
    let api = Api { client, namespace };
    let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    api.create("/api/v1/namespaces", &manifest).await.object();
    Some(api)
}

async fn start() -> Option<Cluster> {
    let programs = require_or_skip()?;
    let cluster = Cluster::start(&programs, Options::api_only())
        .await
        .expect("the API server starts");
    let client = cluster
        .client()
        .await
        .expect("the kubeconfig is the fixture's own");
    let api = Api {
        client,
        namespace: "default",
    };
    for crd in crds() {
        api.install(&crd).await;
    }
    Some(cluster)
}

impl Api {
    /// Where resources of a kind are, in this test's namespace.
    pub(crate) fn of(&self, group: &str, plural: &str) -> String {
        format!("/apis/{group}/v1alpha1/namespaces/{}/{plural}", self.namespace)
    }

    /// Applies a definition and waits until it is served.
    pub(crate) async fn install(&self, crd: &CustomResourceDefinition) {
        let name = crd.metadata.name.as_deref().expect("definitions have names");
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        let manifest = serde_json::to_value(crd).expect("definitions are JSON");
        self.apply(&path, "chart", &manifest).await.object();
        let established = async {
            while !is_established(&self.get(&path).await.object()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(ESTABLISHED_LIMIT, established)
            .await
            .unwrap_or_else(|_| panic!("{name} is not served"));
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "application/json", None).await
    }

    pub(crate) async fn create(&self, collection: &str, object: &Value) -> Answer {
        self.send(Method::POST, collection, "application/json", Some(object))
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "application/json", None).await
    }

    /// A merge patch.
    pub(crate) async fn patch(&self, path: &str, patch: &Value) -> Answer {
        self.send(Method::PATCH, path, "application/merge-patch+json", Some(patch))
            .await
    }

    /// Server-side apply, without force.
    pub(crate) async fn apply(&self, path: &str, manager: &str, object: &Value) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.send(Method::PATCH, &path, "application/apply-patch+yaml", Some(object))
            .await
    }

    /// The table that kubectl prints.
    pub(crate) async fn table(&self, path: &str) -> Value {
        let request = Request::get(path).header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
        self.answer(request.body(Body::empty()).expect("the request is well-formed"))
            .await
            .object()
    }

    async fn send(&self, method: Method, path: &str, content_type: &str, body: Option<&Value>) -> Answer {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type);
        self.answer(
            request
                .body(Body::from(body))
                .expect("the request is well-formed"),
        )
        .await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.client.send(request).await.expect("the API server answers");
        let (parts, body) = response.into_parts();
        let body = body
            .collect_bytes()
            .await
            .expect("the API server ends its answer");
        let warnings = parts.headers.get_all("warning").iter();
        Answer {
            code: parts.status,
            warnings: warnings
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect(),
            body: serde_json::from_slice(&body).expect("the API server answers in JSON"),
        }
    }
}

fn is_established(crd: &Value) -> bool {
    let conditions = crd["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .into_iter()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}
