//! What the API answers, request by request: the cases in `tests/contract`, with the answers of a real API server.
//!
//! `answers.json` is written by a real one: `OUTHAUL_RECORD=1 cargo test -p outhaul-fake-kube-server --test contract`
//! plays the cases there and stores what it says. Where the embedded API answers otherwise, the embedded API is wrong.
//!
//! A case has a namespace of its own, `$NS`, and steps. A step is a request (`do: METHOD PATH`, with `body`, `type` of
//! patch, `as` a user) whose answer is compared after taking out what differs from run to run. `keep` gives a value of
//! an answer a name, for later steps.

#![expect(
    clippy::unwrap_used,
    reason = "a case that is not as it should be fails the test"
)]

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_kubernetes::require_or_skip;
use serde_json::{Map, Value, json};

type Answers = BTreeMap<String, Vec<Value>>;

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("cases.yaml")).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract")
}

#[tokio::test]
async fn the_embedded_api_answers_as_a_real_one_did() -> Result<()> {
    let recorded: Answers = serde_json::from_str(&std::fs::read_to_string(folder().join("answers.json"))?)?;
    let kube = FakeKube::start(Options::default()).await?;
    let answers = play(&kube.client()).await?;
    compare(&recorded, &answers)
}

#[tokio::test]
async fn a_real_api_still_answers_as_recorded() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let cluster =
        outhaul_kubernetes::Cluster::start(&programs, outhaul_kubernetes::Options::api_only()).await?;
    let answers = play(&cluster.client().await?).await?;
    let file = folder().join("answers.json");
    if std::env::var_os("OUTHAUL_RECORD").is_some_and(|value| value == "1") {
        std::fs::write(file, serde_json::to_string_pretty(&answers)? + "\n")?;
        return Ok(());
    }
    compare(&serde_json::from_str(&std::fs::read_to_string(file)?)?, &answers)
}

fn compare(recorded: &Answers, answers: &Answers) -> Result<()> {
    let mut differences = Vec::new();
    for (name, expected) in recorded {
        let found = answers.get(name).map_or(&[][..], Vec::as_slice);
        for step in 0..expected.len().max(found.len()) {
            let (expected, found) = (expected.get(step), found.get(step));
            if expected != found {
                let show = |value: Option<&Value>| value.map(|v| format!("{v:#}")).unwrap_or_default();
                let diff = lines_that_differ(&show(expected), &show(found));
                differences.push(format!("{name}, step {step}:\n{diff}"));
            }
        }
    }
    let unknown = answers.keys().filter(|name| !recorded.contains_key(*name));
    differences.extend(unknown.map(|name| format!("{name}: not recorded")));
    if differences.is_empty() {
        return Ok(());
    }
    bail!("{} answers differ\n{}", differences.len(), differences.join("\n"))
}

fn lines_that_differ(expected: &str, found: &str) -> String {
    let missing = expected
        .lines()
        .filter(|line| !found.lines().any(|other| other == *line));
    let extra = found
        .lines()
        .filter(|line| !expected.lines().any(|other| other == *line));
    missing
        .map(|line| format!("- {line}\n"))
        .chain(extra.map(|line| format!("+ {line}\n")))
        .collect()
}

/// Plays all cases, one after the other.
async fn play(client: &Client) -> Result<Answers> {
    let mut answers = Answers::new();
    for (index, case) in cases().iter().enumerate() {
        let name = case["case"].as_str().context("a case has a name")?;
        let mut stage = Stage {
            client,
            names: BTreeMap::new(),
        };
        stage.names.insert("NS".to_owned(), format!("case-{index}"));
        stage.create_namespace().await?;
        let mut given = Vec::new();
        for step in case["steps"].as_array().context("a case has steps")? {
            given.push(
                stage
                    .step(step)
                    .await
                    .with_context(|| format!("{name}: {step}"))?,
            );
        }
        answers.insert(name.to_owned(), given);
    }
    Ok(answers)
}

struct Stage<'a> {
    client: &'a Client,
    /// `$NAME` and what it stands for.
    names: BTreeMap<String, String>,
}

