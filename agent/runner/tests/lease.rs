//! An agent acts only while it holds the Lease.

mod support;

use serde_json::{Value, json};
use support::World;
use support::cluster::{config_map_path, value};
use support::hub::config_map;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/outhaul-system/leases";

fn path() -> String {
    format!("{LEASES}/outhaul-agent")
}

fn held_by(holder: &str) -> Value {
    json!({"spec": {"holderIdentity": holder, "leaseDurationSeconds": 3600}})
}

#[tokio::test]
async fn an_agent_waits_for_its_turn_and_ends_all_it_does_when_another_takes_over() {
    let world = World::start().await;
    world.make_namespace("outhaul-system").await;
    let mut lease = held_by("another");
    lease["apiVersion"] = "coordination.k8s.io/v1".into();
    lease["kind"] = "Lease".into();
    lease["metadata"] = json!({"name": "outhaul-agent"});
    world.post(LEASES, &lease).await;
    let agent = world.agent();
    world.merge(&path(), &held_by("")).await;
    let mut hub = world.session().await;
    let first = hub.hello.clone();
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    hub.until_healthy(&key, 1).await;

    world.merge(&path(), &held_by("another")).await;
    // It notices when it would renew it.
    hub.ended().await;
    world
        .merge(&config_map_path("one"), &json!({"data": {"value": "drifted"}}))
        .await;
    world.merge(&path(), &held_by("")).await;
    let second = world.session().await.hello;
    assert_eq!(second.term.boot, first.term.boot + 1, "it has begun anew");
    world
        .until(&config_map_path("one"), "repaired", |object| {
            value(object) == Some("1")
        })
        .await;
    agent.stop().await;
    let lease = world.get(&path()).await.unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], "", "the next need not wait");
}

#[tokio::test]
async fn one_that_was_killed_and_starts_again_under_its_name_does_not_wait() {
    let world = World::start().await;
    let config = || outhaul_agent_runner::Config {
        holder: Some("pod".into()),
        ..world.config()
    };
    let agent = support::Running::of(config());
    let first = world.session().await.hello;
    agent.kill().await;
    let agent = support::Running::of(config());
    let second = world.session().await.hello;
    assert_eq!(second.term.boot, first.term.boot + 1);
    agent.stop().await;
}
