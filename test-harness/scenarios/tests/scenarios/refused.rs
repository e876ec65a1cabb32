//! What cannot be delivered concerns nobody else, and outlives a restart of the hub.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Event;
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams};
use outhaul_scenarios::operator::NAMESPACE;
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{self, config_map, config_maps, uid_of};

/// Deeper than `serde_json` reads, and than a hub delivers.
const DEEP: usize = 150;

/// A Release as a reader sees it that reads no spec.
#[derive(Deserialize)]
struct Outline {
    status: Value,
}

/// A hub that starts beside a Release that no JSON reader bears serves everybody else, and says what is wrong with it.
async fn a_release_that_nests_too_deep_stops_no_other(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let one = json!([config_map("one", "a")]);
    stage.operator().release("before", "eu", &one).await.unwrap();
    stage.operator().ready("before", "True").await.unwrap();
    stage.stop_hub().await.unwrap();
    let control = stage.control.client().await.unwrap();
    create_deep(&control, "deep").await.unwrap();
    let two = json!([config_map("two", "a")]);
    stage.operator().release("after", "eu", &two).await.unwrap();
    stage.restart_hub().await.unwrap();
    stage.connected("eu", true).await.unwrap();
    stage.operator().ready("after", "True").await.unwrap();
    refused(&control, "deep").await.unwrap();

    // The same by watch, beside others.
    create_deep(&control, "deeper").await.unwrap();
    refused(&control, "deeper").await.unwrap();
    let three = json!([config_map("two", "b")]);
    stage.operator().release("after", "eu", &three).await.unwrap();
    stage.operator().ready("after", "True").await.unwrap();
    stage.end().await.unwrap();
}

/// The plane keeps what it has, its status stays live, and the next good edit arrives.
async fn a_refused_edit_outlives_a_restart_of_the_hub(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let good = json!([config_map("one", "a")]);
    stage.operator().release("cart", "eu", &good).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let twice = json!([config_map("one", "b"), config_map("one", "c")]);
    stage.operator().release("cart", "eu", &twice).await.unwrap();
    stage
        .operator()
        .unready("cart", "InvalidSpec", |_any| true)
        .await
        .unwrap();
    stage.stop_hub().await.unwrap();
    stage.restart_hub().await.unwrap();
    stage.connected("eu", true).await.unwrap();
    let view = stage.operator().bundle("eu", "cart").await.unwrap();
    assert_eq!(view["state"], "Refused", "{view}");
    assert_eq!(view["blocker"]["reason"], "InvalidSpec", "{view}");

    // What happens in the plane is still seen: the object is made again, under another uid.
    let former = uid_of(&mut stage, "eu", "one").await.unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    objects.delete("one", &DeleteParams::default()).await.unwrap();
    let renewed = || async {
        let view = stage.operator().bundle("eu", "cart").await?;
        let uid = view["objects"][0]["uid"].as_str().context("no uid")?;
        ensure!(uid != former, "{view}");
        Ok(())
    };
    poll::until("REST shows the new object", stage::PATIENCE, renewed)
        .await
        .unwrap();
    let plane = stage.operator().rest().get("/api/v1/planes/eu").await.unwrap();
    assert_eq!(plane["orphans"]["total"], 0, "{plane}");

    let better = json!([config_map("one", "d")]);
    stage.operator().release("cart", "eu", &better).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    support::has_value(&objects, "one", "d").await;
    stage.end().await.unwrap();
}

/// Creates a Release as text, since no client here reads what an API server answers to it.
async fn create_deep(control: &Client, name: &str) -> Result<()> {
    let nested = format!("{}\"secret\"{}", r#"{"a":"#.repeat(DEEP), "}".repeat(DEEP));
    let body = format!(
        r#"{{"apiVersion":"openchoreo.dev/v1alpha1","kind":"Release","metadata":{{"name":"{name}"}},
        "spec":{{"owner":{{"projectName":"shop","componentName":"{name}"}},"environmentName":"eu",
        "resources":[{{"id":"deep","object":{{"apiVersion":"v1","kind":"ConfigMap",
        "metadata":{{"name":"deep","namespace":"{}"}},"data":{nested}}}}}]}}}}"#,
        support::TARGET
    );
    let request = http::Request::post(format!("{}?", releases()))
        .header("content-type", "application/json")
        .body(body.into_bytes())?;
    control.request_text(request).await?;
    Ok(())
}

/// Waits until its condition and an Event say what is wrong with a Release.
async fn refused(control: &Client, name: &str) -> Result<()> {
    let said = || async {
        let request = http::Request::get(format!("{}/{name}", releases())).body(Vec::new())?;
        let text = control.request_text(request).await?;
        let Outline { status } = serde_json::from_str(&text)?;
        let condition = &status["conditions"][0];
        ensure!(condition["reason"] == "InvalidSpec", "{status}");
        let message = condition["message"].as_str().unwrap_or_default();
        ensure!(message.contains("lists and maps in each other"), "{message}");
        let events: Api<Event> = Api::namespaced(control.clone(), NAMESPACE);
        let events = events.list(&ListParams::default()).await?;
        let about = events.iter().any(|event| {
            event.involved_object.name.as_deref() == Some(name)
                && event.reason.as_deref() == Some("InvalidSpec")
        });
        ensure!(about, "no Event about {name}");
        Ok(())
    };
    poll::until(&format!("Release {name} is refused"), stage::PATIENCE, said).await
}

fn releases() -> String {
    format!("/apis/openchoreo.dev/v1alpha1/namespaces/{NAMESPACE}/releases")
}

support::on_both_grounds!(
    a_release_that_nests_too_deep_stops_no_other,
    a_refused_edit_outlives_a_restart_of_the_hub,
);
