//! What is let go unasked, what is held, and what releases it.

use super::*;
use crate::budget::WINDOW;

/// So many objects of a Release.
fn objects(release: &str, count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| config_map(&format!("{release}-{number}"), "1"))
        .collect()
}

/// A plane with these Releases, so many objects each.
fn plane(releases: &[(&str, usize)]) -> Rig {
    let mut rig = Rig::new();
    for (name, count) in releases {
        rig.announce(name, 1, &objects(name, *count), true);
    }
    rig.settle_in_time();
    rig.log.clear();
    rig
}

/// The reason and the words for what is on its way out, where they are the same for all of it.
fn said(rig: &Rig, name: &str) -> Option<(BlockerReason, String)> {
    let view = agent::Plane::report(&rig.plane, &release_key(name))?;
    let mut said: Vec<_> = view.leftovers.iter().map(|it| it.blocker.clone()).collect();
    said.dedup();
    let [Some(blocker)] = &said[..] else { return None };
    Some((blocker.reason, blocker.message.clone()))
}

fn reason(rig: &Rig, name: &str) -> Option<BlockerReason> {
    said(rig, name).map(|(reason, _)| reason)
}

fn left(rig: &Rig, name: &str) -> usize {
    let names = rig.cluster.names();
    names
        .iter()
        .filter(|it| it.starts_with(&format!("{name}-")))
        .count()
}

fn shrunk(rig: &mut Rig, name: &str, generation: u64) -> Held {
    let key = rig.announce(name, generation, &[], true);
    rig.settle();
    Held {
        version: agent::Plane::holding(&rig.plane, &key).unwrap().head.version,
        key,
    }
}

#[test]
fn the_first_of_many_that_shrink_goes_whole_and_the_others_wait_whole() {
    let mut rig = plane(&[("a", 30), ("b", 30), ("c", 1), ("d", 1)]);
    shrunk(&mut rig, "a", 2);
    shrunk(&mut rig, "b", 2);
    let removed = rig.remove("c", 2);
    rig.announce("d", 2, &[config_map("d-0", "2")], true);
    rig.settle_in_time();
    assert_eq!(["a", "b", "c"].map(|name| left(&rig, name)), [0, 30, 1]);
    let (why, words) = said(&rig, "b").unwrap();
    assert_eq!(why, BlockerReason::OverBudget);
    assert!(words.starts_with("held: all 30 objects wait"), "{words}");
    assert_eq!(reason(&rig, "c"), Some(BlockerReason::OverBudget));
    assert!(!rig.news.contains(&News::Gone(removed)));
    assert_eq!(rig.cluster.value("d-0"), Some("2"), "everything else goes on");
}

#[test]
fn what_is_held_stays_until_it_is_confirmed_however_much_time_passes() {
    let mut rig = plane(&[("a", 30), ("b", 30)]);
    shrunk(&mut rig, "a", 2);
    let held = shrunk(&mut rig, "b", 2);
    rig.now += 3 * WINDOW;
    rig.restart();
    rig.settle_in_time();
    assert_eq!(
        (left(&rig, "b"), reason(&rig, "b")),
        (30, Some(BlockerReason::OverBudget))
    );
    rig.confirm(&held, Confirmed::Remove);
    rig.settle_in_time();
    assert_eq!((left(&rig, "b"), said(&rig, "b")), (0, None));
}

#[test]
fn what_was_confirmed_counts() {
    let mut rig = plane(&[("a", 30), ("b", 30), ("c", 1)]);
    shrunk(&mut rig, "a", 2);
    let held = shrunk(&mut rig, "b", 2);
    rig.now += 2 * WINDOW;
    rig.confirm(&held, Confirmed::Remove);
    rig.settle_in_time();
    shrunk(&mut rig, "c", 2);
    assert_eq!((left(&rig, "b"), left(&rig, "c")), (0, 1));
}

