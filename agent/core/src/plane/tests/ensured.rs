//! What has to be there first, and cannot be created, or is not asked for any more.

use super::once::{bundle, pod};
use super::*;

fn continuous(objects: &[Value], ensure: &[Value]) -> Value {
    bundle("Continuous", objects, ensure)
}

fn shared() -> Value {
    config_map("shared", "1")
}

#[test]
fn an_edit_that_needs_what_cannot_be_created_says_so_and_keeps_what_is_there() {
    type Prevent = fn(&mut Rig) -> (Value, BlockerReason);
    let cases: [Prevent; 3] = [
        |rig| {
            rig.cluster.fail("shared", 403);
            (shared(), BlockerReason::Forbidden)
        },
        |rig| {
            let text = json!({"data": {"policy.yaml": "kinds: [ConfigMap]"}});
            rig.plane.govern(Policy::read(HOME, Some(&text), None));
            (pod("shared"), BlockerReason::PolicyForbids)
        },
        |_| {
            let mut malformed = shared();
            malformed["kind"] = Value::Null;
            (malformed, BlockerReason::Malformed)
        },
    ];
    for prevent in cases {
        let mut rig = Rig::new();
        let all = ["one", "two", "three"].map(|name| config_map(name, "1"));
        let key = rig.bundle(1, &continuous(&all, &[]));
        rig.settle_in_time();
        let (needed, reason) = prevent(&mut rig);
        let edited = [config_map("one", "2"), config_map("two", "1")];
        rig.bundle(2, &continuous(&edited, &[needed]));
        rig.settle_in_time();
        assert_eq!(rig.reported(&key), Some(Generation(2)), "{reason:?}");
        assert_eq!(rig.blocker(&key, "ensure[0]"), Some(reason));
        rig.cluster
            .edit("two", |object| object["data"]["value"] = "theirs".into());
        rig.settle_in_time();
        let values = ["one", "two", "three"].map(|name| rig.cluster.value(name));
        assert_eq!(values, [Some("1"); 3], "{reason:?}: {:?}", rig.log);

        rig.bundle(3, &continuous(&edited, &[]));
        rig.settle_in_time();
        let values = ["one", "two", "three"].map(|name| rig.cluster.value(name));
        assert_eq!(values, [Some("2"), Some("1"), None], "{reason:?}");
    }
}

#[test]
fn what_is_there_is_found_though_it_may_not_be_created() {
    let mut rig = Rig::new();
    rig.cluster.put_of("shared", "other");
    rig.cluster.forbid_creating("shared");
    let key = rig.bundle(1, &continuous(&[config_map("one", "1")], &[shared()]));
    rig.settle_in_time();
    assert!(rig.cluster.has("one"), "{:?}", rig.log);
    assert_eq!(rig.blocker(&key, "ensure[0]"), None);
}

#[test]
fn what_is_there_and_goes_is_waited_for() {
    let mut rig = Rig::new();
    rig.cluster.put_of("shared", "other");
    rig.cluster.edit("shared", |object| {
        object["metadata"]["deletionTimestamp"] = "now".into()
    });
    rig.cluster.forbid_creating("shared");
    let key = rig.bundle(1, &continuous(&[config_map("one", "1")], &[shared()]));
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "ensure[0]"), Some(BlockerReason::Terminating));
    assert!(!rig.cluster.has("one"));
    rig.cluster.delete("shared");
    rig.cluster.heal();
    rig.settle_in_time();
    assert!(rig.cluster.has("one") && rig.cluster.has("shared"));
}

#[test]
fn a_conflict_is_no_deletion() {
    let mut rig = Rig::new();
    rig.cluster.fail("shared", 409);
    let key = rig.bundle(1, &continuous(&[config_map("one", "1")], &[shared()]));
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "ensure[0]"), Some(BlockerReason::Conflict));
}

#[test]
fn a_namespace_that_was_there_once_is_made_again_for_what_is_in_it() {
    let mut rig = Rig::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    rig.bundle(1, &continuous(&[config_map("one", "1")], &[namespace]));
    rig.settle_in_time();
    rig.cluster.lose_namespace("shop");
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("1"), "{:?}", rig.log);
}
