//! Requests to the plane's API server, and its answers as the rules of the agent read them.
//!
//! Requests are sent raw: an apply sends bytes that were made once, an answer is read once, and `Retry-After` is not
//! lost on the way.

mod absence;
mod discovery;
mod path;
mod refusal;
mod sweep;

use core::time::Duration;
use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use outhaul_agent_core::adoption;
use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::once;
use outhaul_agent_core::plane::{Action, Answer};
use outhaul_agent_core::shallow::Shallow;
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::lease::Tenure;

pub(crate) use self::discovery::Discovery;
use self::discovery::Kind;
pub(crate) use self::path::{Path, collection};
pub(crate) use self::refusal::{chain, refused};

/// How long an answer may take. An API server gives up on a request after a minute; admission webhooks have at most 30 s.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(35);

/// The largest answer that is read: a page of a list of large objects stays well below.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The plane's API server.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: kube::Client,
    pub(crate) discovery: Arc<Discovery>,
    /// Where only the agent that acts may write.
    tenure: Option<Tenure>,
}

impl Cluster {
    pub(crate) fn new(client: kube::Client) -> Self {
        Self {
            client,
            discovery: Arc::default(),
            tenure: None,
        }
    }

    /// The same for the agent that acts. It writes nothing from when on it may act no more, and what it was writing counts
    /// as not answered.
    pub(crate) fn during(&self, tenure: Tenure) -> Self {
        Self {
            tenure: Some(tenure),
            ..self.clone()
        }
    }

    /// Does what the plane decided.
    pub(crate) async fn execute(&self, action: &Action) -> Answer {
        let result = match action {
            Action::CreateNamespace { name, labels } => self.create_namespace(name, labels).await,
            Action::Apply {
                object,
                manager,
                body,
            } => self.apply(object, manager, body).await,
            Action::Create {
                object,
                manager,
                body,
            } => self.create(object, manager, body).await,
            Action::Release { object, uid } => self.release(object, uid).await,
            Action::Adopt { object, manager } => self.adopt(object, manager).await,
            Action::Look(object) => self.look(object).await,
            Action::Delete { object, uid } => self.delete(object, uid).await,
            Action::Sweep(selector) => sweep::sweep(self, selector).await.map(Answer::Objects),
        };
        result.unwrap_or_else(Answer::Failed)
    }

    /// `gitVersion` of the API server.
    pub(crate) async fn version(&self) -> Result<String, Failure> {
        let version = self.get(&Path::new("/version")).await?;
        let git = version.get("gitVersion").and_then(Value::as_str);
        Ok(git.unwrap_or_default().to_owned())
    }

    pub(crate) async fn get(&self, path: &Path) -> Result<Value, Failure> {
        self.call(Method::GET, path, "", Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &Path, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, "application/json", encode(body))
            .await
    }

