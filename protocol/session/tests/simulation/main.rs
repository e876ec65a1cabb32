//! Both ends of a session against each other, over a link that breaks, with restarts on both sides.
//!
//! After any sequence of steps everything is healed, and both ends must come to rest in agreement.

mod hub;
mod plane;
mod world;

use proptest::prelude::*;

use crate::world::{Step, World, step};

fn run(steps: &[Step]) -> World {
    let mut world = World::new();
    steps.iter().for_each(|step| world.take(step));
    world.heal_and_check();
    world
}

proptest! {
    #[test]
    fn both_ends_agree_once_faults_heal(steps in prop::collection::vec(step(), 0..160)) {
        run(&steps);
    }
}

proptest! {
    // Hundreds of resources are slow in a debug build.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn both_ends_agree_over_more_heads_than_the_window(steps in prop::collection::vec(step(), 0..160)) {
        run(&[&[Step::CreateMany], steps.as_slice()].concat());
    }
}

#[test]
fn what_the_hub_forgets_stays_on_the_plane() {
    let mut world = World::new();
    for name in 0..3 {
        world.take(&Step::Create(name));
    }
    world.heal_and_check();
    for name in 0..3 {
        world.take(&Step::Forget(name));
    }
    world.heal_and_check();
    assert!((0..3).all(|name| world.holds(name)));
}

#[test]
fn more_heads_than_the_window_all_arrive() {
    run(&[Step::CreateMany, Step::Connect]);
}

#[test]
fn a_restored_hub_converges_once_its_epoch_is_raised() {
    let mut world = World::new();
    world.take(&Step::Create(1));
    world.heal_and_check();
    world.take(&Step::BackUp);
    world.take(&Step::Edit(1));
    world.take(&Step::Create(2));
    world.heal_and_check();
    world.take(&Step::Restore);
    world.heal_and_check();
    assert!(world.holds(2), "created after the backup: an orphan, and kept");
}
