//! What the hub announces reaches the cluster, and what became of it the hub.

mod support;

use outhaul_agent_runner::{Config, IdentityPlace};
use outhaul_protocol_wire::enrolment::Refusal;
use outhaul_protocol_wire::message::{Held, HubMessage};
use outhaul_protocol_wire::report::BlockerReason;
use outhaul_protocol_wire::root;
use serde_json::json;
use support::World;
use support::cluster::{config_map_path, value};
use support::hub::{announced, config_map};

#[tokio::test]
async fn a_release_is_applied_with_its_labels_in_its_namespace_and_reported() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub
        .release("cart", 1, &[config_map("one", "1"), config_map("two", "2")])
        .await;
    hub.until_healthy(&key, 2).await;
    let object = world.get(&config_map_path("one")).await.unwrap();
    assert_eq!(
        object["metadata"]["labels"]["openchoreo.dev/release-uid"],
        "uid-cart"
    );
    assert_eq!(
        object["metadata"]["managedFields"][0]["manager"],
        "release-controller"
    );
    let namespace = world.get("/api/v1/namespaces/shop").await.unwrap();
    assert_eq!(
        namespace["metadata"]["labels"]["openchoreo.dev/environment"],
        "development"
    );
    assert_eq!(hub.acknowledged.len(), 1);
    assert_eq!(world.stored("resource").await.len(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn nothing_is_applied_before_the_hub_has_recorded_it() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let mut unrecorded = announced("cart", 1, &[config_map("one", "1")]);
    unrecorded.recorded = false;
    let head = unrecorded.head.clone();
    hub.announce(vec![unrecorded], false).await;
    hub.until("it is stored", |hub| hub.acknowledged.contains_key(&head.key))
        .await;
    assert_eq!(world.get(&config_map_path("one")).await, None);
    let held = Held {
        key: head.key.clone(),
        version: head.version,
    };
    hub.say(HubMessage::Recorded(held)).await;
    hub.until_healthy(&head.key, 1).await;
    agent.stop().await;
}

#[tokio::test]
async fn what_a_newer_generation_does_not_name_is_pruned_and_the_rest_is_left_alone() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub
        .release("cart", 1, &[config_map("one", "1"), config_map("two", "2")])
        .await;
    hub.until_healthy(&key, 2).await;
    let before = world.get(&config_map_path("one")).await;
    hub.release("cart", 2, &[config_map("one", "1"), config_map("three", "3")])
        .await;
    hub.until("two is let go", |hub| {
        let names: Vec<_> = hub.reports[&key].keys().cloned().collect();
        names == ["one", "three"] && hub.leftovers[&key].is_empty()
    })
    .await;
    world
        .until(&config_map_path("two"), "gone", |object| object.is_none())
        .await;
    assert_eq!(world.get(&config_map_path("one")).await, before);
    agent.stop().await;
}

#[tokio::test]
async fn a_removed_release_is_gone_when_its_last_object_is() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let mut held_back = config_map("one", "1");
    held_back["metadata"]["finalizers"] = json!(["example.dev/keep"]);
    let key = hub.release("cart", 1, &[held_back, config_map("two", "2")]).await;
    hub.until_healthy(&key, 2).await;
    let held = hub.remove("cart", 2).await;
    hub.until("one waits for its finalizer", |hub| {
        let blocker = hub.leftovers[&key]
            .first()
            .and_then(|leftover| leftover.blocker.as_ref());
        blocker.is_some_and(|blocker| blocker.reason == BlockerReason::Terminating)
    })
    .await;
    assert_eq!(hub.gone, []);
    world
        .merge(
            &config_map_path("one"),
            &json!({"metadata": {"finalizers": null}}),
        )
        .await;
    hub.until("all is gone", |hub| hub.gone == [held.clone()]).await;
    assert_eq!(world.get(&config_map_path("one")).await, None);
    hub.say(HubMessage::Settled(held)).await;
    // A later word that was acted on shows that the earlier one was.
    let other = announced("other", 1, &[config_map("other", "1")]).head;
    let key = hub.release("other", 1, &[config_map("other", "1")]).await;
    hub.until_healthy(&key, 1).await;
    agent.stop().await;
    let agent = world.agent();
    let hello = world.session().await.hello;
    assert_eq!(
        hello.desired,
        root::desired([&other]),
        "only its version is remembered"
    );
    agent.stop().await;
}

#[tokio::test]
async fn one_bad_object_stops_only_itself() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let unknown = json!({
        "apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": "widget", "namespace": "shop"},
    });
    let mut nowhere = config_map("nowhere", "1");
    nowhere["metadata"].as_object_mut().unwrap().remove("namespace");
    let mut invalid = config_map("invalid", "1");
    invalid["data"] = json!({"value": 1});
    let objects = [unknown, nowhere, invalid, config_map("good", "1")];
    let key = hub.release("cart", 1, &objects).await;
    let message = hub
        .until_blocked(&key, "widget", BlockerReason::KindUnknown)
        .await;
    assert!(message.contains("Widget in any version of"), "{message}");
    hub.until_blocked(&key, "nowhere", BlockerReason::Invalid).await;
    hub.until_blocked(&key, "invalid", BlockerReason::Invalid).await;
    world
        .until(&config_map_path("good"), "applied", |it| value(it) == Some("1"))
        .await;
    agent.stop().await;
}

