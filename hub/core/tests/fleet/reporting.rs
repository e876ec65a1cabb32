//! From what a plane says to what the status says.

use core::time::Duration;

use outhaul_hub_core::{Change, RAW_STATUS, Subject};
use outhaul_hub_resources::DeliveryStatus;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use outhaul_protocol_wire::report::{self, Health, ObjectReport, RawStatus, Report};
use serde_json::json;

use crate::agent::{Agent, blocked, object, objects};
use crate::world::{World, spec};

fn delivered(world: &mut World, count: usize) -> (Agent, Key) {
    let mut agent = Agent::connect(world, "eu");
    let key = world.create_with("cart", &spec("dev", count));
    agent.listen(world);
    world.writes.clear();
    world.notes.clear();
    (agent, key)
}

/// What a plane says of two objects when the second is still to come.
fn one_of_two() -> Vec<ObjectReport> {
    let missing = ObjectReport {
        uid: None,
        status: RawStatus::Absent,
        ..object(1, Health::Unknown)
    };
    vec![object(0, Health::Healthy), missing]
}

fn statuses(world: &World) -> Vec<DeliveryStatus> {
    let writes = world.writes.iter();
    writes
        .filter_map(|write| match &write.change {
            Change::Status { status, .. } => Some((**status).clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_version_that_looks_like_the_one_before_is_asked_for_when_its_report_was_lost() {
    let mut world = World::new();
    let (mut agent, key) = Agent::with_cart(&mut world);
    let mut edited = spec("dev", 1);
    edited["resources"][0]["object"]["metadata"]["annotations"] = json!({"note": "2"});
    world.edit("cart", &edited);
    agent.listen(&mut world);
    world.fleet.closed(agent.session, world.now);
    agent.dial(&mut world).unwrap();
    assert!(agent.was_told(|message| matches!(message, HubMessage::Welcome(welcome) if welcome.converged)));
    assert!(agent.was_told(|message| *message == HubMessage::ReportWanted(key.clone())));
    agent.report(&mut world, &key, &[Health::Healthy]);
    agent.listen(&mut world);
    agent.dial(&mut world).unwrap();
    assert!(!agent.was_told(|message| matches!(message, HubMessage::ReportWanted(_))));
}

#[test]
fn the_first_report_is_written_at_once_field_by_field() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    agent.report_objects(&mut world, &key, vec![object(0, Health::Healthy), blocked(1)]);
    world.run();
    let status = world.status("cart");
    let stored = serde_json::to_value(&status.resources).unwrap();
    let seen = status.resources[0].last_observed_time.clone().unwrap();
    assert_eq!(
        stored,
        json!([
            {"id": "object-0", "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop",
             "name": "object-0", "healthStatus": "Healthy", "status": {"replicas": 1},
             "lastObservedTime": seen},
            {"id": "object-1", "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop",
             "name": "object-1", "healthStatus": "Unknown"},
        ])
    );
    assert_eq!(status.observed_generation, Some(1));
    assert_eq!(status.observed, agent.observed.get(&key).map(ToString::to_string));
    assert_eq!(status.plane.as_deref(), Some("eu"));
    assert_eq!(status.term.map(|term| (term.boot, term.dial)), Some((1, 1)));
    let inventory: Vec<_> = status.inventory.iter().map(|entry| entry.uid.as_str()).collect();
    assert_eq!(inventory, ["live-object-0"]);
    let (ready, reason, message) = world.ready("cart");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "Forbidden"));
    assert!(message.contains("object-1"), "{message}");
}

#[test]
fn an_object_time_moves_with_its_status_or_health_only() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    agent.report(&mut world, &key, &[Health::Healthy, Health::Progressing]);
    world.run();
    let first = world.status("cart");
    world.advance(Duration::from_secs(10));
    agent.report(&mut world, &key, &[Health::Healthy, Health::Healthy]);
    world.run();
    let second = world.status("cart");
    let times = |status: &DeliveryStatus| {
        let resources = status.resources.iter();
        resources
            .map(|entry| entry.last_observed_time.clone().unwrap().0)
            .collect::<Vec<_>>()
    };
    assert_eq!(times(&first)[0], times(&second)[0]);
    assert!(times(&first)[1] < times(&second)[1]);
}

#[test]
fn later_changes_of_an_object_are_merged_for_a_second() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 1);
    agent.report(&mut world, &key, &[Health::Progressing]);
    world.run();
    for health in [Health::Degraded, Health::Progressing, Health::Healthy] {
        world.advance(Duration::from_millis(100));
        agent.report(&mut world, &key, &[health]);
        world.run();
    }
    assert_eq!(statuses(&world).len(), 1);
    world.advance(Duration::from_millis(700));
    world.run();
    let written = statuses(&world);
    assert_eq!(written.len(), 2);
    assert_eq!(written[1].resources[0].health_status.as_deref(), Some("Healthy"));
}

