//! Planes that are deleted, and planes that will never return.

use core::time::Duration;

use outhaul_hub_core::{Change, Origin, PlaneRecord, Subject};
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::ids::Move;
use outhaul_protocol_wire::report::Health;

use crate::agent::Agent;
use crate::world::{World, record, spec};

fn see(world: &mut World, change: impl FnOnce(&mut PlaneRecord)) {
    let mut plane = world.plane_record("eu").clone();
    change(&mut plane);
    world.see_plane(plane);
    world.run();
}

/// Until a Plane with nothing on it is let go.
fn wait(world: &mut World) {
    for seconds in [1, 29, 1] {
        assert!(world.plane_record("eu").has_finalizer(), "a list may be late");
        world.advance(Duration::from_secs(seconds));
        world.run();
    }
}

/// What the Plane says is on it.
fn in_use(world: &World) -> Option<String> {
    let conditions = &world.plane_record("eu").conditions;
    let said = conditions.iter().find(|one| one.type_ == "Finalizing")?;
    assert_eq!((said.status.as_str(), said.reason.as_str()), ("True", "InUse"));
    Some(said.message.clone())
}

#[test]
fn nothing_is_applied_before_its_plane_has_our_finalizer() {
    let mut world = World::new();
    see(&mut world, |plane| plane.finalizers = vec!["other".into()]);
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    world.poll();
    let is_plane = |write: &outhaul_hub_core::Write| matches!(write.subject, Subject::Plane(..));
    let (planes, rest): (Vec<_>, Vec<_>) = world.pending.drain(..).partition(is_plane);
    rest.into_iter().for_each(|write| world.carry_out(write));
    agent.overhear(&mut world);
    assert!(!agent.recorded[&key]);
    let [write] = planes.as_slice() else {
        panic!("{planes:?}")
    };
    let Change::PlaneFinalizers { finalizers, .. } = &write.change else {
        panic!("{write:?}")
    };
    assert_eq!(finalizers, &["other", "outhaul.dev/cleanup"]);
    world.carry_out(write.clone());
    agent.listen(&mut world);
    assert!(agent.recorded[&key]);
}

#[test]
fn a_plane_without_anything_on_it_gets_no_finalizer() {
    let mut world = World::new();
    see(&mut world, |plane| plane.finalizers.clear());
    let _agent = Agent::connect(&mut world, "eu");
    world.run();
    assert!(world.plane_record("eu").finalizers.is_empty());
}

#[test]
fn a_deleted_plane_waits_for_what_is_on_it_and_says_what() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    see(&mut world, |plane| plane.deleting = true);
    let message = in_use(&world).unwrap();
    assert!(
        message.starts_with("1 still on it: Release acme/cart;"),
        "{message}"
    );
    assert!(message.contains("`outhaul plane forget eu`"), "{message}");
    let said = |world: &World| world.notes.iter().filter(|note| note.reason == "InUse").count();
    assert_eq!(said(&world), 1);

    // What is there is served as ever, nothing new goes there.
    world.edit("cart", &spec("dev", 2));
    agent.listen(&mut world);
    assert_eq!(agent.heads[&key].version.generation.0, 2);
    world.create("till");
    world.run();
    let (_, reason, message) = world.ready("till");
    assert_eq!(reason, "NoPlane");
    assert!(message.contains("Plane eu is being deleted"), "{message}");

    world.delete("cart");
    agent.listen(&mut world);
    world.advance(Duration::from_secs(1));
    world.run();
    assert!(
        world.plane_record("eu").has_finalizer(),
        "its objects are still there"
    );
    agent.gone(&mut world, &key);
    agent.listen(&mut world);
    wait(&mut world);
    assert!(world.plane_record("eu").finalizers.is_empty());
    assert_eq!(said(&world), 1);
}

#[test]
fn what_comes_late_keeps_its_plane() {
    let mut world = World::new();
    let (_agent, _) = Agent::with_cart(&mut world);
    let late = world.object("cart").clone();
    let key = world.key("cart");
    // As a list shows it that is older than that of the Planes.
    world.fleet.vanished(&key, world.now);
    see(&mut world, |plane| plane.deleting = true);
    world.advance(Duration::from_secs(20));
    world.run();
    *world.object("cart") = late;
    world.see("cart", Origin::List);
    world.advance(Duration::from_secs(40));
    world.run();
    assert!(world.plane_record("eu").has_finalizer());
    assert!(in_use(&world).is_some());
}

