//! What an operator decides about orphans reaches the plane that has them, and nothing else does.

use outhaul_hub_resources::{OrphanDecision, OrphanKind, OrphanVerdict};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Generation, Move, Uid};
use outhaul_protocol_wire::message::{AgentMessage, Held, HubMessage, Orphans};

use crate::agent::Agent;
use crate::world::{NAMESPACE, World, spec};

/// A plane that keeps an orphan under the name `cart`.
fn with_orphan(world: &mut World) -> (Agent, Key) {
    let mut agent = Agent::connect(world, "eu");
    let orphan = Key {
        uid: Uid::new("uid-of-before").unwrap(),
        kind: outhaul_protocol_wire::head::BundleKind::Release,
        namespace: NAMESPACE.to_owned(),
        name: "cart".to_owned(),
    };
    say_orphans(world, &agent, &[&orphan]);
    agent.listen(world);
    (agent, orphan)
}

fn say_orphans(world: &mut World, agent: &Agent, keys: &[&Key]) {
    let orphans = Orphans {
        keys: keys.iter().map(|key| (*key).clone()).collect(),
        total: keys.len() as u64,
    };
    agent.say(world, AgentMessage::Orphans(orphans));
}

fn decide(world: &mut World, orphan: &Key, decision: OrphanVerdict) {
    let mut plane = world.plane_record("eu").clone();
    plane.decisions.push(OrphanDecision {
        kind: OrphanKind::Release,
        namespace: orphan.namespace.clone(),
        name: orphan.name.clone(),
        uid: orphan.uid.to_string(),
        decision,
    });
    world.see_plane(plane);
}

/// Says what version the plane has of an orphan, when it was told an older one.
fn hold(world: &mut World, agent: &mut Agent, orphan: &Key, version: Version) {
    let held = Held {
        key: orphan.clone(),
        version,
    };
    let digest = Digest::of(b"what it holds");
    agent.say(world, AgentMessage::HubBehind { held, digest });
    agent.listen(world);
}

#[test]
fn an_orphan_is_removed_at_a_version_that_is_newer_than_what_the_plane_holds() {
    let mut world = World::new();
    let (mut agent, orphan) = with_orphan(&mut world);
    assert_eq!(agent.holds(&orphan), None, "nobody decided anything");
    decide(&mut world, &orphan, OrphanVerdict::Remove);
    agent.listen(&mut world);
    let held = Version {
        epoch: Epoch(1),
        generation: Generation(7),
        moved: Move(2),
    };
    hold(&mut world, &mut agent, &orphan, held);
    let head = &agent.heads[&orphan];
    assert_eq!(head.state, HeadState::Removed);
    assert!(head.version > held, "{}", head.version);

    say_orphans(&mut world, &agent, &[]);
    agent.gone(&mut world, &orphan);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&orphan), None);
    assert!(world.plane_record("eu").decisions.is_empty(), "it is done");
}

#[test]
fn what_is_there_again_is_adopted_only_once_its_successor_is_meant_for_the_plane() {
    let mut world = World::new();
    let (mut agent, orphan) = with_orphan(&mut world);
    decide(&mut world, &orphan, OrphanVerdict::Adopt);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&orphan), None);
    let successor = world.create("cart");
    agent.listen(&mut world);
    assert_eq!(agent.holds(&orphan), Some(HeadState::Left));
    assert_eq!(agent.holds(&successor), Some(HeadState::Present));
}

#[test]
fn what_the_plane_does_not_name_it_hears_nothing_of() {
    let mut world = World::new();
    let (mut agent, mut orphan) = with_orphan(&mut world);
    orphan.uid = Uid::new("another").unwrap();
    decide(&mut world, &orphan, OrphanVerdict::Remove);
    agent.listen(&mut world);
    assert!(agent.heads.is_empty(), "{:?}", agent.heads);
    assert_eq!(world.plane_record("eu").decisions.len(), 1);
}

#[test]
fn a_hub_of_an_older_epoch_removes_nothing_that_a_newer_one_left_there() {
    let mut world = World::new();
    let (mut agent, orphan) = with_orphan(&mut world);
    decide(&mut world, &orphan, OrphanVerdict::Remove);
    agent.listen(&mut world);
    let before = agent.announced();
    let newer = Version {
        epoch: Epoch(2),
        ..Version::default()
    };
    hold(&mut world, &mut agent, &orphan, newer);
    assert_eq!(agent.announced(), before, "{:?}", agent.heard);
}

#[test]
fn a_decision_waits_for_a_plane_that_is_away_and_for_a_hub_that_starts_again() {
    let mut world = World::new();
    let (mut agent, orphan) = with_orphan(&mut world);
    world.fleet.closed(agent.session, world.now);
    decide(&mut world, &orphan, OrphanVerdict::Remove);
    world.run();
    let mut world = world.restarted();
    agent.dial(&mut world).unwrap();
    assert!(
        !agent.was_told(
            |message| matches!(message, HubMessage::Announce(announce) if !announce.heads.is_empty())
        )
    );
    say_orphans(&mut world, &agent, &[&orphan]);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&orphan), Some(HeadState::Removed));
}

#[test]
fn a_decision_is_done_also_where_its_resource_is_there_again_for_no_plane() {
    let mut world = World::new();
    let (mut agent, mut orphan) = with_orphan(&mut world);
    orphan.uid = Uid::new("uid-1").unwrap();
    say_orphans(&mut world, &agent, &[&orphan]);
    agent.listen(&mut world);
    decide(&mut world, &orphan, OrphanVerdict::Remove);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&orphan), Some(HeadState::Removed));
    assert_eq!(world.create_with("cart", &spec("nowhere", 1)), orphan);
    world.run();
    say_orphans(&mut world, &agent, &[]);
    agent.gone(&mut world, &orphan);
    agent.listen(&mut world);
    assert!(world.plane_record("eu").decisions.is_empty(), "it is done");
}

#[test]
fn what_is_decided_about_what_stands_in_the_control_plane_is_taken_off() {
    let mut world = World::new();
    let (mut agent, mut orphan) = with_orphan(&mut world);
    orphan.uid = Uid::new("uid-1").unwrap();
    assert_eq!(world.create_with("cart", &spec("nowhere", 1)), orphan);
    world.run();
    say_orphans(&mut world, &agent, &[&orphan]);
    agent.listen(&mut world);
    assert!(world.fleet.orphans(&World::plane("eu")).unwrap()[0].stands);
    decide(&mut world, &orphan, OrphanVerdict::Remove);
    agent.listen(&mut world);
    assert_eq!(agent.holds(&orphan), None);
    assert!(
        world.plane_record("eu").decisions.is_empty(),
        "it would count for a later orphan"
    );
}

#[test]
fn orphans_are_shown_with_who_may_adopt_them_and_what_was_decided() {
    let mut world = World::new();
    let (_agent, orphan) = with_orphan(&mut world);
    let successor = world.create("cart");
    decide(&mut world, &orphan, OrphanVerdict::Adopt);
    let shown = world.fleet.orphans(&World::plane("eu")).unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].uid, "uid-of-before");
    assert_eq!(shown[0].successor.as_deref(), Some(successor.uid.as_str()));
    assert_eq!(shown[0].decision, Some(OrphanVerdict::Adopt));
}
