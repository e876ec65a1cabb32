//! Words, writes and sights that overtake each other.

use std::time::Duration;

use outhaul_hub_core::{Change, Origin, Outcome};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::message::{AgentMessage, Held, HubMessage};
use outhaul_protocol_wire::report::Health;
use serde_json::json;

use crate::agent::{Agent, held};
use crate::world::{World, record, spec};

fn settle(world: &mut World) {
    for _ in 0..20 {
        world.advance(Duration::from_secs(5));
        world.run();
    }
}

/// A Release that is healthy on its plane, and everybody knows it.
fn settled() -> (World, Agent, Key) {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    settle(&mut world);
    (world, agent, key)
}

#[test]
fn a_word_that_is_taken_back_while_it_is_written_is_taken_back_in_the_status() {
    let (mut world, mut agent, key) = settled();
    agent.report(&mut world, &key, &[Health::Progressing]);
    world.poll();
    assert_eq!(world.pending.len(), 1);
    agent.report(&mut world, &key, &[Health::Healthy]);
    settle(&mut world);
    let health = world.status("cart").resources[0].health_status.clone();
    assert_eq!(health.as_deref(), Some("Healthy"));
}

/// A Release that its plane reported, and of which it holds more than the watch has brought: generation 2, as the API server
/// has, from another hub.
fn ahead() -> (World, Agent, Key, Held) {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    world.run();
    let newer = late_watch(&mut world, &agent, &key);
    (world, agent, key, newer)
}

/// The API server has generation 2, the watch has not brought it yet, and the plane has it from another hub.
fn late_watch(world: &mut World, agent: &Agent, key: &Key) -> Held {
    world.object("cart")["spec"] = spec("dev", 2);
    world.object("cart")["metadata"]["generation"] = json!(2);
    world.touch("cart");
    let mut newer = held(&agent.heads[key]);
    newer.version.generation.0 = 2;
    newer
}

#[test]
fn a_watch_that_is_late_leaves_no_word_of_a_hub_that_is_behind() {
    let (mut world, mut agent, key, newer) = ahead();
    let digest = Digest::of(b"newer");
    agent.say(&mut world, AgentMessage::HubBehind { held: newer, digest });
    agent.listen(&mut world);
    world.see("cart", Origin::Read);
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy, Health::Healthy]);
    settle(&mut world);
    assert_eq!(world.ready("cart").1, "AllHealthy", "{}", world.ready("cart").2);
}

#[test]
fn what_a_plane_said_before_the_hub_knew_of_it_is_asked_for_again() {
    let (mut world, mut agent, key, newer) = ahead();
    let digest = Digest::of(b"newer");
    agent.heads.get_mut(&key).unwrap().version = newer.version;
    agent.say(&mut world, AgentMessage::HubBehind { held: newer, digest });
    agent.report(&mut world, &key, &[Health::Healthy, Health::Healthy]);
    world.see("cart", Origin::Read);
    agent.listen(&mut world);
    assert!(agent.was_told(|message| *message == HubMessage::ReportWanted(key.clone())));
}

#[test]
fn what_a_plane_told_another_hub_since_is_not_written_over() {
    let (mut world, agent, _) = settled();
    world.fleet.closed(agent.session, world.now);
    let status = &mut world.object("cart")["status"];
    status["term"] = json!({"boot": 1, "dial": 9});
    status["resources"][0]["healthStatus"] = json!("Degraded");
    world.touch("cart");
    world.run();
    world.writes.clear();
    world.see("cart", Origin::Watch);
    settle(&mut world);
    let written = world
        .writes
        .iter()
        .find(|write| matches!(write.change, Change::Status { .. }));
    assert_eq!(written, None);
}

#[test]
fn content_that_a_status_does_not_name_yet_is_named_once_its_plane_reports_again() {
    let (mut world, mut agent, key) = settled();
    world.edit("cart", &spec("dev", 2));
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy; 2]);
    settle(&mut world);
    // A hub that was killed between two writes, each of a version that the plane reported.
    world.object("cart")["status"]["content"]["generation"] = json!(1);
    world.touch("cart");
    let mut world = world.restarted();
    agent.dial(&mut world).unwrap();
    assert!(agent.was_told(|message| *message == HubMessage::ReportWanted(key.clone())));
}

