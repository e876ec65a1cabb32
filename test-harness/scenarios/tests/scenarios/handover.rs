//! Of several agents of one plane one acts, and another goes on where it ended.

use crate::support::{self, config_map, config_maps, has_value, in_plane};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};
use outhaul_scenarios::running::Running;
use outhaul_scenarios::stage::SYSTEM;
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::json;

fn agent(stage: &Stage, holder: &str) -> Running {
    let plane = &stage.planes["eu"];
    stage::agent(
        &plane.cluster,
        SYSTEM,
        None,
        plane.network.address(),
        Some(holder),
    )
    .unwrap()
}

async fn holder(stage: &Stage) -> Option<String> {
    let leases: Api<Lease> = Api::namespaced(stage.planes["eu"].client().await.unwrap(), SYSTEM);
    leases.get("outhaul-agent").await.unwrap().spec?.holder_identity
}

/// Waits until the agent that has started for the `boot`th time has a session.
async fn started(stage: &Stage, boot: u64) {
    let look = || async {
        let view = stage.operator().rest().get("/api/v1/planes/eu").await?;
        ensure!(
            view["connection"]["term"]["boot"] == boot,
            "{}",
            view["connection"]
        );
        Ok(())
    };
    // One that was killed has its Lease for half a minute.
    poll::until(&format!("start {boot} is connected"), 2 * stage::PATIENCE, look)
        .await
        .unwrap();
}

async fn boot(stage: &Stage) -> u64 {
    let view = stage.operator().rest().get("/api/v1/planes/eu").await.unwrap();
    view["connection"]["term"]["boot"].as_u64().unwrap()
}

/// Two agents start at once. One acts; when it is killed the other goes on once the Lease has run out, and when that one is
/// stopped the next does at once. Nothing is applied again, and nobody is taken for a copy.
async fn one_of_two_agents_acts_and_the_other_goes_on(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let resources = |value: &str| json!([config_map("kept", "a"), config_map("edited", value)]);
    stage
        .operator()
        .release("cart", "eu", &resources("a"))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let kept = in_plane(&mut stage, "eu", "kept").await.unwrap();
    let first = boot(&stage).await;
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    stage.connected("eu", false).await.unwrap();

    let mut agents = vec![("one", agent(&stage, "one")), ("two", agent(&stage, "two"))];
    started(&stage, first + 1).await;
    stage
        .operator()
        .release("cart", "eu", &resources("b"))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let acting = holder(&stage).await.unwrap();
    let at = agents.iter().position(|(name, _)| *name == acting);
    let (_, running) = agents.remove(at.context(acting).unwrap());
    assert_eq!(
        boot(&stage).await,
        first + 1,
        "the other has not even counted its start"
    );
    running.kill();

    started(&stage, first + 2).await;
    let (name, running) = agents.remove(0);
    assert_eq!(holder(&stage).await.as_deref(), Some(name));
    stage
        .operator()
        .release("cart", "eu", &resources("c"))
        .await
        .unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let waiting = agent(&stage, "three");
    running.stop().await.unwrap();
    started(&stage, first + 3).await;
    stage
        .operator()
        .release("cart", "eu", &resources("d"))
        .await
        .unwrap();
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    has_value(&objects, "edited", "d").await;

    let after = in_plane(&mut stage, "eu", "kept").await.unwrap();
    assert_eq!(after.metadata.resource_version, kept.metadata.resource_version);
    let events: Api<Event> = Api::all(stage.control.client().await.unwrap());
    let events = events.list(&ListParams::default()).await.unwrap();
    let reasons: Vec<_> = events
        .items
        .iter()
        .filter_map(|event| event.reason.as_deref())
        .collect();
    assert!(!reasons.contains(&"IdentityCopied"), "{reasons:?}");
    waiting.stop().await.unwrap();
    stage.end().await.unwrap();
}

support::on_both_grounds!(one_of_two_agents_acts_and_the_other_goes_on);
