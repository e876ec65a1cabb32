//! The control plane goes back to a backup, and an operator says so.

use core::time::Duration;

use outhaul_hub_core::Origin;
use outhaul_protocol_wire::ids::{Epoch, Generation};
use outhaul_protocol_wire::message::{ClosingReason, RefusedReason};
use outhaul_protocol_wire::report::Health;
use serde_json::json;

use crate::agent::Agent;
use crate::world::{World, spec};

/// A Release whose second generation is in its plane, after the control plane went back to the first.
fn gone_back() -> (World, Agent) {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    world.create("cart");
    agent.listen(&mut world);
    let backup = world.object("cart").clone();
    world.edit("cart", &spec("dev", 2));
    agent.listen(&mut world);
    *world.object("cart") = backup;
    world.see("cart", Origin::List);
    agent.listen(&mut world);
    (world, agent)
}

#[test]
fn without_a_word_the_plane_keeps_what_is_newer() {
    let (world, agent) = gone_back();
    let key = world.key("cart");
    assert_eq!(agent.heads[&key].version.generation, Generation(2));
    assert_eq!(world.reads, [key]);
}

#[test]
fn what_a_plane_said_of_a_later_time_is_not_written_into_what_was_restored() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    world.run();
    world.edit("cart", &json!({"environmentName": "dev", "resources": 7}));
    world.run();
    let backup = world.object("cart").clone();
    world.edit("cart", &spec("dev", 2));
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy, Health::Healthy]);
    world.advance(Duration::from_secs(5));
    world.run();
    assert_eq!(world.status("cart").observed_generation, Some(3));
    *world.object("cart") = backup;
    world.see("cart", Origin::List);
    world.advance(Duration::from_secs(5));
    world.run();
    let status = world.status("cart");
    assert_eq!(world.ready("cart").1, "InvalidSpec");
    assert_eq!(status.observed_generation, Some(1));
    assert_eq!(status.content.map(|content| content.generation), Some(1));
}

#[test]
fn a_raised_epoch_counts_over_what_the_plane_holds() {
    let (mut world, mut agent) = gone_back();
    world.fleet.start_over(Epoch(9), world.now);
    world.poll();
    assert_eq!(world.goodbyes.last().unwrap().1.reason, ClosingReason::Restarting);
    let early = agent.dial(&mut world).unwrap_err();
    assert_eq!(
        early.reason,
        RefusedReason::NotReady,
        "nothing was read again yet"
    );
    world.list();
    agent.dial(&mut world).unwrap();
    agent.listen(&mut world);
    let version = agent.heads[&world.key("cart")].version;
    assert_eq!((version.epoch, version.generation), (Epoch(9), Generation(1)));
}

#[test]
fn an_epoch_that_is_not_higher_changes_nothing() {
    let (mut world, _agent) = gone_back();
    world.fleet.start_over(Epoch(1), world.now);
    world.poll();
    assert!(world.goodbyes.is_empty(), "{:?}", world.goodbyes);
}

#[test]
fn what_was_to_be_written_before_the_restore_is_not_written_after_it() {
    let mut world = World::new();
    world.create("cart");
    world.fleet.start_over(Epoch(9), world.now);
    world.poll();
    assert_eq!(world.writes, []);
}

#[test]
fn a_plane_that_knows_a_higher_epoch_waits_until_the_stored_one_was_read() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let mut hello = agent.hello();
    hello.epoch = Epoch(5);
    hello.term.dial += 1;
    for _ in 0..2 {
        let refused = world.fleet.open(agent.dialer(), &hello, world.now).unwrap_err();
        assert_eq!(refused.reason, RefusedReason::NotReady);
    }
    world.poll();
    assert_eq!(world.epoch_reads, [Epoch(5)], "one read at a time");
    // No answer says nothing.
    world.fleet.epoch_read(Epoch(5), None);
    assert!(world.fleet.open(agent.dialer(), &hello, world.now).is_err());
    // What is stored is no higher: the control plane itself is behind, and its plane may say so.
    world.fleet.epoch_read(Epoch(5), Some(Epoch(1)));
    agent.session = world.fleet.open(agent.dialer(), &hello, world.now).unwrap();
    hello.epoch = Epoch(6);
    hello.term.dial += 1;
    assert!(world.fleet.open(agent.dialer(), &hello, world.now).is_err());
}
