//! What cannot be delivered is named, and leaves its neighbours and what is there already alone.

use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::report::Health;
use serde_json::{Value, json};

use crate::agent::Agent;
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
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    agent.listen(&mut world);
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
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    agent.listen(&mut world);
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
