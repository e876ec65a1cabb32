//! What was left so that its successor may take it over.

use outhaul_protocol_wire::head::BundleKind;
use outhaul_protocol_wire::ids::Uid;

use super::*;
use crate::testing::bundle_key;

/// What has the name of `cart` in a control plane that was rebuilt.
fn successor() -> Key {
    Key {
        uid: Uid::new("uid-of-after").unwrap(),
        ..release_key("cart")
    }
}

fn take(rig: &mut Rig, key: Key, generation: u64, state: HeadState, objects: &[Value]) {
    let entry = |object: &Value| json!({"id": object["metadata"]["name"], "object": object});
    let list = match key.kind {
        BundleKind::Release => "resources",
        BundleKind::Bundle => "objects",
    };
    let spec = json!({list: objects.iter().map(entry).collect::<Vec<_>>()});
    let (packed, digest) = content(&spec);
    rig.specs.insert(key.clone(), spec);
    let head = Head {
        key,
        version: Version {
            generation: Generation(generation),
            ..Version::default()
        },
        digest,
        state,
        confirmed: None,
    };
    let content = match state {
        HeadState::Present => StoreContent::New(packed),
        HeadState::Removed | HeadState::Left => StoreContent::Kept,
    };
    rig.plane
        .take(Store {
            head,
            recorded: true,
            content,
        })
        .unwrap();
}

/// `cart` is an orphan with two objects, and its successor wants both of them and a third.
fn rebuilt() -> Rig {
    let mut rig = Rig::new();
    let both = [config_map("one", "1"), config_map("two", "1")];
    rig.announce("cart", 1, &both, true);
    rig.settle();
    rig.plane.orphaned(&[release_key("cart")], rig.now);
    let all = [
        config_map("one", "1"),
        config_map("two", "2"),
        config_map("three", "1"),
    ];
    take(&mut rig, successor(), 1, HeadState::Present, &all);
    rig.settle();
    rig
}

fn owner(rig: &Rig, name: &str) -> String {
    let labels = &rig.cluster.get(name).unwrap()["metadata"]["labels"];
    labels["openchoreo.dev/release-uid"].as_str().unwrap().to_owned()
}

fn uid(rig: &Rig, name: &str) -> Value {
    rig.cluster.get(name).unwrap()["metadata"]["uid"].clone()
}

#[test]
fn nobody_takes_an_orphan_over_by_its_name_alone() {
    let rig = rebuilt();
    for name in ["one", "two"] {
        assert_eq!(owner(&rig, name), "uid-cart");
        let why = rig.message(&successor(), name);
        assert!(why.contains("belongs to Release acme/cart"), "{why}");
    }
    assert_eq!(owner(&rig, "three"), "uid-of-after");
}

#[test]
fn a_successor_takes_over_in_place_what_was_left_for_it() {
    let mut rig = rebuilt();
    let before = [uid(&rig, "one"), uid(&rig, "two")];
    take(&mut rig, release_key("cart"), 2, HeadState::Left, &[]);
    rig.settle_in_time();
    for name in ["one", "two", "three"] {
        assert_eq!(owner(&rig, name), "uid-of-after");
    }
    assert_eq!(rig.cluster.value("two"), Some("2"));
    assert_eq!([uid(&rig, "one"), uid(&rig, "two")], before);
    assert!(
        !rig.log.iter().any(|line| line.starts_with("delete")),
        "{:?}",
        rig.log
    );
    let held = Held {
        key: release_key("cart"),
        version: Version {
            generation: Generation(2),
            ..Version::default()
        },
    };
    assert!(rig.news.contains(&News::Gone(held)), "the hub need not ask again");
}

#[test]
fn what_was_left_is_for_nobody_but_a_successor_that_wants_it() {
    let mut rig = rebuilt();
    let other = rig.announce(
        "another",
        1,
        &[config_map("one", "9"), config_map("two", "9")],
        true,
    );
    take(
        &mut rig,
        successor(),
        2,
        HeadState::Present,
        &[config_map("two", "2")],
    );
    rig.settle();
    take(&mut rig, release_key("cart"), 2, HeadState::Left, &[]);
    rig.settle_in_time();
    assert_eq!(owner(&rig, "one"), "uid-cart");
    assert_eq!(rig.cluster.value("one"), Some("1"));
    let why = rig.message(&other, "one");
    assert!(why.contains("belongs to Release acme/cart"), "{why}");
    assert_eq!(owner(&rig, "two"), "uid-of-after");
    assert_eq!(rig.blocker(&successor(), "two"), None);
}

#[test]
fn an_agent_that_starts_again_knows_what_was_left_for_whom() {
    let mut rig = rebuilt();
    rig.cluster.fail("one", 500);
    take(&mut rig, release_key("cart"), 2, HeadState::Left, &[]);
    rig.settle();
    rig.restart();
    rig.cluster.heal();
    rig.settle_in_time();
    assert_eq!(owner(&rig, "one"), "uid-of-after");
}

#[test]
fn what_belongs_to_others_is_not_inherited() {
    let mut rig = rebuilt();
    rig.cluster.put_of("four", "other");
    take(&mut rig, release_key("cart"), 2, HeadState::Left, &[]);
    let more = [config_map("one", "1"), config_map("four", "1")];
    take(&mut rig, successor(), 2, HeadState::Present, &more);
    rig.settle_in_time();
    assert_eq!(owner(&rig, "four"), "uid-other");
}

/// An object as OpenChoreo leaves it: with the labels that `cart` had in a control plane that is no more.
fn put_former(rig: &mut Rig, name: &str) {
    rig.cluster.put_of(name, "cart");
    rig.cluster.edit(name, |object| {
        object["metadata"]["labels"]["openchoreo.dev/release-uid"] = "uid-of-before".into();
    });
}