impl Stage<'_> {
    async fn create_namespace(&self) -> Result<()> {
        let body = json!({"metadata": {"name": self.names["NS"]}});
        self.send("POST", "/api/v1/namespaces", "application/json", None, &body)
            .await
            .map(drop)
    }

    async fn step(&mut self, step: &Value) -> Result<Value> {
        let line = self.filled(step["do"].as_str().context("a step says what to do")?);
        let (method, path) = line.split_once(' ').context("METHOD PATH")?;
        let body: Value = serde_json::from_str(&self.filled(&step["body"].to_string()))?;
        let content_type = match step["type"].as_str() {
            Some("apply") => "application/apply-patch+yaml",
            Some("merge") => "application/merge-patch+json",
            Some("json") => "application/json-patch+json",
            Some("strategic") => "application/strategic-merge-patch+json",
            Some(other) => other,
            None => "application/json",
        };
        let (code, text) = self.send(method, path, content_type, Some(step), &body).await?;
        let answer = parsed(&text, line.contains("watch=1"));
        for (name, pointer) in step["keep"].as_object().into_iter().flatten() {
            let value = answer.pointer(pointer.as_str().unwrap()).and_then(Value::as_str);
            self.names
                .insert(name.clone(), value.context("nothing to keep there")?.to_owned());
        }
        let shown = match step["show"].as_array() {
            Some(pointers) => pointers
                .iter()
                .map(|pointer| {
                    (
                        pointer.as_str().unwrap().to_owned(),
                        answer.pointer(pointer.as_str().unwrap()).cloned(),
                    )
                })
                .map(|(pointer, value)| (pointer, value.unwrap_or(Value::Null)))
                .collect::<Map<_, _>>()
                .into(),
            None => answer,
        };
        Ok(json!({"code": code, "answer": self.stable(shown)}))
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        step: Option<&Value>,
        body: &Value,
    ) -> Result<(u16, String)> {
        let mut request = http::Request::builder().method(method).uri(path);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        for (header, key) in [("impersonate-user", "as"), ("accept", "accept")] {
            if let Some(value) = step.and_then(|step| step[key].as_str()) {
                request = request.header(header, self.filled(value));
            }
        }
        let bytes = match body {
            Value::Null => Vec::new(),
            Value::String(raw) => raw.clone().into_bytes(),
            body => serde_json::to_vec(body)?,
        };
        let response = self.client.send(request.body(Body::from(bytes))?).await?;
        let code = response.status().as_u16();
        let collected = response.into_body().collect().await?.to_bytes();
        Ok((code, String::from_utf8_lossy(&collected).into_owned()))
    }

    fn filled(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${name}"), value)
        })
    }

    /// Takes out what differs from run to run.
    fn stable(&self, value: Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .into_iter()
                .map(|(key, value)| self.stable_field(key, value))
                .collect(),
            Value::Array(items) => items.into_iter().map(|item| self.stable(item)).collect(),
            Value::String(text) => self.stable_text(&text).into(),
            other => other,
        }
    }

    fn stable_field(&self, key: String, value: Value) -> (String, Value) {
        let volatile = ["uid", "resourceVersion", "continue", "token"];
        let is_time = key.ends_with("Timestamp") || key.ends_with("Time") || key == "time";
        let value = match value {
            Value::String(text) if !text.is_empty() && (is_time || volatile.contains(&key.as_str())) => {
                format!("<{key}>").into()
            }
            other => self.stable(other),
        };
        (self.stable_text(&key), value)
    }

    /// Names that steps kept, and the namespace, stand for themselves again; the longest first.
    fn stable_text(&self, text: &str) -> String {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        names.into_iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(value.as_str(), &format!("${name}"))
        })
    }
}

/// One JSON document, or the lines of a watch, or words.
fn parsed(text: &str, is_watch: bool) -> Value {
    if is_watch && !text.contains("\"kind\":\"Status\"") {
        return text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or(Value::Null))
            .collect();
    }
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