#[test]
fn why_a_removal_fails_is_not_taken_back_by_a_replica_that_does_not_hear_the_plane() {
    let (mut world, agent, _) = settled();
    world.delete("cart");
    world.run();
    world.fleet.closed(agent.session, world.now);
    settle(&mut world);
    let conditions = world.object("cart")["status"]["conditions"]
        .as_array_mut()
        .unwrap();
    let finalizing = conditions
        .iter_mut()
        .find(|said| said["type"] == "Finalizing")
        .unwrap();
    assert_eq!(finalizing["reason"], "CleanupInProgress");
    finalizing["reason"] = json!("CleanupFailed");
    finalizing["message"] = json!("plane eu has lost what it held of it");
    world.touch("cart");
    world.run();
    world.writes.clear();
    world.see("cart", Origin::Watch);
    settle(&mut world);
    let is_status = |change: &Change| matches!(change, Change::Status { .. });
    let written: Vec<_> = world
        .writes
        .iter()
        .filter(|write| is_status(&write.change))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

#[test]
fn that_the_hub_is_behind_is_not_taken_back_by_a_replica_that_does_not_hear_the_plane() {
    let (mut world, agent, _) = settled();
    world.fleet.closed(agent.session, world.now);
    let status = &mut world.object("cart")["status"];
    status["term"] = json!({"boot": 1, "dial": 9});
    status["conditions"][0]["status"] = json!("False");
    status["conditions"][0]["reason"] = json!("HubBehind");
    world.touch("cart");
    world.see("cart", Origin::Watch);
    settle(&mut world);
    assert_eq!(world.ready("cart").1, "HubBehind");
    world.edit("cart", &spec("dev", 2));
    settle(&mut world);
    assert_eq!(world.ready("cart").1, "Delivering", "an edit may be newer");
}

#[test]
fn an_agent_that_repeats_itself_makes_one_read_at_a_time() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    let newer = late_watch(&mut world, &agent, &key);
    let say = |world: &mut World, generation, content: &[u8]| {
        let mut held = newer.clone();
        held.version.generation.0 = generation;
        let digest = Digest::of(content);
        agent.say(world, AgentMessage::HubBehind { held, digest });
        world.poll();
    };
    for generation in 2..50 {
        say(&mut world, generation, b"invented");
        say(&mut world, generation, b"again");
    }
    assert_eq!(world.reads.len(), 1);
    world.fleet.unread(&key);
    say(&mut world, 49, b"again");
    assert_eq!(world.reads.len(), 2, "a read without an answer is made again");
    world.see("cart", Origin::Read);
    say(&mut world, 49, b"again");
    assert_eq!(world.reads.len(), 2, "what is confirmed is not asked again");
}

#[test]
fn a_finalizer_that_comes_after_the_deletion_is_no_removal() {
    let mut world = World::new();
    let _agent = Agent::connect(&mut world, "eu");
    world.create("cart");
    world.poll();
    let object = world.object("cart");
    object["metadata"]["finalizers"] = json!(["example.org/other"]);
    world.delete("cart");
    world.run();
    let reasons: Vec<_> = world.notes.iter().map(|note| note.reason.as_str()).collect();
    assert!(!reasons.contains(&"Removed"), "{reasons:?}");
}

