//! The custom kinds that cases use: those of our chart, and those in `definitions.yaml`.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use kube::Client;
use serde::Deserialize as _;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{folder, step};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn install(client: &Client) -> Result<()> {
    let mut files = vec![folder().join("definitions.yaml")];
    for entry in std::fs::read_dir(folder().join("../../../../../charts/outhaul-hub/crds"))? {
        files.push(entry?.path());
    }
    let mut names = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        for document in serde_yaml_ng::Deserializer::from_str(&text) {
            let definition = Value::deserialize(document)?;
            names.push(create(client, &definition).await?);
        }
    }
    for name in names {
        wait_until_served(client, &name).await?;
    }
    Ok(())
}

async fn create(client: &Client, definition: &Value) -> Result<String> {
    let name = definition["metadata"]["name"]
        .as_str()
        .context("a definition has a name")?;
    let request = http::Request::post(DEFINITIONS).header("content-type", "application/json");
    let response = step::exchange(client, request.body(serde_json::to_vec(definition)?)?).await?;
    if response.code != 201 {
        bail!("definition {name} answers {}: {}", response.code, response.body);
    }
    Ok(name.to_owned())
}

/// A definition is served a moment after it is established.
async fn wait_until_served(client: &Client, name: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let get = |path: String| async move {
        step::exchange(client, http::Request::get(path).body(Vec::new())?).await
    };
    let definition = get(format!("{DEFINITIONS}/{name}")).await?.body;
    let (plural, group) = name.split_once('.').context("names are plural.group")?;
    for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
        let served = version["served"] == true;
        let path = format!(
            "/apis/{group}/{}/{plural}",
            version["name"].as_str().unwrap_or_default()
        );
        while served && get(path.clone()).await?.code != 200 {
            if Instant::now() > deadline {
                bail!("{path} is not served");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}
