//! A resource is found by its name, on a plane or on none.

use outhaul_hub_core::view::{BundleName, Found, KindName};

use crate::agent::Agent;
use crate::world::{NAMESPACE, World, spec};

fn find(world: &World, name: &str) -> Option<Found> {
    world.fleet.find(&BundleName {
        kind: KindName::Release,
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
    })
}

#[test]
fn what_is_on_no_plane_says_why_and_since_when() {
    let mut world = World::new();
    world.create_with("cart", &spec("nowhere", 1));
    world.run();
    let Some(Found::Nowhere(Some(blocker), Some(since))) = find(&world, "cart") else {
        panic!("{:?}", find(&world, "cart"));
    };
    assert_eq!(blocker.reason, "NoPlane");
    assert!(since.parse::<jiff::Timestamp>().is_ok(), "{since}");
}

#[test]
fn what_is_on_a_plane_is_shown_there_and_what_is_not_there_is_not_found() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    world.create("cart");
    agent.listen(&mut world);
    let Some(Found::On(view)) = find(&world, "cart") else {
        panic!("{:?}", find(&world, "cart"));
    };
    assert_eq!(view.plane, "eu");
    assert_eq!(find(&world, "till"), None);
}
