//! Sends the request of a step and reads its answer.

use std::time::Duration;

use anyhow::{Context as _, Result};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::time::timeout;

use crate::stable::Names;
use crate::theme::Step;

/// How long an answer may take, a watch's included.
const LIMIT: Duration = Duration::from_secs(30);

/// Headers that count, beside the code and the body.
const HEADERS: [&str; 2] = ["warning", "retry-after"];

/// An answer.
pub(crate) struct Response {
    pub(crate) code: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(String, String)>,
}

pub(crate) async fn send(step: &Step, names: &Names, client: &Client) -> Result<Response> {
    let line = names.filled(&step.line);
    let (method, path) = line.split_once(' ').context("a step does METHOD PATH")?;
    let mut request = http::Request::builder().method(method).uri(path);
    let content_type = content_type(step);
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    if let Some(accept) = &step.accept {
        request = request.header("accept", media_type(accept));
    }
    if let Some(user) = &step.impersonate {
        request = request.header("impersonate-user", names.filled(user));
    }
    for (header, values) in &step.headers {
        for value in values
            .as_array()
            .map_or(std::slice::from_ref(values), Vec::as_slice)
        {
            let value = value.as_str().context("headers are texts")?;
            request = request.header(header, names.filled(value));
        }
    }
    let bytes = match names.filled_in(&step.body) {
        Value::Null => Vec::new(),
        Value::String(raw) => raw.into_bytes(),
        body => serde_json::to_vec(&body)?,
    };
    let request = request.body(bytes)?;
    let answer = async {
        match step.events {
            Some(events) => watch(client, request, events).await,
            None => exchange(client, request).await,
        }
    };
    timeout(LIMIT, answer).await.context("no answer in time")?
}

/// Whether a step writes what it says to have seen.
pub(crate) fn names_version(step: &Step) -> bool {
    ["PATCH ", "PUT "]
        .iter()
        .any(|method| step.line.starts_with(method))
        && step.body.pointer("/metadata/resourceVersion").is_some()
}

/// Lists what is written to. A real server tries a write first on what its cache holds, where an old version may still be
/// the last; a list waits for the cache.
pub(crate) async fn wait_for_cache(step: &Step, names: &Names, client: &Client) -> Result<()> {
    let line = names.filled(&step.line);
    let path = line.split([' ', '?']).nth(1).unwrap_or_default();
    let mut parts = ["/status", "/scale", "/finalize"].into_iter();
    let object = parts.find_map(|part| path.strip_suffix(part)).unwrap_or(path);
    let (collection, _) = object.rsplit_once('/').context("an object has a path")?;
    exchange(client, http::Request::get(collection).body(Vec::new())?).await?;
    Ok(())
}

/// One request and its whole answer.
pub(crate) async fn exchange(client: &Client, request: http::Request<Vec<u8>>) -> Result<Response> {
    let query = request.uri().query().unwrap_or_default();
    let is_watch = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("watch"))
        .any(|value| value.trim_start_matches('=') != "0" && !value.eq_ignore_ascii_case("=false"));
    let response = client.send(request.map(Body::from)).await?;
    let (code, headers) = (response.status().as_u16(), headers(&response));
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(Response {
        code,
        headers,
        body: parsed(&String::from_utf8_lossy(&bytes), is_watch),
    })
}

/// A watch, left after so many events.
async fn watch(client: &Client, request: http::Request<Vec<u8>>, events: usize) -> Result<Response> {
    let response = client.send(request.map(Body::from)).await?;
    let (code, headers) = (response.status().as_u16(), headers(&response));
    let mut stream = response.into_body();
    let mut text = Vec::new();
    let lines = |text: &[u8]| text.iter().filter(|&&byte| byte == b'\n').count();
    while lines(&text) < events {
        match stream.frame().await {
            Some(frame) => text.extend(frame?.into_data().unwrap_or_default()),
            None => break,
        }
    }
    let mut body = parsed(&String::from_utf8_lossy(&text), true);
    if let Some(seen) = body.as_array_mut() {
        seen.truncate(events);
    }
    Ok(Response { code, headers, body })
}

fn headers<B>(response: &http::Response<B>) -> Vec<(String, String)> {
    let found = HEADERS.iter().filter_map(|name| {
        let values = response.headers().get_all(*name).iter();
        let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| ((*name).to_owned(), values.join("\n")))
    });
    let mut found: Vec<_> = found.collect();
    let media_type = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    if media_type != Some("application/json") {
        found.push(("type".to_owned(), media_type.unwrap_or("none").to_owned()));
    }
    found
}

fn content_type(step: &Step) -> &str {
    match step.content_type.as_deref() {
        Some("apply") => "application/apply-patch+yaml",
        Some("merge") => "application/merge-patch+json",
        Some("json") => "application/json-patch+json",
        Some("strategic") => "application/strategic-merge-patch+json",
        Some(other) => other,
        None => "application/json",
    }
}

fn media_type(accept: &str) -> &str {
    match accept {
        "table" => "application/json;as=Table;g=meta.k8s.io;v=v1",
        "metadata" => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        "metadata-list" => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        other => other,
    }
}

/// One JSON document, or the lines of a watch, or words.
fn parsed(text: &str, is_watch: bool) -> Value {
    let whole = serde_json::from_str(text);
    if is_watch && !whole.as_ref().is_ok_and(|body: &Value| body["kind"] == "Status") {
        let lines = text.lines();
        let mut events: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap_or(Value::Null))
            .collect();
        events.dedup_by(|event, before| before["type"] == "BOOKMARK" && tells_progress(event));
        return events.into();
    }
    whole.unwrap_or_else(|_| text.into())
}

/// A bookmark that ends no list. A real server sends as many as its timers and its load bring about, so those that
/// follow a bookmark say nothing.
fn tells_progress(event: &Value) -> bool {
    event["type"] == "BOOKMARK" && event["object"]["metadata"].get("annotations").is_none()
}
