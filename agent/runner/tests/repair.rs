//! What is in place stays in place: whatever others do, whoever is away, and however often the agent starts.

mod support;

use outhaul_fake_kube_server::{Fault, FaultRule, Verb};
use outhaul_protocol_wire::head::Head;
use outhaul_protocol_wire::report::BlockerReason;
use outhaul_protocol_wire::root;
use serde_json::json;
use support::World;
use support::cluster::{config_map_path, value};
use support::hub::{DEFINITIONS, config_map, widget, widget_definition};

/// A plane with one Release of one ConfigMap in place.
async fn in_place() -> (
    World,
    support::Running,
    support::hub::Session,
    outhaul_protocol_wire::head::Key,
) {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    hub.until_healthy(&key, 1).await;
    (world, agent, hub, key)
}

#[tokio::test]
async fn what_somebody_changes_or_deletes_is_put_back() {
    let (world, agent, _hub, _) = in_place().await;
    let path = config_map_path("one");
    world.merge(&path, &json!({"data": {"value": "theirs"}})).await;
    world.until(&path, "put back", |it| value(it) == Some("1")).await;
    world
        .merge(
            &path,
            &json!({"metadata": {"labels": {"openchoreo.dev/managed-by": null}}}),
        )
        .await;
    world
        .until(&path, "labelled again", |it| {
            it.is_some_and(|it| it["metadata"]["labels"]["openchoreo.dev/managed-by"] == "release-controller")
        })
        .await;
    world.delete(&path).await;
    world
        .until(&path, "created again", |it| value(it) == Some("1"))
        .await;
    agent.stop().await;
}

#[tokio::test]
async fn what_others_add_is_left_alone() {
    let (world, agent, mut hub, key) = in_place().await;
    let path = config_map_path("one");
    let theirs = world
        .merge(&path, &json!({"metadata": {"annotations": {"theirs": "1"}}}))
        .await;
    // A later change shows that the earlier one has been looked at.
    hub.release("cart", 2, &[config_map("one", "1"), config_map("two", "2")])
        .await;
    hub.until_healthy(&key, 2).await;
    assert_eq!(world.get(&path).await, Some(theirs));
    agent.stop().await;
}

