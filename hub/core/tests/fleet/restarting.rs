//! A hub that starts again derives the same from the same resources.

use outhaul_hub_core::Origin;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::message::{AgentMessage, Held, HubMessage, Welcome};
use outhaul_protocol_wire::report::Health;

use crate::agent::{Agent, blocked, object};
use crate::world::World;

fn settled(world: &mut World, count: usize) -> (Agent, Vec<Key>) {
    let mut agent = Agent::connect(world, "eu");
    let keys: Vec<_> = (0..count)
        .map(|index| world.create(&format!("app-{index}")))
        .collect();
    agent.listen(world);
    for key in &keys {
        agent.report(world, key, &[Health::Healthy]);
    }
    agent.listen(world);
    (agent, keys)
}

#[test]
fn a_converged_plane_costs_a_greeting_and_no_write() {
    let mut world = World::new();
    let (mut agent, keys) = settled(&mut world, 5);
    let mut world = world.restarted();
    let before = world.writes.len();
    agent.dial(&mut world).unwrap();
    let [
        HubMessage::Welcome(Welcome { converged: true, .. }),
        HubMessage::Vouched(_),
    ] = agent.heard.as_slice()
    else {
        panic!("more than a greeting: {:?}", agent.heard);
    };
    let written: Vec<_> = world.writes[before..]
        .iter()
        .filter(|write| !write.subject.to_string().starts_with("Plane"))
        .collect();
    assert!(written.is_empty(), "{written:?}");
    // The agent says it all again, and still nothing is written.
    for key in &keys {
        agent.report(&mut world, key, &[Health::Healthy]);
    }
    let before = world.writes.len();
    agent.listen(&mut world);
    assert_eq!(world.writes.len(), before);
}

#[test]
fn what_a_refusal_took_out_of_a_status_is_asked_for_again() {
    let mut world = World::new();
    let (agent, keys) = settled(&mut world, 1);
    let mut world = world.restarted();
    let mut agent = agent;
    agent.dial(&mut world).unwrap();
    assert!(!agent.was_told(|message| matches!(message, HubMessage::ReportWanted(_))));
    let dev = ("acme".to_owned(), "dev".to_owned());
    world.fleet.environment(dev.clone(), None, world.now);
    agent.listen(&mut world);
    assert_eq!(world.ready("app-0").1, "NoPlane");
    assert!(agent.was_told(|message| *message == HubMessage::ReportWanted(keys[0].clone())));
    agent.report(&mut world, &keys[0], &[Health::Healthy]);
    world
        .fleet
        .environment(dev, Some(Some("dp-eu".into())), world.now);
    agent.listen(&mut world);
    assert_eq!(world.ready("app-0").1, "AllHealthy");
}

#[test]
fn the_blocker_of_a_stuck_object_is_asked_for_again() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.report_objects(&mut world, &key, vec![blocked(0)]);
    agent.listen(&mut world);
    let mut world = world.restarted();
    agent.dial(&mut world).unwrap();
    assert!(agent.was_told(|message| *message == HubMessage::ReportWanted(key.clone())));
    let before = world.writes.len();
    agent.report_objects(&mut world, &key, vec![blocked(0)]);
    agent.listen(&mut world);
    let view = &world.fleet.bundles(&World::plane("eu")).unwrap()[0];
    assert_eq!(view.objects[0].blocker.as_ref().unwrap().reason, "Forbidden");
    assert_eq!(world.writes.len(), before);
}

#[test]
fn what_changed_while_it_was_cut_off_arrives() {
    let mut world = World::new();
    let (mut agent, keys) = settled(&mut world, 3);
    world.fleet.closed(agent.session, world.now);
    world.edit("app-1", &crate::world::spec("dev", 2));
    world.delete("app-2");
    let mut world = world.restarted();
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.heads[&keys[1]].version.generation.0, 2);
    assert_eq!(agent.holds(&keys[2]), Some(HeadState::Removed));
    agent.gone(&mut world, &keys[2]);
    agent.report_objects(
        &mut world,
        &keys[1],
        vec![object(0, Health::Healthy), object(1, Health::Healthy)],
    );
    agent.listen(&mut world);
    assert!(!world.exists("app-2"));
    assert_eq!(world.status("app-1").observed_generation, Some(2));
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.heard.len(), 2, "{:?}", agent.heard);
}

#[test]
fn a_restart_between_the_two_first_writes_finishes_them() {
    for made in [0, 1] {
        let mut world = World::new();
        let mut agent = Agent::connect(&mut world, "eu");
        let key = world.create("cart");
        agent.overhear(&mut world);
        let write = world.pending.swap_remove(made);
        world.carry_out(write);
        let mut world = world.restarted();
        agent.dial(&mut world).unwrap();
        agent.listen(&mut world);
        assert!(agent.recorded[&key], "after write {made}");
        assert_eq!(world.status("cart").plane.as_deref(), Some("eu"));
        assert!(!world.finalizers("cart").is_null());
    }
}

#[test]
fn a_plane_that_is_ahead_is_shown_only_if_the_api_server_itself_is_behind() {
    let mut world = World::new();
    let (mut agent, keys) = settled(&mut world, 1);
    let mut held = crate::agent::held(&agent.heads[&keys[0]]);
    held.version.generation.0 += 5;
    let behind = AgentMessage::HubBehind {
        held: Held { ..held },
        digest: Digest::of(b"newer"),
    };
    agent.say(&mut world, behind);
    agent.listen(&mut world);
    assert_eq!(world.reads, [keys[0].clone()]);
    assert_eq!(
        world.ready("app-0").0,
        "True",
        "only the watch was late, as far as is known"
    );
    world.see("app-0", Origin::Read);
    agent.listen(&mut world);
    let (ready, reason, message) = world.ready("app-0");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "HubBehind"));
    assert!(message.contains("1.6.0"), "{message}");
}