#[test]
fn a_plane_that_a_list_shows_again_is_not_let_go_for_how_empty_it_was_before() {
    let mut world = World::new();
    let (agent, _) = Agent::with_cart(&mut world);
    let late = world.object("cart").clone();
    let key = world.key("cart");
    world.fleet.closed(agent.session, world.now);
    world.fleet.vanished(&key, world.now);
    see(&mut world, |plane| plane.deleting = true);
    // The backup of an earlier time has the Release, and the list of the Planes comes first.
    world.advance(Duration::from_secs(29));
    let plane = world.plane_record("eu").clone();
    world.fleet.plane(plane, Origin::List, world.now);
    world.advance(Duration::from_secs(2));
    world.run();
    *world.object("cart") = late;
    world.see("cart", Origin::List);
    world.advance(Duration::from_secs(40));
    world.run();
    assert!(world.plane_record("eu").has_finalizer());
    assert!(in_use(&world).is_some());
}

#[test]
fn what_waits_for_a_forgotten_plane_is_let_go_and_nothing_is_said_to_be_removed() {
    let mut world = World::new();
    let (mut agent, _) = Agent::with_cart(&mut world);
    let pay = world.create("pay");
    agent.listen(&mut world);
    world.fleet.closed(agent.session, world.now);
    world.delete("cart");
    world.run();
    assert!(world.exists("cart"));
    see(&mut world, |plane| plane.forgotten = true);
    assert!(!world.exists("cart"), "nothing waits for the plane");
    let events: Vec<_> = world.notes.iter().filter(|note| note.warning).collect();
    let said = |reason: &str| events.iter().any(|note| note.reason == reason);
    assert!(said("PlaneForgotten"), "{events:?}");
    assert!(!world.notes.iter().any(|note| note.reason == "Removed"));

    let status = world.status("pay");
    assert_eq!(
        (status.plane, status.observed, status.content),
        (None, None, None)
    );
    let (_, reason, message) = world.ready("pay");
    assert_eq!(reason, "NoPlane");
    assert!(message.contains("Plane eu was forgotten"), "{message}");
    let refused = agent.dial(&mut world).unwrap_err();
    assert!(refused.message.contains("was forgotten"), "{refused:?}");
    assert_eq!(
        agent.holds(&pay),
        Some(HeadState::Present),
        "it keeps what it holds"
    );
}

#[test]
fn a_forgotten_plane_that_is_served_again_gets_a_newer_version_of_what_it_holds() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    see(&mut world, |plane| plane.forgotten = true);
    let mut world = world.restarted();
    world.run();
    assert_eq!(world.status("cart").plane, None);
    see(&mut world, |plane| plane.forgotten = false);
    agent.dial(&mut world).unwrap();
    agent.listen(&mut world);
    assert_eq!(agent.heads[&key].version.moved, Move(1));
    agent.report(&mut world, &key, &[Health::Healthy]);
    agent.listen(&mut world);
    assert_eq!(world.ready("cart").1, "AllHealthy");
}

#[test]
fn a_deleted_plane_that_is_forgotten_waits_for_nothing() {
    let mut world = World::new();
    let (agent, _) = Agent::with_cart(&mut world);
    world.fleet.closed(agent.session, world.now);
    see(&mut world, |plane| plane.deleting = true);
    assert!(in_use(&world).is_some());
    see(&mut world, |plane| plane.forgotten = true);
    wait(&mut world);
    assert!(world.plane_record("eu").finalizers.is_empty());
}

#[test]
fn what_another_hub_let_go_of_a_forgotten_plane_stays_let_go() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    world.run();
    see(&mut world, |plane| plane.deleting = true);
    // The other hub knows already that somebody said so of the Plane.
    let status = world.object("cart")["status"].as_object_mut().unwrap();
    for said in [
        "plane",
        "observed",
        "observedGeneration",
        "content",
        "term",
        "inventory",
        "resources",
    ] {
        status.remove(said);
    }
    world.touch("cart");
    world.see("cart", Origin::Watch);
    world.run();
    let status = world.status("cart");
    assert_eq!(
        (status.plane, status.observed, status.content, status.term),
        (None, None, None, None)
    );
    assert!(status.inventory.is_empty() && status.resources.is_empty());
    see(&mut world, |plane| plane.forgotten = true);
    world.delete("cart");
    world.run();
    assert!(!world.exists("cart"), "nothing waits for the plane");
}

#[test]
fn a_plane_that_was_deleted_in_spite_of_its_finalizer_can_still_be_forgotten() {
    let mut world = World::new();
    let (agent, _) = Agent::with_cart(&mut world);
    world.fleet.closed(agent.session, world.now);
    world.delete("cart");
    world.fleet.plane_vanished(&World::plane("eu"), world.now);
    world.run();
    assert!(world.exists("cart"));
    let on: Vec<_> = world.fleet.on(&World::plane("eu"));
    assert_eq!(on.len(), 1);
    let mut again = record("eu", "dp-eu");
    again.forgotten = true;
    world.see_plane(again);
    world.run();
    assert!(!world.exists("cart"));
}
