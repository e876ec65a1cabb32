//! Hubs, agents, networks and API servers that go away in the middle of it, and come back.

use std::time::Duration;

use crate::support::{self, config_map, config_maps, entry, has_value, overwrite, uid_of};
use anyhow::{Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, ListParams, Patch, PatchParams};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// Objects of a Release that takes a while to apply.
const MANY: usize = 400;

fn many(value: &str) -> Value {
    (0..MANY)
        .map(|number| config_map(&format!("part-{number}"), value))
        .collect()
}

/// Waits until the plane has begun to apply `value`.
async fn begun(stage: &mut Stage, value: &str) {
    let objects = config_maps(stage, "eu").await.unwrap();
    let look = || async {
        let some = objects.list(&ListParams::default()).await?;
        ensure!(
            some.items
                .iter()
                .any(|object| object.data["data"]["value"] == value),
            "none yet"
        );
        Ok(())
    };
    poll::until("the plane has begun", stage::PATIENCE, look)
        .await
        .unwrap();
}

/// Whoever is killed while a plane applies goes on where it was, and nothing is lost or made twice.
async fn kills_in_the_middle_of_an_apply_lose_nothing(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    stage.operator().release("large", "eu", &many("a")).await.unwrap();
    begun(&mut stage, "a").await;
    stage.kill_hub();
    stage.restart_hub().await.unwrap();
    stage.operator().ready("large", "True").await.unwrap();
    let first = uid_of(&mut stage, "eu", "part-0").await.unwrap();

    stage.operator().release("large", "eu", &many("b")).await.unwrap();
    begun(&mut stage, "b").await;
    let plane = stage.plane("eu").unwrap();
    plane.kill_agent();
    plane.start_agent(None).unwrap();
    stage.operator().ready("large", "True").await.unwrap();
    let parts = config_maps(&mut stage, "eu")
        .await
        .unwrap()
        .list(&ListParams::default())
        .await
        .unwrap();
    let applied = parts
        .items
        .iter()
        .filter(|object| object.data["data"]["value"] == "b")
        .count();
    assert_eq!(applied, MANY);
    assert_eq!(
        uid_of(&mut stage, "eu", "part-0").await.unwrap(),
        first,
        "an object was made again"
    );
    stage.end().await.unwrap();
}

/// An API server that goes away holds up what needs it, and nothing else.
async fn api_servers_that_go_away_are_waited_for(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "a")]))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();

    let objects = config_maps(&mut stage, "eu").await.unwrap();
    stage.plane("eu").unwrap().cluster.take_api_away().await;
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "b")]))
        .await
        .unwrap();
    let operator = stage.operator();
    let queued = || async {
        let bundle = operator.bundle("eu", "cart").await?;
        ensure!(
            bundle["state"] == "Queued" && bundle["blocker"]["reason"] == "NotStored",
            "{bundle}"
        );
        Ok(())
    };
    poll::until("the edit waits for the plane", stage::PATIENCE, queued)
        .await
        .unwrap();
    stage.plane("eu").unwrap().cluster.give_api_back().await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    has_value(&objects, "one", "b").await;

    stage.control.take_api_away().await;
    overwrite(&objects, "one", "somebody").await.unwrap();
    has_value(&objects, "one", "b").await;
    stage.control.give_api_back().await.unwrap();
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "c")]))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    has_value(&objects, "one", "c").await;
    stage.end().await.unwrap();
}

fn deployment() -> Value {
    let labels = json!({ "app": "web" });
    let template = json!({
        "metadata": { "labels": labels },
        "spec": { "containers": [{ "name": "web", "image": "registry.example/web" }] },
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web", "namespace": support::TARGET },
        "spec": { "replicas": 1, "selector": { "matchLabels": labels }, "template": template },
    })
}

/// Plays the Deployment's controller: says that it serves, or that it gave up.
async fn deployment_status(stage: &mut Stage, serves: bool) {
    let ready = u32::from(serves);
    let reason = if serves {
        "NewReplicaSetAvailable"
    } else {
        "ProgressDeadlineExceeded"
    };
    let status = json!({ "status": {
        "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
        "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": 1 - ready,
        "conditions": [{ "type": "Progressing", "status": if serves { "True" } else { "False" }, "reason": reason }],
    } });
    let client = stage.plane("eu").unwrap().client().await.unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client, support::TARGET);
    let (params, patch) = (PatchParams::default(), Patch::Merge(&status));
    let say = || async { Ok(deployments.patch_status("web", &params, &patch).await?) };
    poll::until("the Deployment has its status", stage::PATIENCE, say)
        .await
        .unwrap();
}

