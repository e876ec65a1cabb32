//! What is deleted along with its namespace or its definition is no statement.

use std::time::Duration;

use jiff::Timestamp;
use outhaul_hub_core::bulk::Surroundings;
use outhaul_hub_core::view::{BundleState, KindName};
use outhaul_protocol_wire::head::{Confirmed, HeadState};
use serde_json::json;

use crate::agent::Agent;
use crate::world::World;

/// When the tests' resources are deleted.
fn deleted(later: i64) -> Timestamp {
    let at: Timestamp = "2027-01-15T08:00:00Z".parse().unwrap();
    at + jiff::SignedDuration::from_secs(later)
}

/// A Release that is on its plane, and a namespace and a definition that are deleted then.
fn world(namespace: Option<i64>, definition: Option<i64>) -> (World, Agent) {
    let mut world = World::new();
    let (agent, _) = Agent::with_cart(&mut world);
    world.surroundings = Some(Surroundings {
        namespace: namespace.map(deleted),
        definition: definition.map(deleted),
    });
    (world, agent)
}

fn condition(world: &World, name: &str) -> Option<(String, String)> {
    let mut conditions = world.status("cart").conditions.into_iter();
    let said = conditions.find(|condition| condition.type_ == name)?;
    Some((said.reason, said.message))
}

fn confirm(world: &mut World, word: &str) {
    let generation = world.object("cart")["metadata"]["generation"].clone();
    let annotation = json!({"outhaul.dev/confirm": format!("{word}@{generation}")});
    world.object("cart")["metadata"]["annotations"] = annotation;
    world.touch("cart");
    world.see("cart", outhaul_hub_core::Origin::Watch);
}

#[test]
fn what_was_deleted_by_itself_is_announced_after_one_look() {
    for (namespace, definition) in [(None, None), (Some(1), Some(1))] {
        let (mut world, mut agent) = world(namespace, definition);
        let key = world.key("cart");
        world.delete("cart");
        agent.listen(&mut world);
        assert_eq!((agent.holds(&key), world.looks), (Some(HeadState::Removed), 1));
    }
}

#[test]
fn what_goes_along_with_others_stays_on_its_plane_until_it_is_confirmed() {
    for (namespace, definition, words) in [
        (Some(0), None, "namespace acme is being deleted"),
        (Some(-5), Some(-1), "namespace acme is being deleted"),
        (
            None,
            Some(-1),
            "the definition releases.openchoreo.dev is being deleted",
        ),
    ] {
        for (word, confirmed) in [("remove", Confirmed::Remove), ("leave", Confirmed::Leave)] {
            let (mut world, mut agent) = world(namespace, definition);
            let key = world.key("cart");
            world.delete("cart");
            agent.listen(&mut world);
            assert_eq!(agent.holds(&key), Some(HeadState::Present), "{words}");
            let (reason, message) = condition(&world, "Held").unwrap();
            assert_eq!(reason, "DeletedInBulk");
            assert!(message.contains(words), "{message}");
            assert!(
                message.contains("outhaul confirm eu release/acme/cart remove"),
                "{message}"
            );
            let view = &world.fleet.bundles(&World::plane("eu")).unwrap()[0];
            assert_eq!(
                (view.bundle.kind, view.state),
                (KindName::Release, BundleState::Refused)
            );
            assert!(
                view.is_held() && view.version.generation == 2,
                "the deletion is confirmed"
            );

            confirm(&mut world, word);
            agent.listen(&mut world);
            let head = &agent.heads[&key];
            assert_eq!(
                (head.state, head.confirmed),
                (HeadState::Removed, Some(confirmed))
            );
            agent.gone(&mut world, &key);
            agent.listen(&mut world);
            assert!(!world.exists("cart"), "{words}");
        }
    }
}

#[test]
fn the_plane_is_told_about_once_for_all_that_goes_along() {
    let (mut world, mut agent) = world(Some(0), None);
    world.create("till");
    agent.listen(&mut world);
    for name in ["cart", "till"] {
        world.delete(name);
        agent.listen(&mut world);
    }
    let told = world.notes.iter().filter(|note| note.reason == "DeletedInBulk");
    assert_eq!(
        told.map(|note| note.subject.to_string()).collect::<Vec<_>>(),
        ["Plane eu"]
    );
}

#[test]
fn nothing_is_announced_before_the_api_server_has_answered() {
    let (mut world, mut agent) = world(None, None);
    let key = world.key("cart");
    world.surroundings = None;
    world.delete("cart");
    agent.listen(&mut world);
    assert_eq!((agent.holds(&key), world.looks), (Some(HeadState::Present), 1));
    world.surroundings = Some(Surroundings::default());
    world.now.uptime += Duration::from_secs(1);
    world.fleet.tick(world.now);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&key), Some(HeadState::Removed));
}

#[test]
fn a_hub_that_starts_again_looks_again() {
    let (mut before, mut agent) = world(Some(0), None);
    let key = before.key("cart");
    before.delete("cart");
    agent.listen(&mut before);
    let mut world = before.restarted();
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
}
