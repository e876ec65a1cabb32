//! What cannot be delivered is named, and leaves its neighbours and what is there already alone.

use outhaul_hub_core::view::{BundleState, BundleView};
use outhaul_hub_core::{Change, Outcome, Write};
use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use outhaul_protocol_wire::report::Health;
use serde_json::{Value, json};

use crate::agent::{Agent, held};
use crate::world::{World, record, spec};

fn too_long() -> Value {
    let mut spec = spec("dev", 1);
    spec["resources"][0]["object"]["data"] = json!("x".repeat(limits::SPEC_BYTES));
    spec
}

fn twice() -> Value {
    let mut spec = spec("dev", 2);
    spec["resources"][1]["id"] = json!("object-0");
    spec
}

fn elsewhere() -> Value {
    let mut spec = spec("dev", 1);
    spec["resources"][0]["object"]["metadata"]["namespace"] = json!("kube-system");
    spec
}

#[test]
fn each_refusal_has_a_condition_and_an_event_and_nothing_else_is_written() {
    for (spec, reason, message) in [
        (too_long(), "InvalidSpec", "split it"),
        (spec("dev", limits::OBJECTS + 1), "InvalidSpec", "1001 objects"),
        (twice(), "InvalidSpec", "two objects with id"),
        (elsewhere(), "NotAdmitted", "kube-system"),
        (
            spec("nowhere", 1),
            "NoPlane",
            "Environment nowhere does not exist",
        ),
    ] {
        let mut world = World::new();
        let mut agent = Agent::connect(&mut world, "eu");
        world.writes.clear();
        let bad = world.create_with("bad", &spec);
        let good = world.create("good");
        agent.listen(&mut world);
        assert_eq!(agent.holds(&bad), None);
        assert!(agent.recorded[&good]);
        let (ready, found, text) = world.ready("bad");
        assert_eq!((ready.as_str(), found.as_str()), ("False", reason));
        assert!(text.contains(message), "{text}");
        assert!(world.finalizers("bad").is_null());
        assert_eq!(world.status("bad").plane, None);
        let note = world.notes.iter().find(|note| note.reason == reason).unwrap();
        assert!(note.warning && note.message.contains(message), "{note:?}");
    }
}

#[test]
fn a_bad_edit_leaves_the_last_good_one_in_place() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    let good = agent.heads[&key].clone();
    world.edit("cart", &twice());
    agent.listen(&mut world);
    assert_eq!(agent.heads[&key], good);
    assert_eq!(world.ready("cart").1, "InvalidSpec");
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.announced(), 0, "the plane still holds what it should");
    world.edit("cart", &spec("dev", 2));
    agent.listen(&mut world);
    assert_eq!(agent.heads[&key].version.generation.0, 3);
    agent.report(&mut world, &key, &[Health::Healthy; 2]);
    agent.listen(&mut world);
    assert_eq!(world.ready("cart").0, "True");
}

#[test]
fn a_plane_that_appears_later_takes_what_waits_for_it() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create_with("early", &spec("stage", 1));
    agent.listen(&mut world);
    assert_eq!(world.ready("early").1, "NoPlane");
    let name = ("acme".to_owned(), "stage".to_owned());
    world
        .fleet
        .environment(name, Some(Some("dp-eu".into())), world.now);
    agent.listen(&mut world);
    assert!(agent.recorded[&key]);
    assert_eq!(world.ready("early").1, "Delivering");
}

#[test]
fn an_admission_that_is_taken_back_keeps_what_is_there() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    let mut plane = record("eu", "dp-eu");
    plane.admits.clear();
    world.see_plane(plane);
    agent.listen(&mut world);
    assert_eq!(world.ready("cart").1, "NotAdmitted");
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
    world.see_plane(record("eu", "dp-eu"));
    agent.listen(&mut world);
    assert_eq!(world.ready("cart").0, "True");
}

/// A Release that is delivered, then edited to something that cannot be, and a hub that starts after that.
fn refused_and_restarted(
    world: World,
    good: impl FnOnce(&mut World, &mut Agent, &Key),
) -> (World, Agent, Key) {
    let mut world = world;
    let (mut agent, key) = Agent::with_cart(&mut world);
    good(&mut world, &mut agent, &key);
    world.edit("cart", &twice());
    agent.listen(&mut world);
    (world.restarted(), agent, key)
}

fn shown(world: &World) -> BundleView {
    let views = world.fleet.bundles(&World::plane("eu")).unwrap();
    views.into_iter().next().expect("the plane has a bundle")
}

