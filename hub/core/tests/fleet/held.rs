//! What a plane holds until somebody confirms it: how it is said, and how a confirmation reaches the plane.

use core::time::Duration;

use outhaul_hub_core::Origin;
use outhaul_hub_core::view::{BundleState, BundleView, KindName};
use outhaul_hub_resources::Condition;
use outhaul_protocol_wire::head::{Confirmed, Key};
use outhaul_protocol_wire::report::{Blocker, BlockerReason, Health, Leftover};
use serde_json::json;

use crate::agent::{Agent, object, objects};
use crate::world::World;

fn leftovers() -> Vec<Leftover> {
    let held = Blocker {
        reason: BlockerReason::OverBudget,
        message: "held: all 2 objects wait".into(),
    };
    [7, 8]
        .map(|index| Leftover {
            object: object(index, Health::Healthy).object,
            uid: object(index, Health::Healthy).uid,
            blocker: Some(held.clone()),
        })
        .into()
}

/// A Release that is healthy in its plane, which holds two objects that an edit dropped.
fn held(world: &mut World) -> (Agent, Key) {
    let mut agent = Agent::connect(world, "eu");
    let key = world.create("cart");
    agent.listen(world);
    agent.report_all(world, &key, objects(&[Health::Healthy]), leftovers());
    world.advance(Duration::from_secs(2));
    agent.listen(world);
    (agent, key)
}

fn condition(world: &World) -> Option<Condition> {
    let conditions = world.status("cart").conditions;
    conditions.into_iter().find(|one| one.type_ == "Held")
}

fn view(world: &World) -> BundleView {
    let plane = World::plane("eu");
    let bundles = world.fleet.bundles(&plane).unwrap();
    assert!(bundles.iter().all(|it| it.bundle.kind == KindName::Release));
    bundles.into_iter().next().unwrap()
}

fn annotate(world: &mut World, text: &str) {
    world.object("cart")["metadata"]["annotations"] = json!({"outhaul.dev/confirm": text});
    world.touch("cart");
    world.see("cart", Origin::Watch);
}

#[test]
fn what_is_held_is_said_in_the_status_an_event_and_the_view_with_the_command_that_ends_it() {
    let mut world = World::new();
    held(&mut world);
    let said = condition(&world).unwrap();
    assert_eq!(
        (said.status.as_str(), said.reason.as_str()),
        ("True", "OverBudget")
    );
    let command = "`outhaul confirm eu release/acme/cart remove`";
    assert!(
        said.message.starts_with("held: all 2 objects wait; "),
        "{}",
        said.message
    );
    assert!(said.message.contains(command), "{}", said.message);
    assert_eq!(world.ready("cart").1, "AllHealthy", "what is wanted is there");
    assert_eq!(world.status("cart").inventory.len(), 3);
    let note = world.notes.iter().find(|note| note.reason == "Held").unwrap();
    assert!(note.warning && note.message == said.message);
    let view = view(&world);
    assert_eq!(view.state, BundleState::Ready);
    let blocker = view.blocker.unwrap();
    assert_eq!(
        (blocker.reason.as_str(), blocker.message),
        ("OverBudget", said.message)
    );
}

#[test]
fn a_hub_that_starts_again_still_says_what_is_held_and_asks_for_it() {
    let mut world = World::new();
    let (mut agent, _) = held(&mut world);
    let said = condition(&world);
    let mut world = world.restarted();
    assert_eq!(
        view(&world).blocker.unwrap().message,
        said.clone().unwrap().message
    );
    agent.dial(&mut world).unwrap();
    assert!(agent.was_told(|message| matches!(
        message,
        outhaul_protocol_wire::message::HubMessage::ReportWanted(_)
    )));
    world.advance(Duration::from_secs(2));
    assert_eq!(condition(&world), said);
}

#[test]
fn once_nothing_is_held_the_condition_says_so_and_it_never_appears_where_nothing_was() {
    let mut world = World::new();
    let (mut agent, key) = held(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy]);
    world.advance(Duration::from_secs(2));
    agent.listen(&mut world);
    let said = condition(&world).unwrap();
    assert_eq!(
        (said.status.as_str(), said.reason.as_str()),
        ("False", "Released")
    );
    assert_eq!(view(&world).blocker, None);
    world.create("other");
    assert!(
        world
            .status("other")
            .conditions
            .iter()
            .all(|one| one.type_ != "Held")
    );
}

#[test]
fn a_confirmation_goes_to_the_plane_with_the_head_of_its_generation_and_with_no_other() {
    let mut world = World::new();
    let (mut agent, key) = held(&mut world);
    for (text, expected) in [
        ("remove@2", None),
        ("nonsense", None),
        ("remove@1", Some(Confirmed::Remove)),
        ("leave@1", Some(Confirmed::Leave)),
    ] {
        annotate(&mut world, text);
        agent.listen(&mut world);
        assert_eq!(agent.heads[&key].confirmed, expected, "{text}");
    }
    world.edit("cart", &crate::world::spec("dev", 2));
    agent.listen(&mut world);
    assert_eq!(
        agent.heads[&key].confirmed, None,
        "the edit is another generation"
    );
    assert_eq!(agent.heads[&key].version.generation.0, 2);
}

#[test]
fn a_plane_that_was_away_hears_of_a_confirmation_when_it_is_back() {
    let mut world = World::new();
    let (mut agent, key) = held(&mut world);
    let mut world = world.restarted();
    annotate(&mut world, "remove@1");
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.heads[&key].confirmed, Some(Confirmed::Remove));
    agent.dial(&mut world).unwrap();
    assert_eq!(agent.announced(), 0, "it has it");
}

#[test]
fn what_was_left_there_on_purpose_is_not_said_to_be_gone() {
    let mut world = World::new();
    let (mut agent, key) = held(&mut world);
    world.delete("cart");
    annotate(&mut world, "leave@2");
    agent.listen(&mut world);
    assert_eq!(agent.heads[&key].confirmed, Some(Confirmed::Leave));
    agent.gone(&mut world, &key);
    agent.listen(&mut world);
    assert!(!world.exists("cart"));
    let note = world.notes.iter().find(|note| note.reason == "Removed").unwrap();
    assert!(note.message.contains("stays"), "{}", note.message);
}