#[test]
fn a_restart_and_a_clock_that_is_set_back_refill_nothing() {
    let mut rig = plane(&[("a", 30), ("b", 1), ("c", 1)]);
    shrunk(&mut rig, "a", 2);
    rig.settle_in_time();
    rig.clock.unix -= 500_000;
    rig.restart();
    rig.settle();
    shrunk(&mut rig, "b", 2);
    assert_eq!(reason(&rig, "b"), Some(BlockerReason::OverBudget));
    rig.now += WINDOW;
    shrunk(&mut rig, "c", 2);
    rig.settle_in_time();
    assert_eq!(left(&rig, "c"), 0);
}

#[test]
fn what_is_left_stays_and_the_removed_resource_is_gone() {
    let mut rig = plane(&[("a", 30), ("b", 30)]);
    rig.remove("a", 2);
    let held = rig.remove("b", 2);
    rig.settle_in_time();
    assert!(!rig.news.contains(&News::Gone(held.clone())));
    rig.confirm(&held, Confirmed::Leave);
    rig.settle_in_time();
    assert_eq!(left(&rig, "b"), 30);
    assert!(rig.news.contains(&News::Gone(held)));
    rig.restart();
    rig.settle_in_time();
    assert_eq!(left(&rig, "b"), 30);
}

#[test]
fn what_was_left_is_somebody_elses_for_a_resource_that_wants_it_next() {
    let mut rig = plane(&[("a", 30), ("b", 30), ("other", 1)]);
    rig.remove("a", 2);
    let held = rig.remove("b", 2);
    rig.settle_in_time();
    rig.confirm(&held, Confirmed::Leave);
    rig.settle_in_time();
    let next = rig.announce(
        "other",
        2,
        &[config_map("b-0", "2"), config_map("other-0", "1")],
        true,
    );
    rig.settle_in_time();
    assert_eq!(rig.blocker(&next, "b-0"), Some(BlockerReason::OwnedByAnother));
    assert_eq!(rig.cluster.value("b-0"), Some("1"));
}

#[test]
fn what_is_wanted_again_is_held_no_more() {
    let mut rig = plane(&[("a", 30), ("b", 30)]);
    shrunk(&mut rig, "a", 2);
    shrunk(&mut rig, "b", 2);
    rig.announce("b", 3, &objects("b", 30), true);
    rig.settle_in_time();
    rig.now += 2 * WINDOW;
    shrunk(&mut rig, "b", 4);
    rig.settle_in_time();
    assert_eq!(left(&rig, "b"), 0);
}

#[test]
fn what_is_wanted_again_is_not_written_down_as_held() {
    let mut rig = plane(&[("a", 30), ("b", 30)]);
    shrunk(&mut rig, "a", 2);
    shrunk(&mut rig, "b", 2);
    let held = |rig: &Rig| rig.records[&release_key("b")].0.held;
    rig.settle_in_time();
    assert!(held(&rig).is_some());
    rig.announce("b", 3, &objects("b", 30), true);
    rig.plane.advance(rig.now);
    let write = rig.plane.poll_write(rig.now).unwrap();
    let Change::Replace(record, _) = write.change else {
        panic!("{write:?}")
    };
    assert_eq!(record.held, None);
}

/// A Release with a protected object among two; which one says `protect`, of the spec or in the cluster.
fn protected(kind: &str, protect: fn(&mut Value), live: fn(&mut Value)) -> Rig {
    let mut rig = Rig::new();
    let mut second = object(
        if kind == "StatefulSet" { "apps/v1" } else { "v1" },
        kind,
        "a-second",
    );
    protect(&mut second);
    rig.announce("a", 1, &[config_map("a-first", "1"), second], true);
    rig.settle_in_time();
    rig.cluster.edit("a-second", live);
    rig.settle_in_time();
    rig
}

fn annotate(object: &mut Value) {
    object["metadata"]["annotations"] = json!({"outhaul.dev/protect": "true"});
}