/// More than fits in one Secret.
fn large_config_maps() -> Vec<serde_json::Value> {
    // Digests do not compress: 800 KiB of them need chunks.
    let noise = |from: u32| -> String {
        (from..from + 3_000)
            .map(|number| outhaul_protocol_wire::digest::Digest::of(&number.to_be_bytes()).0)
            .flat_map(|bytes| bytes.map(|byte| char::from(b'!' + byte % 94)))
            .filter(|it| !matches!(it, '<' | '>' | '&' | '"' | '\\'))
            .collect()
    };
    (0..10)
        .map(|number| config_map(&format!("large-{number}"), &noise(number * 3_000)))
        .collect()
}

#[tokio::test]
async fn content_too_large_for_one_secret_survives_a_restart() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let objects = large_config_maps();
    let key = hub.release_by_fetch("cart", &objects).await;
    hub.until_healthy(&key, 10).await;
    assert!(!world.stored("chunk").await.is_empty());
    agent.stop().await;
    let agent = world.agent();
    let hello = world.session().await.hello;
    assert_eq!(
        hello.desired,
        root::desired([&announced("cart", 1, &objects).head])
    );
    agent.stop().await;
}

#[tokio::test]
async fn a_refused_token_ends_the_agent_with_words_for_the_operator() {
    let world = World::start().await;
    let agent = world.agent();
    world.refuse(Refusal::TokenExpired).await;
    let error = format!("{:#}", agent.ended().await.unwrap_err());
    assert!(error.contains("the token has expired"), "{error}");
}

#[tokio::test]
async fn an_enrolled_agent_ignores_its_token() {
    let world = World::start().await;
    let agent = world.agent();
    let first = world.session().await.hello;
    agent.stop().await;
    // A second enrolment would be answered as well; the plane's certificate comes first.
    let agent = world.agent();
    let second = world.session().await.hello;
    assert_eq!(second.term.boot, first.term.boot + 1);
    agent.stop().await;
}

#[tokio::test]
async fn an_identity_in_a_secret_is_found_by_the_next_start() {
    let world = World::start().await;
    let config = || Config {
        identity: IdentityPlace::Secret,
        ..world.config()
    };
    let agent = support::Running::of(config());
    let first = world.session().await.hello;
    agent.stop().await;
    let secret = world
        .get("/api/v1/namespaces/outhaul-system/secrets/outhaul-agent")
        .await
        .unwrap();
    assert!(secret["data"]["key.pem"].is_string());
    // Without its token it could not enrol again.
    let agent = support::Running::of(Config {
        token: None,
        ..config()
    });
    let second = world.session().await.hello;
    assert_eq!(second.term.boot, first.term.boot + 1);
    assert_ne!(second.instance, first.instance);
    agent.stop().await;
}

#[tokio::test]
async fn an_agent_without_identity_and_token_says_what_it_needs() {
    let world = World::start().await;
    let agent = support::Running::of(Config {
        token: None,
        ..world.config()
    });
    let error = agent.ended().await.unwrap_err().to_string();
    assert!(error.contains("outhaul plane token"), "{error}");
}

#[tokio::test]
async fn a_hub_that_never_answers_the_hello_is_given_up() {
    let world = World::start().await;
    let agent = world.agent();
    let silent = world.greeted().await;
    silent.until_closed().await;
    // And dialled again.
    world.session().await;
    agent.stop().await;
}

#[tokio::test]
async fn resources_with_the_same_content_do_not_share_what_holds_it() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let objects = large_config_maps();
    for name in ["first", "second"] {
        let key = hub.release_by_fetch(name, &objects).await;
        hub.until("it is stored", |hub| hub.acknowledged.contains_key(&key))
            .await;
    }
    hub.release("second", 2, &[config_map("small", "1")]).await;
    // A later word that was acted on shows that the chunks of the older one are gone.
    let key = hub.release("other", 1, &[config_map("other", "1")]).await;
    hub.until_healthy(&key, 1).await;
    agent.stop().await;
    let agent = world.agent();
    world.session().await;
    let stored = world.stored("resource").await;
    let damage = |secret: &serde_json::Value| secret["metadata"]["annotations"]["outhaul.dev/damage"].clone();
    assert_eq!(stored.len(), 3);
    assert!(
        stored.iter().all(|it| damage(it).is_null()),
        "{:?}",
        stored.iter().map(damage)
    );
    agent.stop().await;
}
