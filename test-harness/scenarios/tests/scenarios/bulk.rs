//! What is deleted along with its namespace, or with its definition, stays in planes until somebody confirms it.

use crate::support::{self, config_map, config_maps, gone, has_value};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::core::v1::{Event, Namespace};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, PostParams};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// A namespace of the control plane with Releases of its own.
const TEAM: &str = "team";

async fn releases(stage: &Stage) -> Api<DynamicObject> {
    let release = ApiResource::from_gvk(&GroupVersionKind::gvk("openchoreo.dev", "v1alpha1", "Release"));
    Api::namespaced_with(stage.control.client().await.unwrap(), TEAM, &release)
}

/// A stage whose plane has one object each of the Releases `one` and `two`.
async fn set_up(ground: &Ground) -> Stage {
    let stage = Stage::start_with_bare_planes(ground, &["eu"]).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(stage.control.client().await.unwrap());
    let team = json!({"metadata": {"name": TEAM}});
    let team = serde_json::from_value(team).unwrap();
    namespaces.create(&PostParams::default(), &team).await.unwrap();
    let releases = releases(&stage).await;
    for name in ["one", "two"] {
        let release = json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release", "metadata": {"name": name},
            "spec": {
                "owner": {"projectName": "shop", "componentName": name}, "environmentName": "eu",
                "resources": [config_map(name, "a")],
            },
        });
        let release = serde_json::from_value(release).unwrap();
        releases.create(&PostParams::default(), &release).await.unwrap();
    }
    for name in ["one", "two"] {
        said(&stage, name, |bundle| bundle["state"] == "Ready").await;
    }
    stage
}

/// Waits until REST says so of a Release.
async fn said(stage: &Stage, name: &str, holds: impl Fn(&Value) -> bool) {
    let path = format!("/api/v1/planes/eu/bundles/Release/{TEAM}/{name}");
    let look = || async {
        let bundle = stage.operator().rest().get(&path).await?;
        ensure!(holds(&bundle), "{bundle}");
        Ok(())
    };
    poll::until(&format!("{name} is as wanted"), stage::PATIENCE, look)
        .await
        .unwrap();
}

/// Both are held, the plane has both objects, and it is said how to go on: one is let go, and the other left.
async fn held_until_confirmed(mut stage: Stage, words: &str) {
    for name in ["one", "two"] {
        said(&stage, name, |bundle| {
            let message = bundle["blocker"]["message"].as_str().unwrap_or_default();
            bundle["blocker"]["reason"] == "DeletedInBulk" && message.contains(words)
        })
        .await;
    }
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    for name in ["one", "two"] {
        has_value(&objects, name, "a").await;
    }
    let events: Api<Event> = Api::all(stage.control.client().await.unwrap());
    let told = || async {
        let events = events.list(&ListParams::default()).await?;
        let mut about = events
            .items
            .iter()
            .filter(|event| event.reason.as_deref() == Some("DeletedInBulk"));
        let event = about.next().context("no Event")?;
        ensure!(
            event.involved_object.kind.as_deref() == Some("Plane"),
            "{event:?}"
        );
        Ok(())
    };
    poll::until("the Plane says it", stage::PATIENCE, told)
        .await
        .unwrap();
    let operator = stage.operator();
    let explained = operator.outhaul(&["explain", "plane/eu"]).await.unwrap();
    let command = format!("      outhaul confirm eu release/{TEAM}/one remove\n");
    assert!(explained.contains(&command), "{explained}");

    let [one, two] = ["one", "two"].map(|name| format!("release/{TEAM}/{name}"));
    operator
        .outhaul(&["confirm", "eu", &one, "remove"])
        .await
        .unwrap();
    operator.outhaul(&["confirm", "eu", &two, "leave"]).await.unwrap();
    gone(&mut stage, "eu", "one").await;
    let left = || async {
        let status = stage.operator().rest().get("/api/v1/planes/eu").await?;
        ensure!(status["queue"]["bundles"] == 0, "{status}");
        Ok(())
    };
    poll::until("nothing is meant for the plane", stage::PATIENCE, left)
        .await
        .unwrap();
    has_value(&objects, "two", "a").await;
    // The end would ask whether the hub lacked a right, and a namespace that is being deleted refuses an Event in it like one.
}

async fn a_namespace_of_releases_deleted(ground: Ground) {
    let stage = set_up(&ground).await;
    let namespaces: Api<Namespace> = Api::all(stage.control.client().await.unwrap());
    namespaces.delete(TEAM, &DeleteParams::default()).await.unwrap();
    held_until_confirmed(stage, "namespace team is being deleted").await;
}

async fn the_definition_of_releases_deleted(ground: Ground) {
    let stage = set_up(&ground).await;
    let definitions: Api<CustomResourceDefinition> = Api::all(stage.control.client().await.unwrap());
    definitions
        .delete("releases.openchoreo.dev", &DeleteParams::default())
        .await
        .unwrap();
    held_until_confirmed(stage, "the definition releases.openchoreo.dev is being deleted").await;
}

support::on_both_grounds!(
    a_namespace_of_releases_deleted,
    the_definition_of_releases_deleted
);
