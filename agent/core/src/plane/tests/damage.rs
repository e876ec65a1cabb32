//! What cannot be read harms only what it is about.

use super::once::{once, pod};
use super::*;
use crate::once::Outcome;

#[test]
fn an_answer_that_shows_no_object_stops_that_object_only_and_does_not_spin() {
    let mut rig = Rig::new();
    rig.cluster.blank("blank");
    let key = rig.announce(
        "cart",
        1,
        &[config_map("blank", "1"), config_map("one", "1")],
        true,
    );
    rig.settle();
    assert_eq!(rig.cluster.value("one"), Some("1"));
    assert_eq!(rig.blocker(&key, "one"), None);
    assert_eq!(rig.blocker(&key, "blank"), Some(BlockerReason::ApiUnavailable));
    let asked = rig.log.iter().filter(|line| line.ends_with("blank")).count();
    assert!(asked < 4, "{:?}", rig.log);
    rig.cluster.heal();
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "blank"), None);
}

#[test]
fn an_answer_that_cannot_be_read_lets_the_others_go_on() {
    let mut rig = Rig::new();
    let objects: Vec<_> = (0..10)
        .map(|number| config_map(&format!("object-{number}"), "1"))
        .collect();
    rig.announce("cart", 1, &objects, true);
    rig.settle();
    let failure = crate::blocker::Failure::Unreadable("nested too deep".into());
    assert_eq!(
        failure.course(),
        crate::blocker::Course::Object,
        "nobody else waits for it"
    );
    let held = rig.remove("cart", 2);
    rig.cluster.blank("object-3");
    rig.settle();
    assert_eq!(rig.cluster.names().len(), 0, "what was in sight needs no look");
    rig.settle_in_time();
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn an_object_on_its_way_out_that_cannot_be_read_is_not_called_gone() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.restart();
    rig.cluster.blank("one");
    let held = rig.remove("cart", 2);
    // Before any watch shows it: it has to be looked at.
    for _ in 0..4 {
        rig.round();
    }
    assert!(rig.cluster.has("one") && !rig.news.contains(&News::Gone(held.clone())));
    let view = agent::Plane::report(&rig.plane, &held.key).unwrap();
    assert_eq!(
        view.leftovers[0].blocker.as_ref().unwrap().reason,
        BlockerReason::ApiUnavailable
    );
    rig.cluster.heal();
    rig.settle_in_time();
    assert!(!rig.cluster.has("one") && rig.news.contains(&News::Gone(held)));
}

#[test]
fn an_object_that_nests_too_deep_has_a_blocker_and_its_neighbours_are_applied() {
    let mut rig = Rig::new();
    let mut deep = config_map("deep", "1");
    let levels = crate::shallow::OBJECT_LEVELS;
    deep["data"] = (0..levels).fold(json!({}), |inner, _| json!({"a": inner}));
    let mut deepest = deep.clone();
    deepest["metadata"]["name"] = "deepest".into();
    deepest["data"] = (0..levels - 2).fold(json!({}), |inner, _| json!({"a": inner}));
    let key = rig.announce("cart", 1, &[deep, deepest, config_map("one", "1")], true);
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "deep"), Some(BlockerReason::Invalid));
    assert_eq!(rig.blocker(&key, "deepest"), None);
    assert!(rig.cluster.has("deepest") && rig.cluster.has("one") && !rig.cluster.has("deep"));
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0], "what can be applied can be compared");
}

/// A Release that shrank, and whose superfluous object cannot be deleted yet, when its stored content is lost.
fn shrunk_and_lost() -> (Rig, Key) {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1"), config_map("two", "1")], true);
    rig.settle_in_time();
    rig.cluster.fail("two", 403);
    let key = rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle();
    assert!(rig.cluster.has("two"));
    rig.lost.insert(key.clone());
    rig.restart();
    rig.cluster.heal();
    rig.settle_in_time();
    (rig, key)
}

#[test]
fn a_resource_whose_content_is_lost_keeps_its_objects_and_is_taken_again() {
    let (mut rig, key) = shrunk_and_lost();
    assert_eq!(rig.cluster.names().len(), 2, "{:?}", rig.log);
    let holding = agent::Plane::holding(&rig.plane, &key).unwrap();
    assert!(!holding.counts() && holding.standing == Standing::Recorded);
    assert_eq!(rig.reported(&key), None, "what it wants is not known");
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("2"));
    assert!(!rig.cluster.has("two"), "the inventory still had it");
    assert!(agent::Plane::holding(&rig.plane, &key).unwrap().counts());
    assert_eq!(rig.reported(&key), Some(Generation(2)));
}