#[test]
fn a_protected_object_holds_all_that_goes_with_it() {
    let nothing: fn(&mut Value) = |_| {};
    let cases = [
        ("StatefulSet", nothing, nothing),
        ("PersistentVolumeClaim", nothing, nothing),
        ("Secret", annotate as fn(&mut Value), nothing),
        ("Secret", nothing, annotate as fn(&mut Value)),
    ];
    for (kind, spec, live) in cases {
        for watched in [true, false] {
            let mut rig = protected(kind, spec, live);
            if !watched {
                rig.restart_unwatched();
            }
            let held = rig.remove("a", 2);
            rig.settle_in_time();
            assert_eq!(left(&rig, "a"), 2, "{kind}");
            let (why, words) = said(&rig, "a").unwrap();
            assert_eq!(why, BlockerReason::Protected);
            assert!(words.contains("a-second is protected"), "{words}");
            rig.restart();
            rig.settle_in_time();
            assert_eq!(said(&rig, "a"), Some((why, words)), "after a restart");
            rig.confirm(&held, Confirmed::Remove);
            rig.settle_in_time();
            assert_eq!(left(&rig, "a"), 0, "{kind}");
        }
    }
}

#[test]
fn what_is_protected_by_its_kind_holds_the_others_also_where_it_cannot_be_looked_at() {
    let nothing: fn(&mut Value) = |_| {};
    let mut rig = protected("PersistentVolumeClaim", nothing, nothing);
    rig.restart_unwatched();
    rig.cluster.forbid_watching(true);
    rig.cluster.fail("a-second", 403);
    rig.remove("a", 2);
    rig.settle_in_time();
    assert_eq!(left(&rig, "a"), 2, "{:?}", rig.log);
}

#[test]
fn nothing_goes_before_it_is_written_down_that_it_may() {
    let mut rig = plane(&[("a", 2)]);
    let head = Rig::head("a", 2, HeadState::Removed, &json!({}));
    rig.remove("a", 2);
    rig.plane.advance(rig.now);
    let write = rig.plane.poll_write(rig.now).unwrap();
    rig.write(&write.key, write.change);
    rig.plane.written(&write.key, Ok(()), rig.now);
    rig.plane.advance(rig.now);
    let write = rig.plane.poll_write(rig.now).unwrap();
    assert!(rig.plane.poll_request(rig.now).is_none());
    let (Change::Empty(record) | Change::Update(record)) = &write.change else {
        panic!("{write:?}");
    };
    assert!(record.head == head && record.inventory.iter().all(|it| it.allowed));
    assert_eq!(record.spent.iter().map(|it| it.objects).sum::<usize>(), 2);
    rig.plane
        .written(&write.key, Err(Failure::Unreachable("x".into())), rig.now);
    rig.plane.advance(rig.now);
    assert!(rig.plane.poll_request(rig.now).is_none());
    rig.settle_in_time();
    assert_eq!(left(&rig, "a"), 0);
}

#[test]
fn what_was_allowed_of_one_object_was_not_allowed_of_its_successor() {
    let mut rig = plane(&[("a", 1), ("b", 25)]);
    rig.remove("a", 2);
    let delete = rig.ask("delete ConfigMap shop/a-0");
    let mut successor = live_config_map(&release_key("a"), "a-0", "1");
    successor["metadata"]["uid"] = "another".into();
    rig.cluster.edit("a-0", |there| *there = successor);
    shrunk(&mut rig, "b", 2);
    assert_eq!(reason(&rig, "b"), Some(BlockerReason::OverBudget));
    let answer = rig.cluster.answer(&delete.action);
    rig.plane
        .answered(delete.id, answer, Duration::from_millis(2), rig.now);
    rig.settle_in_time();
    assert_eq!(left(&rig, "a"), 0, "there was room for one more");
    assert_eq!(left(&rig, "b"), 25);
}
