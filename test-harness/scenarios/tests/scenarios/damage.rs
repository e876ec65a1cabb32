//! What cannot be read, and what was lost: it harms only what it is about, and nothing is called gone that is there.

use crate::blockers::{define_widgets, widget};
use crate::support::{self, config_map, config_maps, entry, has_value, overwrite};
use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// More levels than a careless reader follows.
const LEVELS: usize = 300;

/// Says which Secrets of the agent are its store.
const STORE: &str = "outhaul.dev/store";

/// Nests maps in the widget of the plane, as somebody with the right to do it can.
async fn nest_widget(stage: &mut Stage) -> Result<()> {
    let client = stage.plane("eu")?.client().await?;
    // Each step is shallow, so that no client has to follow it down.
    let step =
        |depth: usize| json!({"op": "add", "path": format!("/deep{}", "/a".repeat(depth)), "value": {}});
    let steps: Vec<Value> = (0..LEVELS).map(step).collect();
    let request = http::Request::patch("/apis/example.com/v1/namespaces/shop/widgets/widget")
        .header("content-type", "application/json-patch+json")
        .body(serde_json::to_vec(&steps)?)?;
    client.request_text(request).await?;
    Ok(())
}

/// An object that nests deep stops neither the watch of its kind nor what is applied beside it.
async fn an_object_that_nests_deep_concerns_nobody_else(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let widgets = |size: u32, value: &str| {
        let (mut deep, mut beside) = (widget(), widget());
        deep["spec"]["size"] = size.into();
        beside["metadata"]["name"] = "beside".into();
        beside["spec"]["size"] = size.into();
        json!([
            entry("deep", &deep),
            entry("beside", &beside),
            config_map("one", value)
        ])
    };
    stage
        .operator()
        .release("cart", "eu", &widgets(1, "a"))
        .await
        .unwrap();
    define_widgets(&mut stage).await;
    stage.operator().ready("cart", "True").await.unwrap();
    nest_widget(&mut stage).await.unwrap();
    // By the watch, by an apply of the object itself, and by the list at the agent's next start.
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    overwrite(&objects, "one", "somebody").await.unwrap();
    has_value(&objects, "one", "a").await;
    stage
        .operator()
        .release("cart", "eu", &widgets(2, "b"))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let plane = stage.plane("eu").unwrap();
    plane.stop_agent().await.unwrap();
    plane.start_agent(None).unwrap();
    stage
        .operator()
        .release("cart", "eu", &widgets(3, "c"))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    has_value(&objects, "one", "c").await;
    stage.operator().delete("cart").await.unwrap();
    stage.end().await.unwrap();
}

/// The agent's Secrets.
async fn store(stage: &mut Stage) -> Result<Api<Secret>> {
    let client = stage.plane("eu")?.client().await?;
    Ok(Api::namespaced(client, stage::SYSTEM))
}

/// A Release of two objects, of which the newest generation wants one, and a finalizer holds the other.
async fn shrunk(ground: &Ground) -> Stage {
    let mut stage = Stage::start_bare(ground, &["eu"]).await.unwrap();
    let mut two = config_map("two", "a");
    two["object"]["metadata"]["finalizers"] = json!(["example.com/keep"]);
    let both = json!([config_map("one", "a"), two]);
    stage.operator().release("cart", "eu", &both).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "b")]))
        .await
        .unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    let look = || async {
        let two = objects.get("two").await?;
        ensure!(two.metadata.deletion_timestamp.is_some(), "it is not let go yet");
        Ok(())
    };
    poll::until("two is on its way out", stage::PATIENCE, look)
        .await
        .unwrap();
    stage
}

async fn release_two(stage: &mut Stage) {
    let objects = config_maps(stage, "eu").await.unwrap();
    let open = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    objects
        .patch("two", &PatchParams::default(), &open)
        .await
        .unwrap();
}

/// Content that is damaged is pulled again, and the inventory beside it still counts.
async fn damaged_content_keeps_the_inventory(ground: Ground) {
    let mut stage = shrunk(&ground).await;
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    let secrets = store(&mut stage).await.unwrap();
    let stored = secrets
        .list(&ListParams::default().labels(&format!("{STORE}=resource")))
        .await
        .unwrap();
    for secret in stored.items {
        let damage = Patch::Merge(json!({"data": {"content": "AAAA"}}));
        let name = secret.metadata.name.unwrap();
        secrets
            .patch(&name, &PatchParams::default(), &damage)
            .await
            .unwrap();
    }
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "c")]))
        .await
        .unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    has_value(&objects, "one", "c").await;
    let bundle = || async {
        let bundle = stage.operator().bundle("eu", "cart").await?;
        ensure!(
            bundle["leftovers"].as_array().is_some_and(|it| it.len() == 1),
            "{bundle}"
        );
        Ok(())
    };
    poll::until("two is a leftover", stage::PATIENCE, bundle)
        .await
        .unwrap();
    release_two(&mut stage).await;
    support::gone(&mut stage, "eu", "two").await;
    stage.operator().ready("cart", "True").await.unwrap();
    stage.operator().delete("cart").await.unwrap();
    stage.end().await.unwrap();
}

/// A plane that lost its store finds what an older generation left there before it says that a Release is gone.
async fn a_lost_store_leaves_nothing_behind_that_is_called_gone(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let both = json!([config_map("one", "a"), config_map("two", "a")]);
    stage.operator().release("cart", "eu", &both).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    let secrets = store(&mut stage).await.unwrap();
    secrets
        .delete_collection(&DeleteParams::default(), &ListParams::default().labels(STORE))
        .await
        .unwrap();
    stage
        .operator()
        .release("cart", "eu", &json!([config_map("one", "b")]))
        .await
        .unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    let two = objects.get_opt("two").await.unwrap();
    assert!(
        two.is_some(),
        "labels alone do not delete under a Release that is present"
    );
    stage.operator().delete("cart").await.unwrap();
    for name in ["one", "two"] {
        assert!(
            objects.get_opt(name).await.unwrap().is_none(),
            "{name} is there, and the Release is gone"
        );
    }
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    an_object_that_nests_deep_concerns_nobody_else,
    damaged_content_keeps_the_inventory,
    a_lost_store_leaves_nothing_behind_that_is_called_gone,
);
