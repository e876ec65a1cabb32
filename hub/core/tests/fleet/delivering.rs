//! From a resource that is seen to a head that a plane applies.

use core::time::Duration;

use outhaul_hub_core::view::{BundleName, BundleState, KindName};
use outhaul_hub_core::{Change, Origin, Outcome};
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::HubMessage;
use outhaul_protocol_wire::report::Health;
use serde_json::json;

use crate::agent::Agent;
use crate::world::{NAMESPACE, World, spec};

#[test]
fn a_new_release_is_announced_at_once_while_both_writes_are_under_way() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.overhear(&mut world);
    assert_eq!((agent.announced(), agent.recorded[&key]), (1, false));
    let changes: Vec<_> = world.pending.iter().map(|write| write.change.clone()).collect();
    assert!(matches!(
        changes.as_slice(),
        [Change::AddFinalizer, Change::Status { .. }]
    ));
}

#[test]
fn it_is_recorded_only_after_both_writes_are_answered_in_either_order() {
    for order in [[0, 1], [1, 0]] {
        let mut world = World::new();
        let mut agent = Agent::connect(&mut world, "eu");
        let key = world.create("cart");
        agent.overhear(&mut world);
        let writes = core::mem::take(&mut world.pending);
        world.carry_out(writes[order[0]].clone());
        agent.overhear(&mut world);
        assert!(!agent.recorded[&key], "recorded after one write");
        world.carry_out(writes[order[1]].clone());
        agent.overhear(&mut world);
        assert!(agent.recorded[&key], "not recorded after both writes");
        assert_eq!(world.status("cart").plane.as_deref(), Some("eu"));
        assert_eq!(
            world.finalizers("cart"),
            json!(["openchoreo.dev/dataplane-cleanup"])
        );
    }
}

#[test]
fn one_that_was_created_with_our_finalizer_is_recorded_by_one_write() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    world.writes.clear();
    let key = world.create_kept_with("cart", &spec("dev", 1));
    agent.overhear(&mut world);
    assert_eq!((agent.announced(), agent.recorded[&key]), (1, false));
    agent.listen(&mut world);
    assert!(agent.recorded[&key]);
    let changes: Vec<_> = world.writes.iter().map(|write| &write.change).collect();
    assert!(
        matches!(changes.as_slice(), [Change::Status { .. }]),
        "{changes:?}"
    );
}

#[test]
fn one_that_was_created_with_our_finalizer_and_goes_nowhere_can_be_deleted() {
    let mut world = World::new();
    world.create_kept_with("cart", &spec("nowhere", 1));
    world.run();
    assert_eq!(world.ready("cart").1, "NoPlane");
    world.delete("cart");
    world.run();
    assert!(!world.exists("cart"));
}

#[test]
fn a_watch_that_is_behind_its_own_writes_changes_nothing() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    let before = world.object("cart").clone();
    agent.listen(&mut world);
    let written = world.writes.len();
    let now = world.object("cart").clone();
    *world.object("cart") = before;
    world.see("cart", Origin::Watch);
    *world.object("cart") = now;
    agent.listen(&mut world);
    assert_eq!(world.writes.len(), written);
    assert!(agent.recorded[&key]);
}

#[test]
fn an_edit_of_a_recorded_release_is_announced_as_recorded_and_writes_nothing() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    agent.listen(&mut world);
    world.writes.clear();
    world.edit("cart", &spec("dev", 2));
    agent.listen(&mut world);
    let head = &agent.heads[&key];
    assert_eq!((head.version.generation.0, agent.recorded[&key]), (2, true));
    assert!(world.writes.is_empty(), "{:?}", world.writes);
}

