//! Plays the cases of a theme.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use kube::Client;
use outhaul_fake_kube_server::FakeKube;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use crate::answers::Answers;
use crate::stable::Names;
use crate::step::{self, Response};
use crate::theme::{Case, Step, Theme};

/// How long a step is asked again: a real controller manager takes six seconds for a namespace on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// Ways into an API.
pub(crate) struct Door {
    /// With an administrator's credentials.
    pub(crate) admin: Client,
    /// With none.
    pub(crate) nobody: Client,
    /// The embedded API behind it, which forgets its past when it is told to.
    pub(crate) embedded: Option<FakeKube>,
}

impl Door {
    fn forget_the_past(&self) {
        let Some(kube) = &self.embedded else { return };
        kube.with_cluster(|cluster| {
            let kinds: Vec<_> = cluster
                .registry()
                .kinds()
                .map(|kind| kind.shelf.clone())
                .collect();
            kinds.iter().for_each(|kind| cluster.forget_history(kind));
        });
    }
}

pub(crate) async fn play(theme: &Theme, door: &Door) -> Result<Answers> {
    let mut answers = Answers::new();
    for (index, case) in theme.cases.iter().enumerate() {
        let namespace = format!("{}-{index}", theme.name);
        let given = play_case(theme, case, &namespace, door).await;
        let given = given.with_context(|| case.name.clone())?;
        if answers.insert(case.name.clone(), given).is_some() {
            bail!("two cases are called {:?}", case.name);
        }
    }
    Ok(answers)
}

async fn play_case(theme: &Theme, case: &Case, namespace: &str, door: &Door) -> Result<Vec<Value>> {
    let mut stage = Stage {
        door,
        names: Names::new(namespace, &theme.paths),
    };
    stage.create_namespace(namespace).await?;
    let mut given = Vec::new();
    for step in &case.steps {
        let answer = stage.step(step).await;
        given.push(answer.with_context(|| step.line.clone())?);
    }
    Ok(given)
}

struct Stage<'a> {
    door: &'a Door,
    names: Names,
}

impl Stage<'_> {
    async fn create_namespace(&self, name: &str) -> Result<()> {
        let body = json!({"metadata": {"name": name}}).to_string();
        let request = http::Request::post("/api/v1/namespaces").header("content-type", "application/json");
        let response = step::exchange(&self.door.admin, request.body(body.into_bytes())?).await?;
        if response.code != 201 {
            bail!("namespace {name} answers {}: {}", response.code, response.body);
        }
        Ok(())
    }

    /// The answer to a step, as it is compared.
    async fn step(&mut self, step: &Step) -> Result<Value> {
        if step::names_version(step) {
            step::wait_for_cache(step, &self.names, &self.door.admin).await?;
        }
        let response = self.ask(step).await?;
        for (name, pointer) in &step.keep {
            let value = response.body.pointer(pointer).and_then(Value::as_str);
            let value = value.with_context(|| format!("nothing to keep at {pointer}: {}", response.body))?;
            self.names.keep(name, value);
        }
        if step.silent {
            return match response.code {
                ..300 => Ok(Value::Null),
                code => bail!("answers {code}: {}", response.body),
            };
        }
        let mut answer =
            json!({"code": response.code, "answer": self.names.stable_answer(shown(step, response.body))});
        for (header, value) in response.headers {
            answer[header] = self.names.stable(value.into());
        }
        Ok(answer)
    }

    /// Asks until the answer is as the step wants it.
    async fn ask(&self, step: &Step) -> Result<Response> {
        let deadline = Instant::now() + PATIENCE;
        let client = if step.stranger {
            &self.door.nobody
        } else {
            &self.door.admin
        };
        if step.forgotten {
            self.door.forget_the_past();
        }
        loop {
            let response = step::send(step, &self.names, client).await?;
            if !is_starting(&response) && is_as_wanted(step, &response) {
                return Ok(response);
            }
            if Instant::now() > deadline {
                bail!("still answers {}: {}", response.code, response.body);
            }
            sleep(PAUSE).await;
        }
    }
}

/// Whether a kind is not served yet: a real server says so for a moment after its definition changed, and why not if it
/// knows.
fn is_starting(response: &Response) -> bool {
    let message = response.body["message"].as_str().unwrap_or_default();
    response.code == 429 && message.starts_with("storage is (re)initializing")
}

fn is_as_wanted(step: &Step, response: &Response) -> bool {
    let part = |pointer: &String| response.body.pointer(pointer).unwrap_or(&Value::Null);
    step.until.is_none_or(|code| code == response.code)
        && step
            .until_shows
            .iter()
            .all(|(pointer, value)| part(pointer) == value)
}

/// The parts of an answer that count.
fn shown(step: &Step, mut answer: Value) -> Value {
    for pointer in &step.hide {
        if let Some(value) = answer.pointer_mut(pointer) {
            *value = "<hidden>".into();
        }
    }
    take_out(&step.without, &mut answer);
    let items = answer.get_mut("items").and_then(Value::as_array_mut);
    if let (Some(names), Some(items)) = (&step.only, items) {
        let place = |item: &Value| names.iter().position(|name| item["metadata"]["name"] == **name);
        items.retain(|item| place(item).is_some());
        items.sort_by_key(place);
    }
    let Some(pointers) = &step.show else {
        return answer;
    };
    let part = |pointer: &String| answer.pointer(pointer).cloned().unwrap_or(Value::Null);
    let parts: Map<_, _> = pointers
        .iter()
        .map(|pointer| (pointer.clone(), part(pointer)))
        .collect();
    parts.into()
}

fn take_out(names: &[String], value: &mut Value) {
    match value {
        Value::Object(fields) if !names.is_empty() => {
            fields.retain(|name, _| !names.contains(name));
            fields.values_mut().for_each(|field| take_out(names, field));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take_out(names, item)),
        _ => {}
    }
}
