//! What planes are told of the control plane, and what is shown where one knew another.

use outhaul_hub_core::{Change, Origin};
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use outhaul_protocol_wire::witness::Vouched;

use crate::agent::Agent;
use crate::world::World;

/// What an agent was told last in its session.
fn told(agent: &Agent) -> Option<Vouched> {
    agent.heard.iter().rev().find_map(|message| match message {
        HubMessage::Vouched(vouched) => Some(*vouched),
        _ => None,
    })
}

fn written(world: &World) -> usize {
    let conditions = |change: &Change| match change {
        Change::PlaneConditions { conditions, .. } => conditions
            .iter()
            .any(|condition| condition.type_ == "ControlPlaneConfirmed"),
        _ => false,
    };
    let writes = world.writes.iter();
    writes.filter(|write| conditions(&write.change)).count()
}

fn confirmed(world: &World) -> Option<String> {
    let mut conditions = world.plane_record("eu").conditions.iter();
    let said = conditions.find(|condition| condition.type_ == "ControlPlaneConfirmed")?;
    Some(said.status.clone())
}

fn shown(world: &World) -> Option<String> {
    let view = world.fleet.plane_view(&World::plane("eu"), world.now).unwrap();
    view.unconfirmed
}

fn say(world: &mut World, agent: &mut Agent, unconfirmed: bool) {
    agent.say(world, AgentMessage::Unconfirmed(unconfirmed));
    agent.listen(world);
}

#[test]
fn a_plane_is_told_before_any_head_and_need_not_answer() {
    let mut world = World::new();
    world.create("cart");
    let agent = Agent::connect(&mut world, "eu");
    let vouched = told(&agent).unwrap();
    assert!(!vouched.confirmed && !vouched.asks);
    assert!(matches!(
        agent.heard[..],
        [
            HubMessage::Welcome(_),
            HubMessage::Vouched(_),
            HubMessage::Announce(_),
            ..
        ]
    ));
    assert_eq!((confirmed(&world), shown(&world)), (None, None));
}

#[test]
fn the_same_control_plane_says_the_same_and_another_plane_hears_another_word() {
    let mut world = World::new();
    let eu = told(&Agent::connect(&mut world, "eu"));
    let us = told(&Agent::connect(&mut world, "us"));
    let mut restarted = world.restarted();
    assert_eq!(told(&Agent::connect(&mut restarted, "eu")), eu);
    assert_ne!(us, eu);
}

#[test]
fn that_a_plane_waits_is_shown_and_written_down_once_and_so_is_that_it_does_no_more() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let witness = told(&agent).unwrap().witness.to_string();
    say(&mut world, &mut agent, true);
    agent.dial(&mut world).unwrap();
    assert!(told(&agent).unwrap().asks, "it may wait no more");
    say(&mut world, &mut agent, true);
    assert_eq!(
        (confirmed(&world), shown(&world), written(&world)),
        (Some("False".into()), Some(witness.clone()), 1)
    );
    let events = world
        .notes
        .iter()
        .filter(|note| note.reason == "ControlPlaneChanged");
    assert_eq!(events.count(), 1);

    let session = agent.session;
    world.fleet.closed(session, world.now);
    assert_eq!(shown(&world), Some(witness), "while it is away");
    agent.dial(&mut world).unwrap();
    say(&mut world, &mut agent, false);
    assert_eq!((confirmed(&world), shown(&world)), (Some("True".into()), None));
}

#[test]
fn what_is_written_into_the_plane_is_told_and_only_if_it_is_this_control_plane() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let witness = told(&agent).unwrap().witness;
    let confirm = |world: &mut World, text: String| {
        let mut record = world.plane_record("eu").clone();
        record.control_plane = text;
        record.resource_version += 1;
        world.fleet.plane(record, Origin::Watch, world.now);
    };
    agent.heard.clear();
    confirm(&mut world, "0".repeat(64));
    agent.listen(&mut world);
    assert_eq!(told(&agent), None, "of another one");
    confirm(&mut world, witness.to_string());
    agent.listen(&mut world);
    assert!(told(&agent).is_some_and(|told| told.confirmed && told.witness == witness));
}