#[test]
fn small_content_rides_along_and_large_content_is_fetched_by_its_own_plane_only() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let other = Agent::connect(&mut world, "us");
    world.create("small");
    // Random text does not compress below what rides along.
    let noise: String = (0..4_000_u32)
        .map(|n| Digest::of(&n.to_be_bytes()).to_string())
        .collect();
    let mut large = spec("dev", 1);
    large["resources"][0]["object"]["noise"] = json!(noise);
    let key = world.create_with("large", &large);
    agent.listen(&mut world);
    let inline: Vec<_> = agent
        .heard
        .iter()
        .filter_map(|message| match message {
            HubMessage::Announce(announce) => Some(&announce.heads),
            _ => None,
        })
        .flatten()
        .map(|announced| announced.content.is_some())
        .collect();
    assert_eq!(inline, [true, false]);
    let digest = agent.heads[&key].digest;
    let Fetched::Content(content) = world.fleet.fetch(agent.session, digest, world.now) else {
        panic!("its own content is not fetched");
    };
    assert!(content.zstd.len() > limits::INLINE_BYTES);
    assert_eq!(
        world.fleet.fetch(other.session, digest, world.now),
        Fetched::NotQueued
    );
    let unknown = Digest::of(b"unknown");
    assert_eq!(
        world.fleet.fetch(agent.session, unknown, world.now),
        Fetched::NotQueued
    );
}

#[test]
fn a_release_without_objects_is_delivered_and_ready() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create_with("empty", &spec("dev", 0));
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[]);
    agent.listen(&mut world);
    assert_eq!(world.ready("empty").0, "True");
}

#[test]
fn a_failed_write_is_made_again_later_and_the_neighbour_does_not_wait() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let unlucky = world.create("unlucky");
    world.poll();
    for write in core::mem::take(&mut world.pending) {
        world.refuse(&write, Outcome::Failed { retry_after: None });
    }
    world.poll();
    assert!(world.pending.is_empty(), "made again without a pause");
    let lucky = world.create("lucky");
    agent.listen(&mut world);
    assert!(agent.recorded[&lucky] && !agent.recorded[&unlucky]);
    world.advance(Duration::from_secs(1));
    agent.listen(&mut world);
    assert!(agent.recorded[&unlucky]);
}

#[test]
fn an_outdated_write_has_the_resource_read_first() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let key = world.create("cart");
    world.poll();
    for write in core::mem::take(&mut world.pending) {
        world.refuse(&write, Outcome::Outdated);
    }
    world.poll();
    assert_eq!(world.reads.first(), Some(&key));
    world.see("cart", Origin::Read);
    world.advance(Duration::from_secs(1));
    agent.listen(&mut world);
    assert!(agent.recorded[&key]);
}

#[test]
fn the_view_follows_a_release_from_the_queue_to_ready() {
    let mut world = World::new();
    let key = world.create("cart");
    world.run();
    let name = BundleName {
        kind: KindName::Release,
        namespace: NAMESPACE.into(),
        name: "cart".into(),
    };
    let state = |world: &World| world.fleet.bundle(&World::plane("eu"), &name).unwrap().state;
    assert_eq!(state(&world), BundleState::Queued);
    world.advance(Duration::from_secs(3));
    let view = world.fleet.plane_view(&World::plane("eu"), world.now).unwrap();
    assert_eq!(
        (view.queue.bundles, view.queue.unacknowledged, view.queue.lag_ms),
        (1, 1, 3_000)
    );
    let mut agent = Agent::connect(&mut world, "eu");
    assert_eq!(state(&world), BundleState::Stored);
    agent.report(&mut world, &key, &[Health::Progressing]);
    assert_eq!(state(&world), BundleState::Progressing);
    agent.report(&mut world, &key, &[Health::Healthy]);
    assert_eq!(state(&world), BundleState::Ready);
    let view = world.fleet.plane_view(&World::plane("eu"), world.now).unwrap();
    assert_eq!((view.queue.unacknowledged, view.queue.lag_ms), (0, 0));
    world.run();
    world.delete("cart");
    assert_eq!(state(&world), BundleState::Removing);
    assert_eq!(agent.holds(&key), Some(HeadState::Present));
}
