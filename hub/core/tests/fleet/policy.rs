//! What the policy of a plane's owner lets the hub do is shown, and written down where it is news.

use outhaul_hub_core::Change;
use outhaul_hub_resources::{PlanePolicy, PolicyConfirmations, PolicyMode};
use outhaul_protocol_wire::message::AgentMessage;
use outhaul_protocol_wire::policy::{Mode, Policy};

use crate::agent::Agent;
use crate::world::World;

fn paused(problem: Option<&str>) -> Policy {
    Policy {
        mode: Mode::Pauses,
        problem: problem.map(str::to_owned),
        ..Policy::default()
    }
}

fn shown(world: &World) -> Option<PolicyMode> {
    let plane = world.fleet.plane_view(&World::plane("eu"), world.now).unwrap();
    plane.policy.map(|policy| policy.mode)
}

fn written(world: &World) -> usize {
    let writes = world.writes.iter();
    writes
        .filter(|write| matches!(write.change, Change::PlanePolicy { .. }))
        .count()
}

#[test]
fn a_policy_is_shown_and_written_down_once() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    assert_eq!(
        (shown(&world), written(&world)),
        (None, 0),
        "without one all is as ever"
    );
    agent.policy = paused(None);
    agent.say(&mut world, AgentMessage::Policy(agent.policy.clone()));
    agent.listen(&mut world);
    let expected = PlanePolicy {
        mode: PolicyMode::Pauses,
        confirmations: PolicyConfirmations::Hub,
        digest: None,
        problem: None,
    };
    assert_eq!(world.plane_record("eu").policy, Some(expected));
    agent.dial(&mut world).unwrap();
    assert_eq!((shown(&world), written(&world)), (Some(PolicyMode::Pauses), 1));
    agent.say(&mut world, AgentMessage::Policy(Policy::default()));
    agent.listen(&mut world);
    assert_eq!(
        (shown(&world), world.plane_record("eu").policy.as_ref()),
        (None, None)
    );
}

#[test]
fn what_a_plane_said_last_is_shown_while_it_is_away() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    agent.say(&mut world, AgentMessage::Policy(paused(None)));
    agent.listen(&mut world);
    let session = agent.session;
    world.fleet.closed(session, world.now);
    assert_eq!(shown(&world), Some(PolicyMode::Pauses));
    let mut world = world.restarted();
    world.run();
    assert_eq!((shown(&world), written(&world)), (Some(PolicyMode::Pauses), 0));
}

#[test]
fn what_is_wrong_with_a_policy_is_an_event_once() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    agent.policy = paused(Some("kinds: no"));
    agent.say(&mut world, AgentMessage::Policy(agent.policy.clone()));
    agent.listen(&mut world);
    agent.dial(&mut world).unwrap();
    let said = world.notes.iter().filter(|note| note.reason == "PolicyMalformed");
    let said: Vec<&str> = said.map(|note| note.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "the policy of the plane's owner cannot be read, and what could be read last is in force: kinds: no"
        ]
    );
}
