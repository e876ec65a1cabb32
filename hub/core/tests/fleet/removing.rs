//! Letting go is a statement: what removes, and what never does.

use core::time::Duration;

use outhaul_hub_core::{Change, Origin, Outcome};
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::message::{AgentMessage, Held, HubMessage, Orphans};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{self, Blocker, BlockerReason, Health, Leftover, Report};
use serde_json::json;

use crate::agent::Agent;
use crate::world::{World, spec};

#[test]
fn a_deleted_release_keeps_its_finalizer_until_the_plane_says_gone() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.delete("cart");
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Removed));
    assert!(world.exists("cart"));
    let status = world.status("cart");
    let finalizing = status
        .conditions
        .iter()
        .find(|one| one.type_ == "Finalizing")
        .unwrap();
    assert_eq!(finalizing.reason, "CleanupInProgress");
    assert_eq!(finalizing.message, "Cleaning up dataplane resources");
    agent.gone(&mut world, &key);
    agent.listen(&mut world);
    assert!(!world.exists("cart"));
    assert_eq!(agent.holds(&key), None, "not settled");
    assert!(world.notes.iter().any(|note| note.reason == "Removed"));
}

#[test]
fn it_is_settled_only_after_the_finalizer_is_off() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.delete("cart");
    agent.listen(&mut world);
    agent.gone(&mut world, &key);
    agent.overhear(&mut world);
    assert!(!agent.was_told(|message| matches!(message, HubMessage::Settled(_))));
    agent.listen(&mut world);
    assert!(agent.was_told(|message| matches!(message, HubMessage::Settled(_))));
}

#[test]
fn gone_about_an_older_version_or_a_resource_that_is_wanted_changes_nothing() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    agent.gone(&mut world, &key);
    agent.listen(&mut world);
    assert!(world.exists("cart") && world.finalizers("cart") != json!([]));
    let older = Held {
        key: key.clone(),
        version: agent.heads[&key].version,
    };
    world.delete("cart");
    agent.listen(&mut world);
    agent.say(&mut world, AgentMessage::Gone(older));
    agent.listen(&mut world);
    assert!(world.exists("cart"));
}

#[test]
fn another_plane_cannot_say_gone() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    let mut stranger = Agent::connect(&mut world, "us");
    world.delete("cart");
    agent.listen(&mut world);
    let said = AgentMessage::Gone(crate::agent::held(&agent.heads[&key]));
    stranger.say(&mut world, said);
    stranger.listen(&mut world);
    assert!(world.exists("cart"));
}

#[test]
fn a_resource_that_vanishes_is_never_said_to_be_removed() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    // Somebody took the finalizer off, or a list came back empty.
    world.fleet.vanished(&key, world.now);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
    assert!(agent.was_told(|message| matches!(message, HubMessage::Announce(announce) if announce.complete)));
}

#[test]
fn a_deletion_without_our_finalizer_is_no_statement() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.object("cart")["metadata"]["finalizers"] = json!(["somebody/else"]);
    world.delete("cart");
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
    assert!(world.exists("cart"));
}

#[test]
fn removal_goes_to_the_recorded_plane_even_if_nothing_leads_there_any_more() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world
        .fleet
        .environment(("acme".into(), "dev".into()), None, world.now);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
    world.delete("cart");
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Removed));
}

#[test]
fn a_release_that_never_had_a_plane_needs_no_plane_to_go() {
    let mut world = World::new();
    world.create_with("lost", &crate::world::spec("nowhere", 1));
    world.run();
    world.object("lost")["metadata"]["finalizers"] = json!(["openchoreo.dev/dataplane-cleanup"]);
    world.touch("lost");
    world.see("lost", Origin::Watch);
    world.delete("lost");
    world.run();
    assert!(!world.exists("lost"));
}

#[test]
fn what_holds_up_a_removal_is_named() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.delete("cart");
    agent.listen(&mut world);
    let leftovers = vec![Leftover {
        object: ObjectRef {
            group: String::new(),
            version: "v1".into(),
            kind: "PersistentVolumeClaim".into(),
            namespace: "shop".into(),
            name: "data".into(),
        },
        uid: None,
        blocker: Some(Blocker {
            reason: BlockerReason::Terminating,
            message: "kubernetes.io/pvc-protection holds it".into(),
        }),
    }];
    let observed = report::observed(&[], &leftovers);
    let report = Report {
        key: key.clone(),
        version: agent.heads[&key].version,
        whole: true,
        objects: Vec::new(),
        leftovers,
        observed: Some(observed),
    };
    world.advance(core::time::Duration::from_secs(2));
    agent.say(&mut world, AgentMessage::Report(report));
    agent.listen(&mut world);
    let status = world.status("cart");
    let finalizing = status
        .conditions
        .iter()
        .find(|one| one.type_ == "Finalizing")
        .unwrap();
    assert_eq!(finalizing.reason, "CleanupFailed");
    assert!(
        finalizing.message.contains("pvc-protection"),
        "{}",
        finalizing.message
    );
    assert_eq!(status.inventory.len(), 1);
    // A hub that has not heard it yet leaves it there.
    let mut world = world.restarted();
    world.advance(core::time::Duration::from_secs(2));
    assert_eq!(world.status("cart").conditions, status.conditions);
}