#[test]
fn planes_are_not_called_lost_before_they_could_come() {
    let mut world = World::unsynced();
    world.now.uptime = Duration::from_secs(120);
    world.set_up();
    let mut plane = record("eu", "dp-eu");
    let connected = json!({"type": "Connected", "status": "True", "reason": "SessionOpen", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    plane.conditions = vec![serde_json::from_value(connected).unwrap()];
    world.see_plane(plane);
    world.fleet.synced(world.now);
    world.poll();
    let said = |world: &World| {
        let changes = world.writes.iter().map(|write| &write.change);
        changes
            .filter(|change| matches!(change, Change::PlaneConditions { .. }))
            .count()
    };
    assert_eq!(said(&world), 0);
    world.advance(Duration::from_secs(61));
    world.poll();
    assert_eq!(said(&world), 1);
}

#[test]
fn a_plane_that_another_hub_says_it_has_is_not_called_lost() {
    let mut world = World::new();
    let agent = Agent::connect(&mut world, "eu");
    world.fleet.closed(agent.session, world.now);
    world.advance(Duration::from_secs(61));
    world.run();
    world.writes.clear();
    let mut plane = record("eu", "dp-eu");
    let connected = json!({"type": "Connected", "status": "True", "reason": "SessionOpen", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    plane.conditions = vec![serde_json::from_value(connected).unwrap()];
    world.see_plane(plane);
    world.advance(Duration::from_secs(600));
    world.run();
    assert_eq!(world.writes, []);
}

#[test]
fn a_status_that_the_api_server_refuses_is_named_until_the_next_report() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    world.poll();
    let write = world.pending.pop().unwrap();
    let message = "status.inventory: must not be empty".to_owned();
    world.refuse(&write, Outcome::Invalid { message });
    settle(&mut world);
    let (_, reason, message) = world.ready("cart");
    assert_eq!(reason, "StatusRefused");
    assert!(message.contains("status.inventory"), "{message}");
    agent.report(&mut world, &key, &[Health::Degraded]);
    settle(&mut world);
    assert_eq!(world.ready("cart").1, "Degraded");
}

#[test]
fn a_status_that_cannot_be_read_is_kept_and_removes_nothing() {
    let (mut world, mut agent, key) = settled();
    let good = world.object("cart")["status"].clone();
    world.object("cart")["status"] = json!({"conditions": 7});
    world.delete("cart");
    settle(&mut world);
    assert_eq!(world.object("cart")["status"], json!({"conditions": 7}));
    assert_eq!(
        world.finalizers("cart"),
        json!(["openchoreo.dev/dataplane-cleanup"])
    );
    assert!(world.notes.iter().any(|note| note.reason == "InvalidStatus"));
    world.object("cart")["status"] = good;
    world.touch("cart");
    world.see("cart", Origin::Watch);
    agent.listen(&mut world);
    agent.gone(&mut world, &key);
    agent.listen(&mut world);
    assert!(!world.exists("cart"));
}

#[test]
fn a_deletion_whose_plane_was_lost_from_the_status_is_held() {
    let (mut world, mut agent, key) = settled();
    world
        .fleet
        .environment(("acme".into(), "dev".into()), None, world.now);
    world.object("cart")["status"]["plane"] = json!(null);
    world.delete("cart");
    agent.listen(&mut world);
    assert_eq!(
        agent.holds(&key),
        Some(HeadState::Removed),
        "this hub remembers the plane"
    );
    settle(&mut world);
    assert_eq!(world.status("cart").plane.as_deref(), Some("eu"), "and says so");
    world.object("cart")["status"]["plane"] = json!(null);
    let mut world = world.restarted();
    settle(&mut world);
    assert_eq!(
        world.finalizers("cart"),
        json!(["openchoreo.dev/dataplane-cleanup"])
    );
    let conditions = world.status("cart").conditions;
    let finalizing = conditions.iter().find(|one| one.type_ == "Finalizing").unwrap();
    assert!(
        finalizing.message.contains("set status.plane"),
        "{}",
        finalizing.message
    );
}

#[test]
fn an_edit_that_overtakes_the_answer_to_a_read_is_not_undone_by_it() {
    let (mut world, mut agent, key) = settled();
    agent.report(&mut world, &key, &[Health::Degraded]);
    world.poll();
    let write = world.pending.pop().unwrap();
    world.refuse(&write, Outcome::Outdated);
    world.poll();
    assert_eq!(world.reads, core::slice::from_ref(&key));
    let answer = world.object("cart").clone();
    world.edit("cart", &spec("dev", 2));
    let newest = core::mem::replace(world.object("cart"), answer);
    world.see("cart", Origin::Read);
    *world.object("cart") = newest;
    agent.listen(&mut world);
    assert_eq!(agent.heads[&key].version.generation.0, 2);
    let view = &world.fleet.bundles(&World::plane("eu")).unwrap()[0];
    assert_eq!(view.version.generation, 2);
}

#[test]
fn the_answer_to_a_read_makes_nothing_that_vanished_meanwhile() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    let newer = late_watch(&mut world, &agent, &key);
    let digest = Digest::of(b"newer");
    agent.say(&mut world, AgentMessage::HubBehind { held: newer, digest });
    world.poll();
    world.fleet.vanished(&key, world.now);
    world.see("cart", Origin::Read);
    assert!(world.fleet.bundles(&World::plane("eu")).unwrap().is_empty());
}
