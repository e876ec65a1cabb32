//! Who may have a session, and which of two counts.

use core::time::Duration;

use outhaul_hub_core::{Change, Origin};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::Term;
use outhaul_protocol_wire::message::{ClosingReason, RefusedReason};
use outhaul_protocol_wire::report::Health;
use serde_json::json;

use crate::agent::Agent;
use crate::world::{World, record};

fn connected(world: &World) -> Vec<(String, String)> {
    let writes = world.writes.iter();
    writes
        .filter_map(|write| match &write.change {
            Change::PlaneConditions { conditions, .. } => Some(conditions),
            _ => None,
        })
        .flatten()
        .map(|condition| (condition.type_.clone(), condition.status.clone()))
        .collect()
}

/// Has the Plane seen with the conditions that were written last.
fn see_conditions(world: &mut World) {
    let written = world.writes.iter().rev().find_map(|write| match &write.change {
        Change::PlaneConditions { conditions, .. } => Some(conditions.clone()),
        _ => None,
    });
    let mut plane = record("eu", "dp-eu");
    plane.conditions = written.unwrap_or_default();
    world.see_plane(plane);
}

#[test]
fn nobody_is_served_before_every_resource_was_read() {
    let mut world = World::unsynced();
    world.set_up();
    let agent = Agent::connect(&mut World::new(), "eu");
    let refused = world
        .fleet
        .open(agent.dialer(), &agent.hello(), world.now)
        .unwrap_err();
    assert_eq!(refused.reason, RefusedReason::NotReady);
    world.create("cart");
    world.run();
    assert!(world.writes.is_empty(), "written before everything was read");
}

#[test]
fn an_unknown_key_an_unknown_plane_and_a_revoked_one_are_refused() {
    let mut world = World::new();
    let agent = Agent::connect(&mut World::new(), "eu");
    let mut try_as = |dialer| world.fleet.open(dialer, &agent.hello(), world.now);
    let mut other_key = agent.dialer();
    other_key.key = Digest::of(b"other");
    assert_eq!(try_as(other_key).unwrap_err().reason, RefusedReason::KeyUnknown);
    let mut other_plane = agent.dialer();
    other_plane.plane = World::plane("nowhere");
    assert_eq!(try_as(other_plane).unwrap_err().reason, RefusedReason::Revoked);
    let mut revoked = record("eu", "dp-eu");
    revoked.revoked = true;
    world.see_plane(revoked);
    let refused = world.fleet.open(agent.dialer(), &agent.hello(), world.now);
    assert_eq!(refused.unwrap_err().reason, RefusedReason::Revoked);
}

#[test]
fn a_plane_without_a_key_takes_the_first_and_no_other() {
    let mut world = World::new();
    let mut plane = record("eu", "dp-eu");
    plane.enrolled = None;
    world.see_plane(plane);
    let mut agent = Agent::connect(&mut world, "eu");
    let recorded = world.writes.iter().any(
        |write| matches!(&write.change, Change::PlaneKey { key, .. } if *key == agent.dialer().key.to_string()),
    );
    assert!(recorded, "{:?}", world.writes);
    let mut other = agent.dialer();
    other.key = Digest::of(b"other");
    agent.term.dial += 1;
    let refused = world.fleet.open(other, &agent.hello(), world.now).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::KeyUnknown);
}

#[test]
fn revocation_and_deletion_end_the_session_at_once() {
    for end in [
        |world: &mut World| {
            let mut plane = record("eu", "dp-eu");
            plane.revoked = true;
            world.see_plane(plane);
        },
        |world: &mut World| world.fleet.plane_vanished(&World::plane("eu"), world.now),
    ] {
        let mut world = World::new();
        let agent = Agent::connect(&mut world, "eu");
        end(&mut world);
        world.run();
        let (session, closing) = world.goodbyes.pop().unwrap();
        assert_eq!((session, closing.reason), (agent.session, ClosingReason::Revoked));
    }
}

