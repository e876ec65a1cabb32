//! What cannot be read harms only what it is about.

use super::*;

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
    rig.settle();
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