#[test]
fn gone_of_a_resource_that_no_longer_exists_is_settled() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.delete("cart");
    agent.listen(&mut world);
    world.fleet.vanished(&key, world.now);
    agent.gone(&mut world, &key);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), None);
}

#[test]
fn gone_of_a_resource_that_is_meant_for_no_plane_is_settled() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.delete("cart");
    agent.listen(&mut world);
    // Back to a time when it was not there yet.
    let object = world.object("cart");
    object["spec"] = spec("nowhere", 1);
    object["status"] = json!(null);
    object["metadata"]["deletionTimestamp"] = json!(null);
    object["metadata"]["finalizers"] = json!([]);
    let mut world = world.restarted();
    agent.dial(&mut world).unwrap();
    agent.gone(&mut world, &key);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), None);
    assert!(world.exists("cart"));
}

#[test]
fn an_orphan_of_which_nothing_is_left_is_not_counted_any_more() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.delete("cart");
    agent.listen(&mut world);
    world.fleet.vanished(&key, world.now);
    let orphans = Orphans {
        keys: vec![key.clone()],
        total: 2,
    };
    agent.say(&mut world, AgentMessage::Orphans(orphans));
    agent.gone(&mut world, &key);
    let view = world.fleet.plane_view(&World::plane("eu"), world.now).unwrap();
    assert_eq!((view.orphans.total, view.orphans.bundles), (1, vec![]));
}

#[test]
fn a_removal_asks_no_plane_that_was_never_sent_anything() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let mut foreign = crate::world::spec("dev", 1);
    foreign["resources"][0]["object"]["metadata"]["namespace"] = json!("kube-system");
    let key = world.create_with("tenant", &foreign);
    agent.listen(&mut world);
    assert_eq!(world.ready("tenant").1, "NotAdmitted");
    world.object("tenant")["metadata"]["finalizers"] = json!(["openchoreo.dev/dataplane-cleanup"]);
    world.delete("tenant");
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), None);
    assert!(
        !world.exists("tenant"),
        "nothing of it is anywhere, so nothing holds it"
    );
    let reasons: Vec<_> = world.notes.iter().map(|note| note.reason.as_str()).collect();
    assert!(
        !reasons.contains(&"Removed") && !reasons.contains(&"Delivered"),
        "{reasons:?}"
    );
}

#[test]
fn what_is_deleted_before_it_was_recorded_leaves_the_plane_too() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.overhear(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
    world.object("cart")["metadata"]["finalizers"] = json!(["openchoreo.dev/dataplane-cleanup"]);
    let failed = Outcome::Failed { retry_after: None };
    for write in core::mem::take(&mut world.pending) {
        world.refuse(&write, failed.clone());
    }
    world.delete("cart");
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Removed));
    let recorded = |message: &HubMessage| matches!(message, HubMessage::Recorded(_));
    assert!(
        !agent.heard.iter().any(recorded),
        "what came before may still be on its way"
    );
    world.advance(Duration::from_secs(1));
    world.run();
    let plane = world.status("cart").plane;
    assert_eq!(plane.as_deref(), Some("eu"), "another replica has to know it too");
}

#[test]
fn events_of_a_deletion_say_what_happened_and_nothing_else() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    world.notes.clear();
    world.delete("cart");
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    agent.listen(&mut world);
    agent.gone(&mut world, &key);
    world.poll();
    // The watch says that it is gone before our own write is answered.
    let write = world.pending.pop().unwrap();
    assert!(matches!(write.change, Change::RemoveFinalizer { .. }));
    world.fleet.vanished(&key, world.now);
    world.refuse(&write, Outcome::Gone);
    world.run();
    let reasons: Vec<_> = world.notes.iter().map(|note| note.reason.as_str()).collect();
    assert_eq!(reasons, ["Removed"]);
}
