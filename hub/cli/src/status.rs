//! `outhaul status`: the fleet, one plane, or one bundle and why it is stuck.

mod bundle;
mod fleet;
mod plane;
#[cfg(test)]
pub(crate) mod samples;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answers::List;
use crate::arguments::{BundleName, Output, StatusArguments};
use crate::client::{Client, segment};

pub(crate) async fn show(
    client: &Client,
    wanted: &StatusArguments,
    output: Output,
    now: Timestamp,
) -> anyhow::Result<String> {
    match (&wanted.plane, &wanted.bundle) {
        (None, _) => {
            let answer = client.get("/api/v1/planes").await?;
            told(output, &answer, || {
                Ok(fleet::render(&parse::<List<_>>(&answer)?.items, now))
            })
        }
        (Some(plane), None) => {
            let path = format!("/api/v1/planes/{}", segment(plane));
            let bundles = client.get(&format!("{path}/bundles")).await?;
            if output == Output::Json {
                return json(&bundles);
            }
            let plane = client.get(&path).await?;
            Ok(plane::render(
                &parse(&plane)?,
                &parse::<List<_>>(&bundles)?.items,
                now,
            ))
        }
        (Some(plane), Some(bundle)) => {
            let answer = client.get(&bundle_path(plane, bundle)).await?;
            told(output, &answer, || Ok(bundle::render(&parse(&answer)?)))
        }
    }
}

pub(crate) fn bundle_path(plane: &str, bundle: &BundleName) -> String {
    let [plane, kind, namespace, name] = [plane, bundle.kind, &bundle.namespace, &bundle.name].map(segment);
    format!("/api/v1/planes/{plane}/bundles/{kind}/{namespace}/{name}")
}

fn told(
    output: Output,
    answer: &Value,
    table: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    match output {
        Output::Json => json(answer),
        Output::Table => table(),
    }
}

pub(crate) fn json(answer: &Value) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(answer)?))
}

pub(crate) fn parse<T: DeserializeOwned>(answer: &Value) -> anyhow::Result<T> {
    T::deserialize(answer)
        .context("the hub's answer has another form: is it older or newer than this command?")
}
