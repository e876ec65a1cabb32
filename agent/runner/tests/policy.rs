//! The policy of the plane's owner: a ConfigMap that the agent follows, whatever the hub says, and tells the hub about.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::message::HubMessage;
use outhaul_protocol_wire::policy::{Confirmations, Mode};
use outhaul_protocol_wire::report::BlockerReason;
use serde_json::{Value, json};
use support::World;
use support::cluster::{config_map_path, value};
use support::hub::{Session, config_map};

const CONFIG_MAPS: &str = "/api/v1/namespaces/outhaul-system/configmaps";

impl World {
    /// Writes the policy as its owner does.
    async fn govern(&self, data: Value) {
        let path = format!("{CONFIG_MAPS}/outhaul-policy");
        if self.get(&path).await.is_some() {
            self.merge(&path, &json!({"data": data})).await;
            return;
        }
        if self.get("/api/v1/namespaces/outhaul-system").await.is_none() {
            self.make_namespace("outhaul-system").await;
        }
        let policy = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "outhaul-policy"}, "data": data,
        });
        self.post(CONFIG_MAPS, &policy).await;
    }

    async fn policy_text(&self, text: &str) {
        self.govern(json!({"policy.yaml": text})).await;
    }
}

impl World {
    /// Waits until this text is written down as the last that could be read.
    async fn until_kept(&self, text: &str) {
        let path = "/api/v1/namespaces/outhaul-system/secrets/outhaul-last-policy";
        let text = STANDARD.encode(text);
        let kept = |secret: Option<&Value>| secret.is_some_and(|it| it["data"]["content"] == text.as_str());
        self.until(path, "kept", kept).await;
    }
}

impl Session {
    async fn until_mode(&mut self, mode: Mode) {
        self.until("the mode", |hub| hub.hello.policy.mode == mode).await;
    }
}

#[tokio::test]
async fn a_policy_that_is_there_first_is_told_and_kept_to() {
    let world = World::start().await;
    let text = "kinds: [Secret, Namespace]\nconfirmations: plane\n";
    world.policy_text(text).await;
    let agent = world.agent();
    let mut hub = world.session().await;
    assert_eq!(
        (hub.hello.policy.digest, hub.hello.policy.confirmations),
        (Some(Digest::of(text.as_bytes())), Confirmations::Plane)
    );
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    let message = hub.until_blocked(&key, "one", BlockerReason::PolicyForbids).await;
    assert!(message.ends_with("kinds does not name ConfigMap"), "{message}");
    assert_eq!(world.get(&config_map_path("one")).await, None);
    agent.stop().await;
}

#[tokio::test]
async fn a_policy_counts_as_soon_as_it_is_written_also_without_a_hub() {
    let world = World::start().await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    hub.until_healthy(&key, 1).await;
    world.policy_text("pause: true").await;
    hub.until_mode(Mode::Pauses).await;
    hub.close();

    world.delete(&config_map_path("one")).await;
    let mut hub = world.session().await;
    hub.say(HubMessage::ReportWanted(key.clone())).await;
    let message = hub.until_blocked(&key, "one", BlockerReason::PolicyPauses).await;
    assert!(message.contains("pause: true"), "{message}");
    hub.close();
    assert_eq!(world.get(&config_map_path("one")).await, None);
    world.delete(&format!("{CONFIG_MAPS}/outhaul-policy")).await;
    world
        .until(&config_map_path("one"), "repaired", |it| value(it) == Some("1"))
        .await;
    agent.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_leaves_the_last_policy_in_force_over_a_restart_and_is_told() {
    let world = World::start().await;
    world.policy_text("pause: true").await;
    let agent = world.agent();
    let mut hub = world.session().await;
    world.until_kept("pause: true").await;
    world.policy_text("pause: maybe").await;
    hub.until("the problem", |hub| hub.hello.policy.problem.is_some())
        .await;
    let policy = hub.hello.policy.clone();
    assert_eq!(policy.mode, Mode::Pauses);
    assert!(
        policy
            .problem
            .unwrap()
            .starts_with("pause: invalid type: string \"maybe\", expected a boolean")
    );
    let events = "/api/v1/namespaces/outhaul-system/events";
    world
        .until(events, "an Event", |events| {
            let items = events.and_then(|events| events["items"].as_array());
            items.is_some_and(|items| items.iter().any(|event| event["reason"] == "PolicyMalformed"))
        })
        .await;
    agent.stop().await;

    let agent = world.agent();
    let hub = world.session().await;
    assert_eq!(hub.hello.policy.mode, Mode::Pauses);
    agent.stop().await;

    let fresh = World::start().await;
    fresh.policy_text("pause: maybe").await;
    let agent = fresh.agent();
    let mut hub = fresh.session().await;
    assert_eq!(
        (hub.hello.policy.mode, hub.hello.policy.digest),
        (Mode::Observes, None)
    );
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    let expected = "the plane's policy cannot be read, so nothing is changed: it would be created";
    hub.until("what would be changed", |hub| {
        hub.blocker(&key, "one") == Some((BlockerReason::PolicyObserves, expected.to_owned()))
    })
    .await;
    agent.stop().await;
}

#[tokio::test]
async fn only_the_owner_lets_go_where_the_policy_says_so() {
    let world = World::start().await;
    let strict = "confirmations: plane\nbudget: {objects: 0, percent: 0}\n";
    world.policy_text(strict).await;
    let agent = world.agent();
    let mut hub = world.session().await;
    let key = hub.release("cart", 1, &[config_map("one", "1")]).await;
    hub.until_healthy(&key, 1).await;
    hub.remove("cart", 2).await;
    hub.until("it is held", |hub| {
        let leftovers = hub.leftovers.get(&key).into_iter().flatten();
        let mut blockers = leftovers.filter_map(|leftover| leftover.blocker.as_ref());
        blockers.any(|blocker| blocker.reason == BlockerReason::OwnerConfirms)
    })
    .await;
    let said = json!({"policy.yaml": strict, "confirm.release.acme.cart": "remove@2"});
    world.govern(said).await;
    hub.until("it is gone", |hub| !hub.gone.is_empty()).await;
    assert_eq!(world.get(&config_map_path("one")).await, None);
    agent.stop().await;
}

/// What the owner of a plane reads, and copies.
#[test]
fn the_policy_in_the_documentation_can_be_read() {
    let page = include_str!("../../../docs/policy.md");
    let (_, after) = page.split_once("```yaml\n").unwrap();
    let (example, _) = after.split_once("```").unwrap();
    let config_map: Value = serde_yaml_ng::from_str(example).unwrap();
    let home = config_map["metadata"]["namespace"].as_str().unwrap();
    assert_eq!(
        config_map["metadata"]["name"],
        outhaul_agent_core::policy::CONFIG_MAP
    );
    let policy = outhaul_agent_core::policy::Policy::read(home, Some(&config_map), None);
    assert_eq!((policy.problem(), policy.mode()), (None, Mode::Acts));
    assert!(policy.text().unwrap().contains("confirmations: plane"));
}
