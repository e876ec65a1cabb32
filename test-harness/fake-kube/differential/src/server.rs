//! One of the two servers: requests to it, with the names that its answers left filled in.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use crate::step::Step;

/// What a server said.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// The body; what is no JSON is a text.
    pub body: Value,
    /// Its warnings, sorted.
    pub warnings: Vec<String>,
}

/// One sequence's view of a server.
pub struct Conversation<'a> {
    client: &'a Client,
    /// `$NAME` and what it stands for here.
    names: BTreeMap<String, String>,
}

impl<'a> Conversation<'a> {
    /// Makes the namespace, whose name is `$NS`.
    ///
    /// # Errors
    /// When the server does not answer or does not make it.
    pub async fn begin(client: &'a Client, namespace: &str) -> Result<Self> {
        let names = BTreeMap::from([("NS".to_owned(), namespace.to_owned())]);
        let mut conversation = Self { client, names };
        let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "$NS"}});
        let step = Step::with_body(
            "POST",
            "/api/v1/namespaces".to_owned(),
            crate::step::Content::Json,
            body,
        );
        let answer = conversation.ask(&step).await?;
        anyhow::ensure!(
            answer.code == 201,
            "namespace {namespace} was not made: {}",
            answer.body
        );
        Ok(conversation)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(&mut self, step: &Step) -> Result<Answer> {
        let path = self.filled(&step.path);
        let body = match &step.body {
            Value::Null => Vec::new(),
            body => self.filled(&body.to_string()).into_bytes(),
        };
        let request = http::Request::builder()
            .method(step.method)
            .uri(&path)
            .header("content-type", step.kind.media_type())
            .header("user-agent", "differential/1");
        let response = self.client.send(request.body(Body::from(body))?).await;
        let response = response.with_context(|| format!("{} {path}", step.method))?;
        let (parts, body) = response.into_parts();
        let warnings = parts.headers.get_all("warning").iter();
        let mut warnings: Vec<String> = warnings
            .filter_map(|w| Some(w.to_str().ok()?.to_owned()))
            .collect();
        warnings.sort();
        let bytes = body.collect().await?.to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_no_json| String::from_utf8_lossy(&bytes).into_owned().into());
        self.keep(step, &body);
        Ok(Answer {
            code: parts.status.as_u16(),
            body,
            warnings,
        })
    }

    fn keep(&mut self, step: &Step, body: &Value) {
        for (name, pointer) in &step.keep {
            if let Some(value) = body.pointer(pointer).and_then(Value::as_str) {
                self.names.insert(name.clone(), value.to_owned());
            }
        }
    }

    /// The longest names first: one may begin like another.
    fn filled(&self, text: &str) -> String {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names.into_iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${name}"), value)
        })
    }
}