#[test]
fn the_newer_session_counts_and_the_older_is_told() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let old = agent.session;
    agent.dial(&mut world).unwrap();
    let (session, closing) = world.goodbyes.pop().unwrap();
    assert_eq!((session, closing.reason), (old, ClosingReason::Superseded));
    // The end of the old connection comes late, and unregisters nobody.
    world.fleet.closed(old, world.now);
    assert!(
        world
            .fleet
            .plane_view(&World::plane("eu"), world.now)
            .unwrap()
            .connection
            .is_some()
    );
    agent.term.dial = 0;
    let refused = agent.dial(&mut world).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::Superseded);
}

#[test]
fn a_second_process_of_one_boot_is_a_copied_identity() {
    let mut world = World::new();
    let agent = Agent::connect(&mut world, "eu");
    let mut hello = agent.hello();
    hello.instance = [2; 16];
    hello.term.dial += 1;
    let refused = world.fleet.open(agent.dialer(), &hello, world.now).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::IdentityCopied);
    world.run();
    assert!(world.notes.iter().any(|note| note.reason == "IdentityCopied"));
}

#[test]
fn a_short_absence_writes_nothing_and_a_long_one_turns_the_condition() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    assert_eq!(connected(&world), [("Connected".to_owned(), "True".to_owned())]);
    see_conditions(&mut world);
    world.writes.clear();
    world.fleet.closed(agent.session, world.now);
    world.advance(Duration::from_secs(30));
    agent.dial(&mut world).unwrap();
    world.advance(Duration::from_secs(120));
    world.run();
    assert!(world.writes.is_empty(), "{:?}", world.writes);
    world.fleet.closed(agent.session, world.now);
    world.advance(Duration::from_secs(59));
    world.run();
    assert!(world.writes.is_empty(), "{:?}", world.writes);
    world.advance(Duration::from_secs(1));
    world.run();
    assert_eq!(connected(&world), [("Connected".to_owned(), "False".to_owned())]);
}

#[test]
fn another_hub_that_reported_with_a_newer_term_has_the_plane() {
    let mut world = World::new();
    let (agent, _) = Agent::with_cart(&mut world);
    assert!(world.goodbyes.is_empty());
    world.object("cart")["status"]["term"] = json!({"boot": 1, "dial": 9});
    world.touch("cart");
    world.see("cart", Origin::Watch);
    world.run();
    let (session, closing) = world.goodbyes.pop().unwrap();
    assert_eq!(
        (session, closing.reason),
        (agent.session, ClosingReason::Superseded)
    );
}

#[test]
fn a_plane_that_lost_its_count_is_served_again() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.term = Term { boot: 9, dial: 0 };
    agent.dial(&mut world).unwrap();
    agent.report(&mut world, &key, &[Health::Progressing]);
    agent.listen(&mut world);
    world.fleet.closed(agent.session, world.now);
    agent.term = Term { boot: 1, dial: 0 };
    agent.dial(&mut world).unwrap();
    world.advance(Duration::from_secs(5));
    agent.report(&mut world, &key, &[Health::Healthy]);
    agent.listen(&mut world);
    assert_eq!(world.goodbyes.len(), 1, "only the first session was superseded");
    assert_eq!(world.ready("cart").0, "True");
    assert_eq!(world.status("cart").term.map(|term| term.boot), Some(1));
}

#[test]
fn a_stopping_hub_says_goodbye_to_everyone() {
    let mut world = World::new();
    let eu = Agent::connect(&mut world, "eu");
    let us = Agent::connect(&mut world, "us");
    world.fleet.close_all(world.now);
    world.poll();
    let told: Vec<_> = world
        .goodbyes
        .iter()
        .map(|(session, closing)| (*session, closing.reason))
        .collect();
    let restarting = ClosingReason::Restarting;
    assert_eq!(told, [(eu.session, restarting), (us.session, restarting)]);
}