#[test]
fn what_a_resource_whose_content_is_lost_never_made_is_free_for_others() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    let key = rig.announce("cart", 2, &[config_map("one", "1"), config_map("two", "1")], true);
    let write = rig.plane.poll_write(rig.now).unwrap();
    rig.write(&write.key, write.change);
    rig.lost.insert(key.clone());
    rig.restart();
    rig.plane.orphaned(std::slice::from_ref(&key), rig.now);
    let pay = rig.announce("pay", 1, &[config_map("one", "2"), config_map("two", "2")], true);
    rig.settle_in_time();
    assert_eq!(
        (rig.cluster.value("one"), rig.cluster.value("two")),
        (Some("1"), Some("2"))
    );
    assert_eq!(rig.blocker(&pay, "one"), Some(BlockerReason::OwnedByAnother));
    assert_eq!(rig.blocker(&pay, "two"), None);
}

#[test]
fn a_resource_whose_content_is_lost_is_removed_with_all_that_its_inventory_has() {
    let (mut rig, _) = shrunk_and_lost();
    let held = rig.remove("cart", 3);
    rig.settle_in_time();
    assert_eq!(rig.cluster.names().len(), 0, "{:?}", rig.log);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_resource_whose_content_is_lost_and_that_no_hub_knows_is_kept() {
    let (mut rig, key) = shrunk_and_lost();
    rig.plane.orphaned(std::slice::from_ref(&key), rig.now);
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.cluster.names().len(), 2, "{:?}", rig.log);
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle_in_time();
    assert_eq!(rig.cluster.names().len(), 1, "{:?}", rig.log);
}

/// A Release that shrank, and whose superfluous object was not deleted yet, when the whole store is lost.
fn shrunk_and_forgotten() -> Rig {
    let mut rig = Rig::new();
    rig.announce(
        "cart",
        1,
        &[config_map("one", "1"), object("v1", "Secret", "two")],
        true,
    );
    rig.settle_in_time();
    rig.records.clear();
    rig.restart();
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle_in_time();
    assert!(
        rig.cluster.has("two"),
        "nothing says that it was ours and no copy"
    );
    rig
}