#[test]
fn a_restarted_hub_keeps_the_last_good_one_where_the_newest_is_refused() {
    let (mut world, mut agent, key) = refused_and_restarted(World::new(), |_, _, _| {});
    let good = agent.heads[&key].clone();
    let before = world.writes.len();
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.announced(), 0, "equal roots: {:?}", agent.heard);
    assert_eq!(agent.heads[&key], good);
    let view = shown(&world);
    assert_eq!((view.state, view.version.generation), (BundleState::Refused, 1));
    assert_eq!(view.blocker.unwrap().reason, "InvalidSpec");
    // What the plane says about it still counts.
    agent.report(&mut world, &key, &[Health::Degraded]);
    agent.listen(&mut world);
    let status = world.status("cart");
    assert_eq!(status.resources[0].health_status.as_deref(), Some("Degraded"));
    assert_eq!(world.ready("cart").1, "InvalidSpec");
    assert!(world.writes.len() > before);
    // And the next good one is delivered.
    world.edit("cart", &spec("dev", 2));
    agent.listen(&mut world);
    assert_eq!(agent.heads[&key].version.generation.0, 3);
}

#[test]
fn a_restarted_hub_takes_the_plane_s_word_for_what_it_had_not_reported_yet() {
    let (mut world, mut agent, key) = refused_and_restarted(World::new(), |world, agent, _| {
        world.edit("cart", &spec("dev", 2));
        agent.listen(world);
    });
    let held = agent.heads[&key].clone();
    assert_eq!(held.version.generation.0, 2);
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.heads[&key], held, "nothing goes back");
    assert_eq!(
        world.ready("cart").1,
        "InvalidSpec",
        "and nobody speaks of a restored backup"
    );
    agent.report(&mut world, &key, &[Health::Healthy; 2]);
    agent.listen(&mut world);
    assert_eq!(shown(&world).version.generation, 2);
    assert_eq!(world.status("cart").observed_generation, Some(2));
    let mut world = world.restarted();
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.announced(), 0, "{:?}", agent.heard);
}

#[test]
fn a_plane_that_lost_what_the_hub_has_not_either_is_told_so_once() {
    let (mut world, mut agent, key) = refused_and_restarted(World::new(), |_, _, _| {});
    let digest = agent.heads[&key].digest;
    agent.heads.clear();
    agent.observed.clear();
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.announced(), 1);
    assert_eq!(
        world.fleet.fetch(agent.session, digest, world.now),
        Fetched::NotQueued
    );
    agent.listen(&mut world);
    assert_eq!(agent.announced(), 1);
    let blocker = shown(&world).blocker.unwrap();
    assert_eq!(blocker.reason, "InvalidSpec");
    assert!(blocker.message.contains("lost"), "{}", blocker.message);
    let words = world.ready("cart").2;
    assert!(words.contains("lost"), "{words}");
    // Another hub, which was not asked for the content, leaves these words alone.
    let mut world = world.restarted();
    let before = world.writes.len();
    agent.dial(&mut world).unwrap();
    assert_eq!(world.writes.len(), before, "{:?}", world.writes);
    assert_eq!(world.ready("cart").2, words);
}

#[test]
fn what_a_plane_reports_before_its_word_is_taken_is_asked_for_again() {
    let (mut world, mut agent, key) = refused_and_restarted(World::new(), |world, agent, _| {
        world.edit("cart", &spec("dev", 2));
        agent.listen(world);
    });
    let newer = agent.heads.remove(&key).unwrap();
    agent.dial(&mut world).unwrap();
    agent.heads.insert(key.clone(), newer.clone());
    agent.report(&mut world, &key, &[Health::Healthy; 2]);
    agent.heard.clear();
    let digest = newer.digest;
    let held = held(&newer);
    agent.say(&mut world, AgentMessage::HubBehind { held, digest });
    agent.listen(&mut world);
    assert_eq!(shown(&world).version.generation, 2);
    assert!(agent.was_told(|message| *message == HubMessage::ReportWanted(key.clone())));
}

#[test]
fn no_plane_is_given_content_that_was_refused_under_the_name_of_what_it_holds() {
    let (mut world, mut agent, key) = refused_and_restarted(World::new(), |_, _, _| {});
    agent.dial(&mut world).unwrap();
    let mut behind = held(&agent.heads[&key]);
    behind.version.generation.0 = 2;
    let bad = Digest::of(&canonical::to_vec(&twice()));
    agent.say(
        &mut world,
        AgentMessage::HubBehind {
            held: behind,
            digest: bad,
        },
    );
    agent.listen(&mut world);
    assert_eq!(
        world.fleet.fetch(agent.session, bad, world.now),
        Fetched::NotQueued
    );
}

#[test]
fn nothing_is_applied_without_our_finalizer_where_the_way_breaks_between_our_two_writes() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    world.poll();
    let finalizes = |write: &Write| write.change == Change::AddFinalizer;
    let (lost, made): (Vec<_>, Vec<_>) = world.pending.drain(..).partition(finalizes);
    made.into_iter().for_each(|write| world.carry_out(write));
    let name = (crate::world::NAMESPACE.to_owned(), "dev".to_owned());
    world.fleet.environment(name, None, world.now);
    for write in lost {
        world.refuse(&write, Outcome::Failed { retry_after: None });
    }
    agent.overhear(&mut world);
    assert!(!agent.recorded[&key], "it has no finalizer yet");
    world.advance(core::time::Duration::from_secs(1));
    agent.listen(&mut world);
    assert!(agent.recorded[&key]);
    assert!(!world.finalizers("cart").is_null());
}