#[tokio::test]
async fn a_controller_that_writes_it_back_is_named_and_repaired_less_often() {
    let (world, agent, mut hub, key) = in_place().await;
    let path = config_map_path("one");
    let fight = async {
        loop {
            world.merge(&path, &json!({"data": {"value": "theirs"}})).await;
            world.until(&path, "put back", |it| value(it) == Some("1")).await;
        }
    };
    tokio::select! {
        () = fight => {}
        message = hub.until_blocked(&key, "one", BlockerReason::Conflict) => {
            assert!(message.contains("somebody-else"), "{message}");
        }
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_restarted_agent_repairs_without_a_hub_and_writes_nothing_if_nothing_changed() {
    let (world, agent, hub, _) = in_place().await;
    agent.stop().await;
    hub.close();
    let path = config_map_path("one");
    world.merge(&path, &json!({"data": {"value": "theirs"}})).await;
    let agent = world.agent();
    world.until(&path, "put back", |it| value(it) == Some("1")).await;
    agent.stop().await;
    let before = (world.get(&path).await, world.stored("resource").await);
    let agent = world.agent();
    // The hello with an observed root says that everything was looked at.
    let mut hub = world.session().await;
    if hub.hello.observed.is_none() {
        hub.release("other", 1, &[config_map("other", "1")]).await;
        hub.until("the other", |hub| !hub.reports.is_empty()).await;
    }
    agent.stop().await;
    let mut after = (world.get(&path).await, world.stored("resource").await);
    after
        .1
        .retain(|secret| secret["metadata"]["annotations"]["outhaul.dev/resource"] == "Release acme/cart");
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_damaged_record_is_set_aside_and_deletes_nothing() {
    let (world, agent, hub, _) = in_place().await;
    agent.stop().await;
    hub.close();
    let secret = world.stored("resource").await.remove(0);
    let path = format!(
        "/api/v1/namespaces/outhaul-system/secrets/{}",
        secret["metadata"]["name"].as_str().unwrap()
    );
    world.merge(&path, &json!({"data": {"record": "AAAA"}})).await;
    let agent = world.agent();
    let mut hub = world.greeted().await;
    assert_eq!(world.stored("damaged").await.len(), 1);
    assert_eq!(
        value(world.get(&config_map_path("one")).await.as_ref()),
        Some("1")
    );
    hub.welcome(false).await;
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    hub.until_healthy(&key, 1).await;
    assert_eq!(
        (
            world.stored("damaged").await.len(),
            world.stored("resource").await.len()
        ),
        (0, 1)
    );
    agent.stop().await;
}

#[tokio::test]
async fn a_hub_that_knows_nothing_takes_nothing_away() {
    let (world, agent, hub, key) = in_place().await;
    hub.close();
    let mut empty = world.greeted().await;
    empty.welcome(false).await;
    empty.announce(Vec::new(), true).await;
    let other = empty.release("other", 1, &[config_map("other", "1")]).await;
    empty.until_healthy(&other, 1).await;
    assert_eq!(
        value(world.get(&config_map_path("one")).await.as_ref()),
        Some("1")
    );
    empty.close();
    let hello = world.greeted().await.hello;
    assert_eq!((hello.orphans.keys, hello.orphans.total), (vec![key], 1));
    agent.stop().await;
}

#[tokio::test]
async fn an_object_of_another_owner_is_neither_changed_nor_deleted() {
    let world = World::start().await;
    world.make_namespace("shop").await;
    let mut theirs = config_map("one", "theirs");
    theirs["metadata"]["labels"] = json!({
        "openchoreo.dev/managed-by": "release-controller", "openchoreo.dev/release-uid": "uid-of-another",
        "openchoreo.dev/release-name": "another", "openchoreo.dev/release-namespace": "acme",
    });
    let theirs = world.post("/api/v1/namespaces/shop/configmaps", &theirs).await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    let message = hub
        .until_blocked(&key, "one", BlockerReason::OwnedByAnother)
        .await;
    assert!(message.contains("acme/another"), "{message}");
    let held = hub.remove("cart", 2).await;
    hub.until("it is gone", |hub| hub.gone == [held.clone()]).await;
    assert_eq!(world.get(&config_map_path("one")).await, Some(theirs));
    agent.stop().await;
}

#[tokio::test]
async fn an_object_whose_kind_comes_later_is_applied_when_it_comes() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub.release("cart", 1, &[widget()]).await;
    hub.until_blocked(&key, "widget", BlockerReason::KindUnknown)
        .await;
    world.post(DEFINITIONS, &widget_definition()).await;
    hub.until_healthy(&key, 1).await;
    agent.stop().await;
}

#[tokio::test]
async fn an_api_server_that_was_away_gets_what_came_meanwhile() {
    let (world, agent, mut hub, key) = in_place().await;
    world.kube().stop_listening().await;
    hub.release("cart", 2, &[config_map("one", "2")]).await;
    world.kube().resume_listening().await.unwrap();
    world
        .until(&config_map_path("one"), "changed", |it| value(it) == Some("2"))
        .await;
    hub.until_healthy(&key, 1).await;
    agent.stop().await;
}

#[tokio::test]
async fn an_api_server_that_asks_for_less_is_named_and_then_gets_the_rest() {
    let (world, agent, mut hub, key) = in_place().await;
    let busy = FaultRule::always(Fault::TooManyRequests { retry_after: 1 });
    world.kube().inject(busy.on_resource("", "configmaps").times(2));
    hub.release("cart", 2, &[config_map("one", "2"), config_map("two", "2")])
        .await;
    hub.until_blocked(&key, "two", BlockerReason::ApiUnavailable)
        .await;
    hub.until_healthy(&key, 2).await;
    agent.stop().await;
}

#[tokio::test]
async fn what_the_agent_may_not_do_is_shown_and_done_once_it_may() {
    let (world, agent, mut hub, key) = in_place().await;
    let forbidden = FaultRule::always(Fault::Forbidden).on_verb(Verb::Patch);
    world
        .kube()
        .inject(forbidden.on_resource("", "configmaps").times(3));
    hub.release("cart", 2, &[config_map("one", "2")]).await;
    hub.until_blocked(&key, "one", BlockerReason::Forbidden).await;
    hub.until_healthy(&key, 1).await;
    assert_eq!(
        value(world.get(&config_map_path("one")).await.as_ref()),
        Some("2")
    );
    agent.stop().await;
}

#[tokio::test]
async fn what_goes_with_its_definition_is_gone() {
    let world = World::start().await;
    world.post(DEFINITIONS, &widget_definition()).await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub.release("cart", 1, &[widget()]).await;
    hub.until_healthy(&key, 1).await;
    world.delete(&format!("{DEFINITIONS}/widgets.example.dev")).await;
    let held = hub.remove("cart", 2).await;
    hub.until("nothing of it can be there", |hub| hub.gone == [held.clone()])
        .await;
    agent.stop().await;
}

#[tokio::test]
async fn an_object_that_somebody_nests_deep_blinds_nobody() {
    let world = World::start().await;
    world.post(DEFINITIONS, &widget_definition()).await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let mut neighbour = widget();
    neighbour["metadata"]["name"] = "neighbour".into();
    neighbour["spec"] = json!({"size": 1});
    let key = hub.release("cart", 1, &[widget(), neighbour]).await;
    hub.until_healthy(&key, 2).await;
    let path = |name: &str| format!("/apis/example.dev/v1/namespaces/shop/widgets/{name}");
    world.nest(&path("widget"), "deep", 300).await;
    // The watch goes on past it.
    world
        .merge(&path("neighbour"), &json!({"spec": {"size": 2}}))
        .await;
    let repaired = |it: Option<&serde_json::Value>| it.is_some_and(|it| it["spec"]["size"] == 1);
    world.until(&path("neighbour"), "put back", repaired).await;
    // A list does, too, and so does an apply of the deep one itself.
    agent.stop().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let mut larger = widget();
    larger["spec"] = json!({"size": 3});
    hub.release("cart", 2, &[larger]).await;
    hub.until_healthy(&key, 1).await;
    world.until(&path("neighbour"), "pruned", |it| it.is_none()).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_resource_whose_content_is_damaged_keeps_its_inventory_and_is_pulled_again() {
    let (world, agent, mut hub, key) = in_place().await;
    let mut held_back = config_map("two", "2");
    held_back["metadata"]["finalizers"] = json!(["example.dev/keep"]);
    hub.release("cart", 2, &[config_map("one", "1"), held_back]).await;
    hub.until_healthy(&key, 2).await;
    hub.release("cart", 3, &[config_map("one", "1")]).await;
    hub.until("two is on its way out", |hub| !hub.leftovers[&key].is_empty())
        .await;
    agent.stop().await;
    hub.close();
    let secret = world.stored("resource").await.remove(0);
    let name = secret["metadata"]["name"].as_str().unwrap();
    let path = format!("/api/v1/namespaces/outhaul-system/secrets/{name}");
    world.merge(&path, &json!({"data": {"content": "AAAA"}})).await;
    let agent = world.agent();
    let mut hub = world.greeted().await;
    assert_ne!(hub.hello.desired, root::desired(std::iter::empty::<&Head>()));
    let damage = |secret: &serde_json::Value| secret["metadata"]["annotations"]["outhaul.dev/damage"].clone();
    let marked = world.stored("resource").await;
    assert!(marked.iter().all(|it| damage(it).is_string()), "{marked:?}");
    let events = world
        .get("/api/v1/namespaces/outhaul-system/events")
        .await
        .unwrap();
    assert_eq!(events["items"][0]["reason"], "StoreDamaged", "{events}");
    assert_eq!(events["items"][0]["involvedObject"]["name"], name);
    hub.welcome(false).await;
    hub.release("cart", 3, &[config_map("one", "1")]).await;
    hub.until("two is still on its way out", |hub| {
        hub.leftovers
            .get(&key)
            .is_some_and(|left| left[0].object.name == "two")
    })
    .await;
    world
        .merge(
            &config_map_path("two"),
            &json!({"metadata": {"finalizers": null}}),
        )
        .await;
    world
        .until(&config_map_path("two"), "gone", |it| it.is_none())
        .await;
    assert!(
        world
            .stored("resource")
            .await
            .iter()
            .all(|it| damage(it).is_null())
    );
    agent.stop().await;
}

#[tokio::test]
async fn a_removal_after_the_store_was_lost_finds_what_an_older_generation_left() {
    let (world, agent, mut hub, key) = in_place().await;
    world.post(DEFINITIONS, &widget_definition()).await;
    hub.release("cart", 2, &[config_map("one", "1"), widget()]).await;
    hub.until_healthy(&key, 2).await;
    agent.stop().await;
    hub.close();
    let secret = world.stored("resource").await.remove(0);
    let name = secret["metadata"]["name"].as_str().unwrap();
    world
        .delete(&format!("/api/v1/namespaces/outhaul-system/secrets/{name}"))
        .await;
    // Somebody's copy, with the labels and without our entry.
    let copied = world.get(&config_map_path("one")).await.unwrap();
    let mut copy = config_map("copy", "1");
    copy["metadata"]["labels"] = copied["metadata"]["labels"].clone();
    world.post("/api/v1/namespaces/shop/configmaps", &copy).await;
    let agent = world.agent();
    let mut hub = world.session().await;
    hub.release("cart", 3, &[config_map("one", "1")]).await;
    hub.until_healthy(&key, 1).await;
    let widget = "/apis/example.dev/v1/namespaces/shop/widgets/widget";
    assert!(
        world.get(widget).await.is_some(),
        "it is kept under a head that is present"
    );
    let held = hub.remove("cart", 4).await;
    hub.until("all is gone", |hub| hub.gone == [held.clone()]).await;
    assert_eq!(world.get(widget).await, None);
    assert!(world.get(&config_map_path("copy")).await.is_some());
    agent.stop().await;
}