    pub(crate) async fn put(&self, path: &Path, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, "application/json", encode(body))
            .await
    }

    pub(crate) async fn merge(&self, path: &Path, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PATCH, path, "application/merge-patch+json", encode(body))
            .await
    }

    pub(crate) async fn remove(&self, path: &Path) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, "application/json", Vec::new())
            .await
    }

    async fn create_namespace(
        &self,
        name: &str,
        labels: &[(&'static str, String)],
    ) -> Result<Answer, Failure> {
        let labels: serde_json::Map<_, _> = labels
            .iter()
            .map(|(label, value)| ((*label).to_owned(), value.clone().into()))
            .collect();
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels},
        });
        self.post(&Path::new("/api/v1/namespaces"), &body).await?;
        Ok(Answer::Accepted)
    }

    async fn apply(&self, object: &ObjectRef, manager: &str, body: &[u8]) -> Result<Answer, Failure> {
        let path = self.path(object).await?;
        let path = path.query("fieldManager", manager).query("force", "true");
        // JSON is YAML, and the one content type that every API server takes for an apply.
        let applied = self
            .call(
                Method::PATCH,
                &path,
                "application/apply-patch+yaml",
                body.to_vec(),
            )
            .await;
        self.checked(object, applied).map(Answer::Object)
    }

    async fn create(&self, object: &ObjectRef, manager: &str, body: &[u8]) -> Result<Answer, Failure> {
        let kind = self.kind(object).await?;
        let path = Path::around(object, &kind)?.query("fieldManager", manager);
        let created = self
            .call(Method::POST, &path, "application/json", body.to_vec())
            .await;
        self.checked(object, created).map(Answer::Object)
    }

    /// Somebody may write the object between the two requests: then the second is refused, and both are made again.
    async fn release(&self, object: &ObjectRef, uid: &Uid) -> Result<Answer, Failure> {
        let path = self.path_in_any_version(object).await?;
        let found = self.checked(object, self.get(&path).await)?;
        let Some(patch) = once::release(&found, uid) else {
            return Ok(Answer::Object(found));
        };
        let released = self.merge(&path, &patch).await;
        self.checked(object, released).map(Answer::Object)
    }

    /// Somebody may write the object between the two requests: then the second is refused, and both are made again.
    async fn adopt(&self, object: &ObjectRef, manager: &str) -> Result<Answer, Failure> {
        let path = self.path(object).await?;
        let found = self.checked(object, self.get(&path).await)?;
        let Some(patch) = adoption::patch(&found, manager) else {
            return Ok(Answer::Object(found));
        };
        // Who does it has nothing else to say, so that no entry of its own is left.
        let path = path.query("fieldManager", manager);
        let adopted = self.merge(&path, &patch).await;
        self.checked(object, adopted).map(Answer::Object)
    }

    async fn look(&self, object: &ObjectRef) -> Result<Answer, Failure> {
        let path = self.path_in_any_version(object).await?;
        let found = self.get(&path).await;
        self.checked(object, found).map(Answer::Object)
    }

    async fn delete(&self, object: &ObjectRef, uid: &Uid) -> Result<Answer, Failure> {
        let path = self.path_in_any_version(object).await?;
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": uid.as_str()}, "propagationPolicy": "Background",
        });
        let deleted = self
            .call(Method::DELETE, &path, "application/json", encode(&options))
            .await;
        self.checked(object, deleted).map(|_| Answer::Accepted)
    }

    async fn path(&self, object: &ObjectRef) -> Result<Path, Failure> {
        Path::of(object, &self.kind(object).await?)
    }

    async fn kind(&self, object: &ObjectRef) -> Result<Kind, Failure> {
        self.discovery
            .kind(self, &object.group, &object.version, &object.kind)
            .await
    }

    /// The path of an object that may have been applied in a version which is not served any more.
    async fn path_in_any_version(&self, object: &ObjectRef) -> Result<Path, Failure> {
        match self.path(object).await {
            Err(failure) if failure.is_unserved() => {
                let (version, kind) = absence::any_version(self, object).await?;
                let served = ObjectRef {
                    version,
                    ..object.clone()
                };
                Path::of(&served, &kind)
            }
            path => path,
        }
    }

    /// A path that does not exist any more means that what discovery said is no longer true.
    fn checked(&self, object: &ObjectRef, result: Result<Value, Failure>) -> Result<Value, Failure> {
        match result {
            Err(failure) if failure.is_unserved() => {
                self.discovery.forget(&object.group);
                Err(discovery::unknown(&object.group, &object.version, &object.kind))
            }
            result => result,
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &Path,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Value, Failure> {
        let tenure = self.tenure.clone().filter(|_| method != Method::GET);
        let mut request = Request::builder()
            .method(method)
            .uri(path.as_str())
            .header(ACCEPT, "application/json");
        if !content_type.is_empty() {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let request = request
            .body(Body::from(body))
            .map_err(|error| Failure::Unreachable(format!("no request for {}: {error}", path.as_str())))?;
        let late = |_| Failure::Unreachable(format!("no answer within {} s", ANSWER_TIME.as_secs()));
        let answered = timeout(ANSWER_TIME, self.exchange(request));
        let Some(mut tenure) = tenure else {
            return answered.await.map_err(late)?;
        };
        tokio::select! {
            biased;
            () = tenure.expired() => Err(Failure::Unreachable("this agent has not renewed its Lease".to_owned())),
            // What is dropped here may have been done all the same, as with any answer that is lost.
            answer = answered => answer.map_err(late)?,
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Value, Failure> {
        let response = self
            .client
            .send(request)
            .await
            .map_err(|error| refusal::unreachable(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES)
            .collect()
            .await
            .map_err(|error| Failure::Unreachable(format!("the answer broke off: {error}")))?
            .to_bytes();
        if !head.status.is_success() {
            return Err(refusal::read(head.status, &head.headers, &body));
        }
        read(&body)
    }
}

/// A page of a proxy is no answer of the API server. JSON is one, whatever is wrong with it: that concerns the object
/// that it is about, and nobody has to wait.
fn read(body: &[u8]) -> Result<Value, Failure> {
    let problem = match serde_json::from_slice(body) {
        Ok(Shallow(value)) => return Ok(value),
        Err(error) => format!("the answer cannot be read: {error}"),
    };
    match body.trim_ascii_start().first() {
        Some(b'{') => Err(Failure::Unreadable(problem)),
        Some(_) | None => Err(Failure::Unreachable(problem)),
    }
}

fn encode(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).expect("a value is written to memory and cannot fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_nests_deep_is_read_and_a_broken_one_tells_of_its_object_only() {
        let deep = format!(
            r#"{{"metadata":{{"uid":"u"}},"spec":{}1{}}}"#,
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        assert_eq!(read(deep.as_bytes()).unwrap()["metadata"]["uid"], "u");
        assert!(matches!(read(b" {\"a\":"), Err(Failure::Unreadable(_))));
        assert!(matches!(read(b"<html>busy</html>"), Err(Failure::Unreachable(_))));
        assert!(matches!(read(b""), Err(Failure::Unreachable(_))));
    }
}