#[test]
fn objects_that_are_only_expected_do_not_hold_up_the_word_that_they_are_there() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 3);
    let expected = |index| ObjectReport {
        uid: None,
        status: RawStatus::Absent,
        ..object(index, Health::Unknown)
    };
    agent.report_objects(&mut world, &key, [0, 1, 2].map(expected).into());
    world.run();
    world.advance(Duration::from_millis(5));
    let some = vec![object(0, Health::Healthy), expected(1), expected(2)];
    agent.report_objects(&mut world, &key, some);
    world.run();
    assert!(statuses(&world).is_empty(), "written although more is coming");
    world.advance(Duration::from_millis(5));
    agent.report(&mut world, &key, &[Health::Healthy; 3]);
    world.run();
    assert_eq!(world.ready("cart").0, "True");
    assert_eq!(statuses(&world).len(), 1);
}

#[test]
fn what_is_there_is_written_soon_although_the_rest_does_not_come() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    agent.report_objects(&mut world, &key, one_of_two());
    world.run();
    assert_eq!(statuses(&world).len(), 0);
    world.advance(Duration::from_millis(100));
    world.run();
    assert_eq!(statuses(&world).len(), 1);
}

#[test]
fn what_is_not_complete_waits_for_other_writes_but_not_for_ever() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    // Finalizer and plane of each are on their way.
    for other in 0..16 {
        world.create(&format!("other-{other}"));
    }
    world.poll();
    let told = |world: &World| {
        statuses(world)
            .iter()
            .filter(|status| status.resources.len() == 2)
            .count()
    };
    agent.report_objects(&mut world, &key, one_of_two());
    let (start, mut looks) = (world.now.uptime, 0);
    while told(&world) == 0 {
        let next = world.fleet.next_deadline().unwrap();
        world.advance(next - world.now.uptime);
        world.poll();
        looks += 1;
    }
    assert_eq!(world.now.uptime - start, Duration::from_millis(5_100));
    assert_eq!(looks, 2, "when it is due, and when it waits no longer");
    world.run();
    for other in 16..32 {
        world.create(&format!("other-{other}"));
    }
    world.advance(Duration::from_secs(2));
    world.poll();
    agent.report(&mut world, &key, &[Health::Healthy, Health::Healthy]);
    world.poll();
    assert_eq!(told(&world), 2, "what is complete waits for nobody");
}

#[test]
fn what_waits_for_other_writes_is_written_as_soon_as_there_is_room_and_only_looked_at_then() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let keys: Vec<_> = (0..100)
        .map(|index| world.create_with(&format!("cart-{index}"), &spec("dev", 2)))
        .collect();
    agent.listen(&mut world);
    for other in 0..16 {
        world.create(&format!("other-{other}"));
    }
    world.poll();
    for key in &keys {
        agent.report_objects(&mut world, key, one_of_two());
    }
    world.poll();
    world.advance(Duration::from_millis(100));
    world.poll();
    world.writes.clear();
    let next = world.fleet.next_deadline().unwrap() - world.now.uptime;
    assert_eq!(
        next,
        Duration::from_secs(5),
        "until then nobody looks at any of them"
    );
    let mut most = 0;
    while !world.pending.is_empty() {
        let write = world.pending.remove(0);
        world.carry_out(write);
        world.poll();
        most = most.max(world.pending.len());
    }
    assert_eq!(statuses(&world).len(), keys.len());
    assert_eq!(most, 32);
}

#[test]
fn a_rollout_that_goes_on_waits_for_other_writes_and_its_end_for_none() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    agent.report(&mut world, &key, &[Health::Progressing; 2]);
    world.run();
    world.advance(Duration::from_secs(2));
    for other in 0..16 {
        world.create(&format!("other-{other}"));
    }
    let told = |world: &World| {
        let mut statuses = statuses(world);
        statuses.retain(|status| status.resources.len() == 2);
        statuses.len()
    };
    agent.report(&mut world, &key, &[Health::Healthy, Health::Progressing]);
    world.poll();
    assert_eq!(told(&world), 1);
    world.advance(Duration::from_millis(4_900));
    world.poll();
    assert_eq!(told(&world), 1);
    world.advance(Duration::from_millis(100));
    world.poll();
    assert_eq!(told(&world), 2, "not for ever");
    world.run();
    for other in 16..32 {
        world.create(&format!("other-{other}"));
    }
    world.advance(Duration::from_secs(2));
    for end in [Health::Degraded, Health::Progressing, Health::Healthy] {
        let before = told(&world);
        agent.report(&mut world, &key, &[Health::Healthy, end]);
        world.advance(Duration::from_secs(2));
        world.poll();
        assert_eq!(told(&world), before + 1, "{end:?}");
        let place = world
            .pending
            .iter()
            .position(|write| write.subject == Subject::Bundle(key.clone()));
        let write = world.pending.remove(place.unwrap());
        world.carry_out(write);
    }
    assert_eq!(world.ready("cart").0, "True");
}