/// Drift is repaired while the plane is cut off, also by an agent that starts there; what its objects came to
/// meanwhile, and what was edited meanwhile, arrives when the network is back.
async fn a_plane_that_is_cut_off_works_on_and_catches_up(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let resources = |value| json!([config_map("one", value), entry("web", &deployment())]);
    stage
        .operator()
        .release("shop", "eu", &resources("a"))
        .await
        .unwrap();
    deployment_status(&mut stage, true).await;
    stage.operator().ready("shop", "True").await.unwrap();

    let objects = config_maps(&mut stage, "eu").await.unwrap();
    // Short enough for the session to survive.
    stage.plane("eu").unwrap().network.cut();
    deployment_status(&mut stage, false).await;
    overwrite(&objects, "one", "somebody").await.unwrap();
    has_value(&objects, "one", "a").await;
    stage.plane("eu").unwrap().network.heal();
    let named = |words: &str| words.contains("web");
    stage.operator().unready("shop", "Degraded", named).await.unwrap();

    // Both ends start again while they cannot see each other.
    stage.plane("eu").unwrap().network.cut();
    stage.kill_hub();
    stage.plane("eu").unwrap().kill_agent();
    deployment_status(&mut stage, true).await;
    overwrite(&objects, "one", "somebody").await.unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    has_value(&objects, "one", "a").await;
    stage.restart_hub().await.unwrap();
    stage
        .operator()
        .release("shop", "eu", &resources("b"))
        .await
        .unwrap();
    stage.plane("eu").unwrap().network.heal();
    stage.operator().ready("shop", "True").await.unwrap();
    has_value(&objects, "one", "b").await;
    stage.end().await.unwrap();
}

/// A hub that knows nothing of what a plane holds takes nothing away: what it does not know is kept and shown. A hub
/// with another authority is not this plane's hub at all.
async fn an_emptied_hub_removes_nothing(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "a")]))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let uid = uid_of(&mut stage, "eu", "one").await.unwrap();

    stage.stop_hub().await.unwrap();
    forget(&stage, "cart").await.unwrap();
    stage.restart_hub().await.unwrap();
    let operator = stage.operator();
    let orphaned = || async {
        let plane = operator.rest().get("/api/v1/planes/eu").await?;
        let expected = json!({
            "total": 1,
            "bundles": [{ "kind": "Release", "namespace": "default", "name": "cart" }],
        });
        ensure!(plane["orphans"] == expected, "{plane}");
        Ok(())
    };
    poll::until("the Release is shown as orphaned", stage::PATIENCE, orphaned)
        .await
        .unwrap();
    assert_eq!(uid_of(&mut stage, "eu", "one").await.unwrap(), uid);

    stage.stop_hub().await.unwrap();
    let client = stage.control.client().await.unwrap();
    let secrets: Api<k8s_openapi::api::core::v1::Secret> = Api::namespaced(client, stage::SYSTEM);
    secrets.delete("outhaul-hub", &Default::default()).await.unwrap();
    stage.restart_hub().await.unwrap();
    let passed = stage.plane("eu").unwrap().network.counts().passed;
    let plane = stage.plane("eu").unwrap();
    let refused = || async {
        let now = plane.network.counts().passed;
        ensure!(now > passed + 10, "{now} datagrams after {passed}");
        Ok(())
    };
    poll::until("the agent has seen the other hub", stage::PATIENCE, refused)
        .await
        .unwrap();
    stage.connected("eu", false).await.unwrap();
    assert_eq!(uid_of(&mut stage, "eu", "one").await.unwrap(), uid);
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    overwrite(&objects, "one", "somebody").await.unwrap();
    has_value(&objects, "one", "a").await;
    stage.end().await.unwrap();
}

/// Deletes a Release behind the hub's back.
async fn forget(stage: &Stage, release: &str) -> Result<()> {
    let releases = stage.operator().releases();
    let no_finalizers = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    releases
        .patch(release, &PatchParams::default(), &no_finalizers)
        .await?;
    releases.delete(release, &Default::default()).await?;
    poll::until("the Release is gone", Duration::from_secs(10), || async {
        ensure!(releases.get_opt(release).await?.is_none(), "it is still there");
        Ok(())
    })
    .await
}

support::on_both_grounds!(
    kills_in_the_middle_of_an_apply_lose_nothing,
    api_servers_that_go_away_are_waited_for,
    a_plane_that_is_cut_off_works_on_and_catches_up,
    an_emptied_hub_removes_nothing,
);
