//! What is said and written together, and what goes first.

use core::time::Duration;

use serde_json::Value;

use super::{Change, News, Rig, agent, config_map};
use crate::plane::Request;
use crate::testing::release_key;

/// The namespace is there, the kind is watched, and nothing is under way.
fn quiet() -> Rig {
    let mut rig = Rig::new();
    rig.announce("before", 1, &[config_map("before", "1")], true);
    rig.settle();
    rig.news.clear();
    rig
}

/// Announces, writes down, and sends what there is to send.
fn begin(rig: &mut Rig, name: &str, objects: &[Value]) -> Vec<Request> {
    rig.announce(name, 1, objects, true);
    let write = rig.plane.poll_write(rig.now).unwrap();
    rig.plane.written(&write.key, Ok(()), rig.now);
    rig.plane.advance(rig.now);
    rig.news.extend(rig.plane.news());
    core::iter::from_fn(|| rig.plane.poll_request(rig.now)).collect()
}

fn answer(rig: &mut Rig, request: &Request) {
    let (answer, took) = (rig.cluster.answer(&request.action), Duration::from_millis(2));
    rig.plane.answered(request.id, answer, took, rig.now);
    rig.plane.advance(rig.now);
    rig.news.extend(rig.plane.news());
}

fn told(rig: &Rig) -> Vec<&str> {
    let changes = rig.news.iter().filter_map(|news| match news {
        News::Object(_, id) => Some(id.as_str()),
        _ => None,
    });
    changes.collect()
}

#[test]
fn objects_that_are_applied_together_are_told_together() {
    let mut rig = quiet();
    let requests = begin(
        &mut rig,
        "cart",
        &[config_map("one", "1"), config_map("two", "1")],
    );
    answer(&mut rig, &requests[0]);
    assert_eq!(told(&rig), [""; 0]);
    answer(&mut rig, &requests[1]);
    assert_eq!(told(&rig), ["one", "two"]);
}

#[test]
fn an_object_that_hangs_holds_up_no_word_of_the_others() {
    let mut rig = quiet();
    let requests = begin(
        &mut rig,
        "cart",
        &[config_map("one", "1"), config_map("two", "1")],
    );
    answer(&mut rig, &requests[0]);
    rig.now = rig.plane.deadline().unwrap().0;
    rig.plane.advance(rig.now);
    rig.news.extend(rig.plane.news());
    assert_eq!(told(&rig), ["one"]);
    answer(&mut rig, &requests[1]);
    assert_eq!(told(&rig), ["one", "two"]);
}

#[test]
fn a_change_where_nothing_is_under_way_is_told_at_once() {
    let mut rig = quiet();
    rig.cluster
        .edit("before", |object| object["status"] = "new".into());
    rig.cluster.watch(&mut rig.plane, rig.now);
    rig.plane.advance(rig.now);
    rig.news.extend(rig.plane.news());
    assert_eq!(told(&rig), ["before"]);
}

#[test]
fn the_hash_is_that_of_what_is_said_now() {
    let mut rig = quiet();
    let observed = |rig: &Rig| {
        agent::Plane::report(&rig.plane, &release_key("before"))
            .unwrap()
            .observed
    };
    let before = observed(&rig);
    rig.cluster
        .edit("before", |object| object["status"] = "new".into());
    rig.cluster.watch(&mut rig.plane, rig.now);
    rig.plane.advance(rig.now);
    assert_ne!(observed(&rig), before);
}

#[test]
fn what_was_learned_is_written_down_once_nothing_is_applied_but_not_much_later() {
    let mut rig = quiet();
    let (saved, _) = rig.plane.deadline().unwrap();
    let many: Vec<_> = (0..40)
        .map(|number| config_map(&format!("m-{number}"), "1"))
        .collect();
    let requests = begin(&mut rig, "large", &many);
    assert!(requests.len() < many.len(), "some have to wait");
    rig.now = saved;
    assert!(rig.plane.poll_write(rig.now).is_none());
    let (latest, _) = rig.plane.deadline().unwrap();
    assert!(latest > saved && latest <= saved + Duration::from_secs(30));
    for request in &requests {
        answer(&mut rig, request);
    }
    let rest: Vec<_> = core::iter::from_fn(|| rig.plane.poll_request(rig.now)).collect();
    assert_eq!(requests.len() + rest.len(), many.len());
    assert!(
        rig.plane.poll_write(rig.now).is_none(),
        "the rest is being applied"
    );
    rig.now += Duration::from_secs(2);
    for request in &rest {
        answer(&mut rig, request);
    }
    assert!(
        rig.plane.poll_write(rig.now).is_none(),
        "there may be more to apply"
    );
    let (calm, _) = rig.plane.deadline().unwrap();
    assert!(calm <= rig.now + Duration::from_secs(1));
    rig.now = calm;
    let write = rig.plane.poll_write(rig.now).unwrap();
    assert!(matches!(write.change, Change::Update(record) if record.head.key == release_key("before")));
}