fn give(rig: &mut Rig, name: &str, uid: &str) {
    rig.cluster.edit(name, |object| {
        object["metadata"]["labels"]["openchoreo.dev/release-uid"] = uid.into();
    });
}

#[test]
fn what_openchoreo_left_of_a_release_of_this_name_is_taken_over_in_place() {
    let mut rig = Rig::new();
    put_former(&mut rig, "one");
    let before = uid(&rig, "one");
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle();
    assert_eq!(owner(&rig, "one"), "uid-cart");
    assert_eq!(uid(&rig, "one"), before);
    assert_eq!(rig.blocker(&key, "one"), None);
    assert_eq!(rig.log, ["look ConfigMap shop/one", "apply ConfigMap shop/one"]);
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.log, [""; 0], "it is ours, once for all");
}

#[test]
fn who_takes_an_object_back_has_it_until_somebody_takes_the_label_off() {
    let mut rig = Rig::new();
    put_former(&mut rig, "one");
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    give(&mut rig, "one", "uid-of-before");
    rig.settle_in_time();
    for restarted in [false, true] {
        if restarted {
            rig.restart();
            rig.settle_in_time();
        }
        assert_eq!(owner(&rig, "one"), "uid-of-before", "{restarted}");
        assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::OwnedByAnother));
        let why = rig.message(&key, "one");
        assert!(why.contains("took it from this one"), "{why}");
    }
    rig.cluster.edit("one", |object| {
        let labels = object["metadata"]["labels"].as_object_mut().unwrap();
        labels.remove("openchoreo.dev/managed-by");
    });
    rig.settle_in_time();
    assert_eq!(owner(&rig, "one"), "uid-cart");
    assert_eq!(rig.blocker(&key, "one"), None);
}

#[test]
fn what_was_ours_and_is_a_namesakes_is_not_taken_back_by_an_agent_that_was_away() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    give(&mut rig, "one", "uid-of-another");
    rig.restart_unwatched();
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle_in_time();
    assert_eq!(owner(&rig, "one"), "uid-of-another");
    assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::OwnedByAnother));
}

/// What is not as OpenChoreo leaves it, how it comes about in an object's metadata, and what is said of it.
type Odd = (&'static str, fn(&mut Value), &'static str);

#[test]
fn what_openchoreo_did_not_leave_like_this_is_left_alone() {
    let cases: [Odd; 4] = [
        (
            "another name",
            |metadata| {
                metadata["labels"]["openchoreo.dev/release-name"] = "shop".into();
            },
            "Release acme/shop (uid uid-of-before): remove it there first",
        ),
        (
            "another namespace",
            |metadata| {
                metadata["labels"]["openchoreo.dev/release-namespace"] = "elsewhere".into();
            },
            "remove it there first",
        ),
        (
            "written by nobody that OpenChoreo has",
            |metadata| {
                metadata["managedFields"][0]["manager"] = "kubectl".into();
            },
            "OpenChoreo did not leave it like this",
        ),
        (
            "of a Bundle once",
            |metadata| {
                let bundles = json!({"manager": "outhaul", "operation": "Apply", "fieldsV1": {}});
                metadata["managedFields"].as_array_mut().unwrap().push(bundles);
            },
            "OpenChoreo did not leave it like this",
        ),
    ];
    for (case, change, said) in cases {
        let mut rig = Rig::new();
        put_former(&mut rig, "one");
        rig.cluster.edit("one", |object| change(&mut object["metadata"]));
        let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
        rig.settle_in_time();
        assert_eq!(
            rig.blocker(&key, "one"),
            Some(BlockerReason::OwnedByAnother),
            "{case}"
        );
        assert_eq!(owner(&rig, "one"), "uid-of-before", "{case}");
        let why = rig.message(&key, "one");
        assert!(why.contains(said), "{case}: {why}");
    }
}

#[test]
fn what_was_removed_here_and_is_there_again_is_not_taken_over() {
    let mut rig = Rig::new();
    let former = Key {
        uid: Uid::new("uid-of-before").unwrap(),
        ..release_key("cart")
    };
    take(
        &mut rig,
        former.clone(),
        1,
        HeadState::Present,
        &[config_map("one", "1")],
    );
    rig.settle_in_time();
    let copy = rig.cluster.get("one").unwrap().clone();
    take(&mut rig, former.clone(), 2, HeadState::Removed, &[]);
    rig.settle_in_time();
    let held = Held {
        key: former,
        version: Version {
            generation: Generation(2),
            ..Version::default()
        },
    };
    rig.plane.settled(&held, rig.clock().unix, rig.now);
    rig.settle_in_time();
    rig.cluster.put("one", copy);
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    assert_eq!(owner(&rig, "one"), "uid-of-before");
    let why = rig.message(&key, "one");
    assert!(why.contains("that one was removed here"), "{why}");
}

#[test]
fn a_bundle_takes_over_nothing_by_its_name() {
    let mut rig = Rig::new();
    put_former(&mut rig, "one");
    rig.cluster.edit("one", |object| {
        object["metadata"]["labels"] = json!({
            "outhaul.dev/managed-by": "outhaul", "outhaul.dev/bundle-uid": "uid-of-before",
            "outhaul.dev/bundle-name": "build", "outhaul.dev/bundle-namespace": "acme",
        });
        object["metadata"]["managedFields"][0]["manager"] = "outhaul".into();
    });
    let key = bundle_key("build");
    take(
        &mut rig,
        key.clone(),
        1,
        HeadState::Present,
        &[config_map("one", "1")],
    );
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::OwnedByAnother));
    let why = rig.message(&key, "one");
    assert!(why.contains("OpenChoreo did not leave it like this"), "{why}");
}
