//! The agent's whole life on a real API server: where the embedded one and the real one differ, this one is right.

mod support;

use std::time::Instant;

use outhaul_kubernetes::{Cluster, Options, require_or_skip};
use outhaul_protocol_wire::report::{BlockerReason, Health};
use serde_json::{Value, json};
use support::World;
use support::cluster::{config_map_path, value};
use support::hub::{DEFINITIONS, config_map, widget, widget_definition};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

fn deployment(replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}, "creationTimestamp": null},
                "spec": {"containers": [{
                    "name": "web", "image": "web:1", "resources": {"requests": {"cpu": "1000m"}},
                }]},
            },
        },
    })
}

/// What the agent wrote of an object, and when. Its controllers write of it when they come to it.
fn ours(object: Option<Value>) -> Value {
    let mut object = object.expect("it is there");
    let managers = object["metadata"]["managedFields"].take();
    let managers = managers.as_array().into_iter().flatten();
    let entries = managers.filter(|entry| entry["manager"] == "release-controller");
    let entries: Vec<_> = entries.cloned().collect();
    assert!(!entries.is_empty(), "the agent applied it");
    json!({ "uid": object["metadata"]["uid"], "entries": entries })
}

#[tokio::test]
async fn an_agent_lives_its_whole_life() {
    let Some(programs) = require_or_skip() else { return };
    let cluster = Cluster::start(&programs, Options::controllers()).await.unwrap();
    let world = World::on(cluster.client().await.unwrap());
    let agent = world.agent();
    let mut hub = world.session().await;

    // Applied; the Deployment controller says how it goes.
    let key = hub
        .release("cart", 1, &[config_map("one", "1"), deployment(2)])
        .await;
    hub.until("the Deployment progresses", |hub| {
        let web = hub.reports.get(&key).and_then(|reports| reports.get("web"));
        web.is_some_and(|web| web.health == Health::Progressing && web.status.digest().is_some())
    })
    .await;

    // What controllers write is no drift: the object rests, although a quantity comes back written otherwise.
    let rested = hub.release("other", 1, &[config_map("other", "1")]).await;
    hub.until_healthy(&rested, 1).await;
    let managers = world.get(DEPLOYMENT).await.unwrap()["metadata"]["managedFields"].clone();
    assert_eq!(managers.as_array().unwrap()[0]["manager"], "release-controller");

    // Drift is repaired, a scale by its own subresource is left alone.
    world
        .merge(DEPLOYMENT, &json!({"spec": {"paused": true, "replicas": 3}}))
        .await;
    world
        .until(DEPLOYMENT, "repaired", |it| {
            it.is_some_and(|it| it["spec"]["replicas"] == 2)
        })
        .await;
    world
        .merge(&format!("{DEPLOYMENT}/scale"), &json!({"spec": {"replicas": 5}}))
        .await;
    world.delete(&config_map_path("one")).await;
    world
        .until(&config_map_path("one"), "created again", |it| {
            value(it) == Some("1")
        })
        .await;
    assert_eq!(world.get(DEPLOYMENT).await.unwrap()["spec"]["replicas"], 5);

    // Refusals get their names, and the rest goes on.
    let mut immutable = deployment(2);
    immutable["spec"]["selector"]["matchLabels"]["app"] = "other".into();
    immutable["spec"]["template"]["metadata"]["labels"]["app"] = "other".into();
    let mut wrong = config_map("wrong", "1");
    wrong["data"]["value"] = 1.into();
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "none", "namespace": "shop"}, "spec": {},
    });
    hub.release("cart", 2, &[config_map("one", "2"), immutable, wrong, service])
        .await;
    hub.until_blocked(&key, "web", BlockerReason::Immutable).await;
    hub.until_blocked(&key, "wrong", BlockerReason::Invalid).await;
    hub.until_blocked(&key, "none", BlockerReason::Invalid).await;
    world
        .until(&config_map_path("one"), "changed", |it| value(it) == Some("2"))
        .await;

    // A start that finds everything as it was writes nothing.
    hub.release("cart", 3, &[config_map("one", "2"), deployment(2)])
        .await;
    hub.until("the Deployment is as wanted again", |hub| {
        hub.blocker(&key, "web").is_none()
    })
    .await;
    agent.stop().await;
    let one = config_map_path("one");
    let before = [world.get(&one).await, world.get(DEPLOYMENT).await].map(ours);
    let agent = world.agent();
    let mut hub = world.session().await;
    let third = hub.release("third", 1, &[config_map("third", "1")]).await;
    hub.until_healthy(&third, 1).await;
    let after = [world.get(&one).await, world.get(DEPLOYMENT).await].map(ours);
    assert_eq!(after, before);

    // A kind that is not served for a while holds its removal up; one that is defined nowhere does not.
    world.post(DEFINITIONS, &widget_definition()).await;
    let widgets = hub.release("widgets", 1, &[widget()]).await;
    hub.until_healthy(&widgets, 1).await;
    let definition = format!("{DEFINITIONS}/widgets.example.dev");
    let served = |served: bool| {
        let mut versions = widget_definition()["spec"]["versions"].clone();
        versions[0]["served"] = served.into();
        json!({"spec": {"versions": versions}})
    };
    world.merge(&definition, &served(false)).await;
    world
        .until("/apis/example.dev/v1", "withdrawn", |it| it.is_none())
        .await;
    let held = hub.remove("widgets", 2).await;
    hub.until("the removal is held up", |hub| {
        let leftovers = hub.leftovers.get(&widgets);
        let blocker = leftovers.and_then(|it| it.first()?.blocker.as_ref());
        blocker.is_some_and(|blocker| blocker.reason == BlockerReason::KindUnknown)
    })
    .await;
    assert_eq!(hub.gone, []);
    world.merge(&definition, &served(true)).await;
    hub.until("it is deleted, and gone", |hub| hub.gone == [held.clone()])
        .await;
    hub.gone.clear();

    // Announced to reported takes a Secret and an apply: about 5 ms there. The bar itself is the bench's business.
    let mut times = Vec::new();
    for number in 0..50 {
        let name = format!("release-{number}");
        let begun = Instant::now();
        let key = hub.release(&name, 1, &[config_map(&name, "1")]).await;
        hub.until_healthy(&key, 1).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    tracing::info!(median = ?times[25], slowest = ?times[49], "Announced to reported");
    assert!(times[25].as_millis() < 100, "median {:?}", times[25]);

    // Removed, and gone.
    let held = hub.remove("cart", 4).await;
    hub.until("all is gone", |hub| hub.gone == [held.clone()]).await;
    assert_eq!(
        (
            world.get(&config_map_path("one")).await,
            world.get(DEPLOYMENT).await
        ),
        (None, None)
    );
    agent.stop().await;
}
