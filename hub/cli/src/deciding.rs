//! `outhaul orphans adopt|remove`: what becomes of what planes hold and the hub does not know.

use anyhow::bail;
use serde_json::{Value, json};

use crate::answers::{List, Orphan};
use crate::arguments::{BundleName, OrphansAdoptArguments, OrphansRemoveArguments, Output};
use crate::client::{Client, segment};
use crate::status::{json as pretty, parse};
use crate::text::printable;

pub(crate) async fn adopt(
    client: &Client,
    wanted: &OrphansAdoptArguments,
    output: Output,
) -> anyhow::Result<String> {
    let plane = &wanted.plane;
    let answers = match &wanted.bundle {
        Some(bundle) => {
            let orphan = path(plane, bundle.kind, &bundle.namespace, &bundle.name);
            vec![decide(client, &orphan, "Adopt", wanted.uid.as_deref()).await?]
        }
        None => adopt_all(client, plane).await?,
    };
    told(
        &answers,
        plane,
        "may take over what was there before under its name",
        output,
    )
}

pub(crate) async fn remove(
    client: &Client,
    wanted: &OrphansRemoveArguments,
    output: Output,
) -> anyhow::Result<String> {
    let BundleName {
        kind,
        namespace,
        name,
    } = &wanted.bundle;
    let orphan = path(&wanted.plane, kind, namespace, name);
    let answer = decide(client, &orphan, "Remove", wanted.uid.as_deref()).await?;
    told(&[answer], &wanted.plane, "is removed there", output)
}

/// One after the other: each is a write of its own, and the first that is refused says why.
async fn adopt_all(client: &Client, plane: &str) -> anyhow::Result<Vec<Value>> {
    let orphans = client
        .get(&format!("/api/v1/planes/{}/orphans", segment(plane)))
        .await?;
    let orphans: List<Orphan> = parse(&orphans)?;
    let mut answers = Vec::new();
    let may = |orphan: &&Orphan| orphan.successor.is_some() && orphan.elsewhere.is_none() && !orphan.stands;
    for orphan in orphans.items.iter().filter(may) {
        let path = path(plane, &orphan.kind, &orphan.namespace, &orphan.name);
        answers.push(decide(client, &path, "Adopt", Some(&orphan.uid)).await?);
    }
    if answers.is_empty() {
        bail!("no orphan of plane {plane} has a successor there: `outhaul orphans list {plane}` shows them");
    }
    Ok(answers)
}

async fn decide(client: &Client, path: &str, decision: &str, uid: Option<&str>) -> anyhow::Result<Value> {
    let mut body = json!({"decision": decision});
    if let Some(uid) = uid {
        body["uid"] = json!(uid);
    }
    client.post(path, &body).await
}

fn path(plane: &str, kind: &str, namespace: &str, name: &str) -> String {
    let [plane, kind, namespace, name] = [plane, kind, namespace, name].map(segment);
    format!("/api/v1/planes/{plane}/orphans/{kind}/{namespace}/{name}")
}

fn told(answers: &[Value], plane: &str, what: &str, output: Output) -> anyhow::Result<String> {
    if output == Output::Json {
        return pretty(&json!(answers));
    }
    let lines = answers.iter().map(|answer| {
        let orphan: Orphan = parse(answer)?;
        let Orphan {
            kind,
            namespace,
            name,
            ..
        } = &orphan;
        Ok(printable(&format!("{kind} {namespace}/{name} on plane {plane} {what}.")) + "\n")
    });
    lines.collect()
}