#[test]
fn a_removal_after_a_lost_store_is_not_gone_before_what_no_inventory_has_is() {
    let mut rig = shrunk_and_forgotten();
    rig.cluster.fail("two", 403);
    let held = rig.remove("cart", 3);
    rig.settle();
    assert!(!rig.news.contains(&News::Gone(held.clone())));
    let view = agent::Plane::report(&rig.plane, &held.key).unwrap();
    assert_eq!(view.leftovers[0].object.name, "two");
    assert_eq!(
        view.leftovers[0].blocker.as_ref().unwrap().reason,
        BlockerReason::Forbidden
    );
    // What was found is written down.
    rig.now += Duration::from_secs(2);
    rig.settle();
    rig.restart();
    rig.cluster.heal();
    rig.settle_in_time();
    assert_eq!(rig.cluster.names().len(), 0, "{:?}", rig.log);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_search_that_cannot_hold_all_it_finds_goes_on_when_that_is_gone() {
    let mut rig = shrunk_and_forgotten();
    rig.cluster.copy("two", crate::sweep::MOST);
    let held = rig.remove("cart", 3);
    rig.confirm(&held, Confirmed::Remove);
    while !rig.cluster.names().is_empty() {
        let before = rig.cluster.names().len();
        rig.settle_in_time();
        assert!(rig.cluster.names().len() < before, "{before} are left");
        assert_eq!(
            rig.cluster.names().is_empty(),
            rig.news.contains(&News::Gone(held.clone()))
        );
    }
}

#[test]
fn what_is_served_only_after_a_search_is_searched_for_too() {
    let mut rig = shrunk_and_forgotten();
    rig.cluster.fail("two", 403);
    let held = rig.remove("cart", 3);
    rig.settle();
    rig.plane.kinds_changed("example.dev");
    rig.cluster.heal();
    rig.settle_in_time();
    let searches = rig.log.iter().filter(|line| *line == "sweep").count();
    assert_eq!((searches, rig.news.contains(&News::Gone(held))), (2, true));
}

/// A removal that only a search called gone, settled, and an object of it that was not found then.
fn settled_by_a_search() -> (Rig, Held) {
    let mut rig = shrunk_and_forgotten();
    // As if its kind were not served for a while.
    let two = rig.cluster.get("two").unwrap().clone();
    rig.cluster.delete("two");
    let held = rig.remove("cart", 3);
    rig.settle_in_time();
    assert!(rig.news.contains(&News::Gone(held.clone())));
    rig.plane.settled(&held, rig.clock().unix, rig.now);
    rig.settle_in_time();
    rig.cluster.put("two", two);
    (rig, held)
}

#[test]
fn a_removal_that_comes_again_confirmed_is_searched_for_again() {
    let (mut rig, held) = settled_by_a_search();
    rig.cluster.fail("two", 403);
    rig.confirm(&held, Confirmed::Remove);
    rig.settle_in_time();
    assert!(rig.cluster.has("two"));
    let leftovers = agent::Plane::report(&rig.plane, &held.key).map(|view| view.leftovers.len());
    assert_eq!(leftovers, Some(1), "what is found and cannot go is shown");
}

#[test]
fn a_removal_that_comes_again_is_searched_for_again() {
    let (mut rig, held) = settled_by_a_search();
    for restart in [false, true] {
        if restart {
            rig.restart();
        }
        let holding = agent::Plane::holding(&rig.plane, &held.key).unwrap();
        assert!(!holding.whole, "the same head is taken again");
    }
    rig.remove("cart", 3);
    rig.settle_in_time();
    assert!(!rig.cluster.has("two"), "{:?}", rig.log);
    assert!(rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_copy_with_labels_and_without_our_entry_is_nobodys() {
    let mut rig = shrunk_and_forgotten();
    rig.cluster
        .edit("two", |object| object["metadata"]["managedFields"] = json!([]));
    let held = rig.remove("cart", 3);
    rig.settle_in_time();
    assert!(rig.cluster.has("two") && rig.news.contains(&News::Gone(held)));
}

#[test]
fn a_stray_that_lost_its_entry_or_came_again_is_not_deleted() {
    let changes: [fn(&mut Value); 2] = [
        |object| object["metadata"]["managedFields"] = json!([]),
        |object| object["metadata"]["uid"] = "another".into(),
    ];
    for change in changes {
        let mut rig = shrunk_and_forgotten();
        rig.cluster.fail("two", 403);
        let held = rig.remove("cart", 3);
        rig.settle();
        rig.cluster.edit("two", change);
        rig.cluster.heal();
        rig.settle_in_time();
        assert!(
            rig.cluster.has("two") && rig.news.contains(&News::Gone(held)),
            "{:?}",
            rig.log
        );
    }
}

#[test]
fn a_resource_that_was_recorded_here_costs_no_search() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], false);
    rig.settle();
    let version = rig.records[&key].0.head.version;
    rig.plane.recorded(&Held { key, version }, rig.now);
    rig.settle_in_time();
    rig.remove("cart", 2);
    rig.settle_in_time();
    assert!(!rig.log.contains(&"sweep".to_owned()), "{:?}", rig.log);
}

#[test]
fn a_search_that_ended_is_not_repeated_at_the_next_start() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[], true);
    rig.settle_in_time();
    rig.remove("cart", 2);
    rig.settle_in_time();
    assert_eq!(rig.log, ["sweep"]);
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0]);
}

#[test]
fn how_something_ended_is_known_though_its_content_was_lost_when_it_was_gone() {
    for removed in [false, true] {
        let mut rig = Rig::new();
        let spec = once(&[pod("run")]);
        let key = rig.bundle(1, &spec);
        rig.settle_in_time();
        rig.end("run", "Succeeded");
        rig.settle_in_time();
        rig.cluster.delete("run");
        rig.lost.insert(key.clone());
        rig.restart();
        rig.settle_in_time();
        rig.restart();
        rig.settle_in_time();
        if removed {
            let held = rig.remove_bundle(2);
            rig.settle_in_time();
            assert!(rig.news.contains(&News::Gone(held)));
            continue;
        }
        rig.bundle(1, &spec);
        rig.settle_in_time();
        assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
        assert_eq!(rig.health(&key, "run"), Some(Health::Healthy));
        assert_eq!(rig.cluster.created("run"), 1);
    }
}