#[test]
fn another_object_does_not_wait_for_the_first() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    agent.report(&mut world, &key, &[Health::Progressing, Health::Progressing]);
    world.run();
    world.advance(Duration::from_secs(2));
    agent.report(&mut world, &key, &[Health::Healthy, Health::Progressing]);
    world.run();
    world.advance(Duration::from_millis(100));
    agent.report(&mut world, &key, &[Health::Healthy, Health::Healthy]);
    world.run();
    assert_eq!(statuses(&world).len(), 3);
}

#[test]
fn saying_the_same_again_writes_nothing() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 3);
    agent.report(&mut world, &key, &[Health::Healthy; 3]);
    world.run();
    let written = world.writes.len();
    for _ in 0..3 {
        world.advance(Duration::from_secs(5));
        agent.report(&mut world, &key, &[Health::Healthy; 3]);
        world.run();
    }
    assert_eq!(world.writes.len(), written);
}

#[test]
fn a_change_while_a_write_is_under_way_is_written_after_it() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    agent.report(&mut world, &key, &[Health::Progressing, Health::Progressing]);
    world.poll();
    agent.report(&mut world, &key, &[Health::Progressing, Health::Healthy]);
    world.poll();
    assert_eq!(world.pending.len(), 1);
    world.run();
    world.advance(Duration::from_secs(1));
    world.run();
    let health = world.status("cart").resources[1].health_status.clone();
    assert_eq!(health.as_deref(), Some("Healthy"));
}

#[test]
fn raw_status_beyond_its_room_is_summarised_in_spec_order() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 3);
    let mut reports = objects(&[Health::Healthy; 3]);
    let large =
        |bytes: usize| RawStatus::Json(serde_json::to_vec(&json!({"text": "x".repeat(bytes)})).unwrap());
    for report in &mut reports {
        report.status = large(RAW_STATUS / 5);
    }
    reports[1].status = RawStatus::from_canonical(vec![b'1'; outhaul_protocol_wire::limits::RAW_STATUS + 1]);
    agent.report_objects(&mut world, &key, reports);
    world.run();
    let status = world.status("cart");
    let summarized: Vec<_> = status.resources.iter().map(|entry| entry.summarized).collect();
    assert_eq!(summarized, [false, true, false]);
    assert!(status.resources[1].status.as_ref().unwrap()["sha256"].is_string());
}

#[test]
fn an_incremental_report_without_its_list_is_answered_by_a_question() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 2);
    let changed = vec![object(1, Health::Healthy)];
    let report = Report {
        key: key.clone(),
        version: agent.heads[&key].version,
        whole: false,
        observed: Some(report::observed(&changed, &[])),
        objects: changed,
        leftovers: Vec::new(),
    };
    agent.say(&mut world, AgentMessage::Report(report));
    agent.listen(&mut world);
    assert!(agent.was_told(|message| *message == HubMessage::ReportWanted(key.clone())));
    assert!(statuses(&world).is_empty());
}

#[test]
fn a_report_about_a_release_of_another_plane_is_ignored() {
    let mut world = World::new();
    let (agent, key) = delivered(&mut world, 1);
    let mut stranger = Agent::connect(&mut world, "us");
    stranger.heads = agent.heads.clone();
    stranger.report(&mut world, &key, &[Health::Degraded]);
    stranger.listen(&mut world);
    assert!(world.status("cart").resources.is_empty());
}

#[test]
fn events_tell_what_a_person_cares_about() {
    let mut world = World::new();
    let (mut agent, key) = delivered(&mut world, 1);
    for report in [
        vec![blocked(0)],
        objects(&[Health::Progressing]),
        objects(&[Health::Healthy]),
    ] {
        agent.report_objects(&mut world, &key, report);
        world.advance(Duration::from_secs(2));
        world.run();
    }
    let notes: Vec<_> = world
        .notes
        .iter()
        .map(|note| (note.warning, note.reason.as_str()))
        .collect();
    assert_eq!(notes, [(false, "Delivered"), (true, "Blocked"), (false, "Ready")]);
}

#[test]
fn beside_a_large_spec_the_status_still_fits_into_etcd() {
    let mut world = World::new();
    let mut agent = Agent::connect(&mut world, "eu");
    let mut large = spec("dev", limits::OBJECTS);
    let padding = limits::SPEC_BYTES - large.to_string().len() - 100;
    large["resources"][0]["object"]["metadata"]["annotations"] = json!({"padding": "x".repeat(padding)});
    let key = world.create_with("cart", &large);
    agent.listen(&mut world);
    agent.report(&mut world, &key, &[Health::Healthy; limits::OBJECTS]);
    world.run();
    let status = world.status("cart");
    assert_eq!(
        (status.resources.len(), status.inventory.len()),
        (limits::OBJECTS, 0)
    );
    let stored = large.to_string().len() + json!(status).to_string().len();
    assert!(stored < 1_500_000, "{stored} bytes");
}
