//! A commit that empties every Release: one goes, the rest is held until somebody says what is to become of it.

use crate::support::{self, config_map, config_maps, entry};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, DynamicObject, ListParams};
use outhaul_scenarios::operator::{NAMESPACE, Operator, condition};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// Releases, and objects of each: more than a plane lets go unasked in ten minutes, unless nothing else went.
const RELEASES: [&str; 4] = ["cart", "checkout", "search", "payment"];
const OBJECTS: usize = 26;

/// How many objects of each Release are in the plane.
async fn counts(objects: &Api<DynamicObject>) -> Result<Vec<(&'static str, usize)>> {
    let all = objects.list(&ListParams::default()).await?;
    let of = |release: &str| {
        let label = ("openchoreo.dev/release-name", release);
        let has = |labels: &std::collections::BTreeMap<String, String>| {
            labels.get(label.0).is_some_and(|name| name == label.1)
        };
        all.iter()
            .filter(|it| it.metadata.labels.as_ref().is_some_and(has))
            .count()
    };
    Ok(RELEASES.map(|release| (release, of(release))).into())
}

async fn until_held(operator: &Operator, release: &str, held: &str) -> Result<Value> {
    let what = format!("Release {release} says Held={held}");
    poll::until(&what, stage::PATIENCE, || async {
        let object = operator.releases().get(release).await?;
        let said = condition(&object, "Held").filter(|said| said["status"] == held);
        said.cloned().with_context(|| object.data["status"].to_string())
    })
    .await
}

/// Waits until one Release is gone from the plane and the others are whole. Returns those.
async fn until_one_is_gone(objects: &Api<DynamicObject>) -> Result<Vec<&'static str>> {
    poll::until("one Release is gone", stage::PATIENCE, || async {
        let mut counts = counts(objects).await?;
        counts.retain(|(_, count)| *count > 0);
        let whole = counts.iter().all(|(_, count)| *count == OBJECTS);
        ensure!(whole && counts.len() == RELEASES.len() - 1, "{counts:?}");
        Ok(counts.into_iter().map(|(release, _)| release).collect())
    })
    .await
}

async fn a_commit_that_empties_every_release_takes_one(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    for release in RELEASES {
        let objects: Vec<_> = (0..OBJECTS)
            .map(|number| config_map(&format!("{release}-{number}"), "a"))
            .collect();
        stage
            .operator()
            .release(release, "eu", &json!(objects))
            .await
            .unwrap();
        stage.operator().ready(release, "True").await.unwrap();
    }
    for release in RELEASES {
        stage.operator().release(release, "eu", &json!([])).await.unwrap();
    }
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    let held = until_one_is_gone(&objects).await.unwrap();
    let [removed, left, forgotten] = held[..] else {
        panic!("{held:?}");
    };
    for release in &held {
        let said = until_held(stage.operator(), release, "True").await.unwrap();
        assert_eq!(said["reason"], "OverBudget");
        let command = format!("`outhaul confirm eu release/{NAMESPACE}/{release} remove`");
        let words = said["message"].as_str().unwrap();
        assert!(
            words.contains(&command) && words.contains("all 26 objects"),
            "{words}"
        );
        let bundle = stage.operator().bundle("eu", release).await.unwrap();
        assert_eq!(bundle["blocker"]["reason"], "OverBudget");
        assert_eq!(bundle["blocker"]["message"], said["message"]);
        assert_eq!(bundle["leftovers"].as_array().unwrap().len(), OBJECTS);
        let object = stage.operator().releases().get(release).await.unwrap();
        assert_eq!(
            object.data["status"]["inventory"].as_array().unwrap().len(),
            OBJECTS
        );
    }
    let shown = stage.operator().outhaul(&["status", "eu"]).await.unwrap();
    assert_eq!(shown.matches("OverBudget").count(), held.len(), "{shown}");
    let events: Api<Event> = Api::namespaced(stage.control.client().await.unwrap(), NAMESPACE);
    poll::until("Events say what is held", stage::PATIENCE, || async {
        let events = events.list(&ListParams::default()).await?;
        let said = events
            .iter()
            .filter(|event| event.reason.as_deref() == Some("Held"));
        ensure!(said.count() == held.len());
        Ok(())
    })
    .await
    .unwrap();

    confirm(&stage, removed, "remove").await;
    until_held(stage.operator(), removed, "False").await.unwrap();
    confirm(&stage, left, "leave").await;
    until_held(stage.operator(), left, "False").await.unwrap();
    stage.operator().delete(left).await.unwrap();
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    stage.connected("eu", false).await.unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.connected("eu", true).await.unwrap();
    until_held(stage.operator(), forgotten, "True").await.unwrap();
    for (release, count) in counts(&objects).await.unwrap() {
        let expected = if [left, forgotten].contains(&release) {
            OBJECTS
        } else {
            0
        };
        assert_eq!(count, expected, "{release}");
    }
    stage.end().await.unwrap();
}

async fn confirm(stage: &Stage, release: &str, verdict: &str) {
    let bundle = format!("release/{NAMESPACE}/{release}");
    let said = stage
        .operator()
        .outhaul(&["confirm", "eu", &bundle, verdict])
        .await;
    assert!(said.unwrap().starts_with("Confirmed: plane eu"));
}

/// A database and what belongs to it stay until somebody confirms that they may go.
async fn what_is_protected_goes_only_confirmed(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    let labels = json!({ "app": "data" });
    let containers = json!([{ "name": "data", "image": "data" }]);
    let set = json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": { "name": "data", "namespace": support::TARGET },
        "spec": {
            "replicas": 0,
            "serviceName": "data",
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": containers } },
        },
    });
    let resources = json!([config_map("settings", "a"), entry("data", &set)]);
    stage
        .operator()
        .release("database", "eu", &resources)
        .await
        .unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    support::has_value(&objects, "settings", "a").await;
    let only = json!([entry("data", &set)]);
    stage.operator().release("database", "eu", &only).await.unwrap();
    support::gone(&mut stage, "eu", "settings").await;

    let releases = stage.operator().releases();
    releases.delete("database", &Default::default()).await.unwrap();
    let said = until_held(stage.operator(), "database", "True").await.unwrap();
    assert_eq!(said["reason"], "Protected");
    assert!(
        said["message"]
            .as_str()
            .unwrap()
            .contains("shop/data is protected"),
        "{said}"
    );
    confirm(&stage, "database", "remove").await;
    poll::until("the Release is gone", stage::PATIENCE, || async {
        ensure!(releases.get_opt("database").await?.is_none());
        Ok(())
    })
    .await
    .unwrap();
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    a_commit_that_empties_every_release_takes_one,
    what_is_protected_goes_only_confirmed,
);
