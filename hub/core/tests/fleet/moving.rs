//! A resource whose plane changes.

use outhaul_hub_core::Change;
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::ids::Move;
use outhaul_protocol_wire::report::Health;

use crate::agent::Agent;
use crate::world::{World, spec};

#[test]
fn the_move_is_written_before_the_new_plane_hears_of_it_and_the_old_copy_stays() {
    let mut world = World::new();
    let mut eu = Agent::connect(&mut world, "eu");
    let mut us = Agent::connect(&mut world, "us");
    let key = world.create("cart");
    eu.listen(&mut world);
    eu.report(&mut world, &key, &[Health::Healthy]);
    eu.listen(&mut world);

    world.edit("cart", &spec("prod", 1));
    us.overhear(&mut world);
    assert_eq!(us.holds(&key), None, "announced before it was written");
    let [write] = world.pending.as_slice() else {
        panic!("expected one write, found {:?}", world.pending);
    };
    let Change::Status { status, .. } = &write.change else {
        panic!("expected a status, found {write:?}");
    };
    assert_eq!((status.plane.as_deref(), status.r#move), (Some("us"), Some(1)));

    us.listen(&mut world);
    assert_eq!(us.heads[&key].version.moved, Move(1));
    assert!(us.recorded[&key]);
    assert_eq!(eu.holds(&key), Some(HeadState::Present));
    let status = world.status("cart");
    let moved = status.conditions.iter().find(|one| one.type_ == "Moved").unwrap();
    assert!(moved.message.contains("plane eu"), "{}", moved.message);
    assert!(world.notes.iter().any(|note| note.reason == "Moved"));

    eu.dial(&mut world).unwrap();
    assert_eq!(eu.holds(&key), Some(HeadState::Present), "the old plane keeps it");
    us.report(&mut world, &key, &[Health::Healthy]);
    us.listen(&mut world);
    assert_eq!(world.ready("cart").0, "True");
}

#[test]
fn what_the_old_plane_says_afterwards_counts_no_more() {
    let mut world = World::new();
    let mut eu = Agent::connect(&mut world, "eu");
    let mut us = Agent::connect(&mut world, "us");
    let key = world.create("cart");
    eu.listen(&mut world);
    world.edit("cart", &spec("prod", 1));
    us.listen(&mut world);
    us.report(&mut world, &key, &[Health::Healthy]);
    us.listen(&mut world);
    eu.report(&mut world, &key, &[Health::Degraded]);
    eu.listen(&mut world);
    assert_eq!(world.ready("cart").0, "True");
}
