//! A control plane that changed: what it adds and changes is done, what it lets go or takes over waits.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::witness::Vouched;

use super::*;

pub(super) fn vouched(witness: u8, confirmed: bool) -> Vouched {
    Vouched {
        witness: Witness(Digest([witness; 32])),
        confirmed,
        asks: false,
    }
}

/// A plane that knows control plane 1, and has `cart` with two objects.
fn known() -> (Rig, Key) {
    let mut rig = Rig::new();
    rig.plane.vouched(vouched(1, false));
    let both = [config_map("one", "1"), config_map("two", "1")];
    let key = rig.announce("cart", 1, &both, true);
    rig.settle_in_time();
    rig.log.clear();
    rig.news.clear();
    (rig, key)
}

fn leaving(rig: &Rig, key: &Key) -> Vec<(String, Option<BlockerReason>)> {
    let view = agent::Plane::report(&rig.plane, key).unwrap();
    let leftovers = view.leftovers.iter();
    leftovers
        .map(|it| (it.object.name.clone(), it.blocker.as_ref().map(|it| it.reason)))
        .collect()
}

fn deletes(rig: &Rig) -> Vec<&String> {
    rig.log.iter().filter(|line| line.starts_with("delete")).collect()
}

const HELD: Option<BlockerReason> = Some(BlockerReason::ControlPlaneChanged);

#[test]
fn what_another_control_plane_lets_go_waits_and_all_else_is_done() {
    let (mut rig, key) = known();
    rig.plane.vouched(vouched(2, false));
    let changed = [config_map("one", "2"), config_map("three", "1")];
    rig.announce("cart", 2, &changed, true);
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("2"));
    assert_eq!(rig.cluster.value("three"), Some("1"));
    assert_eq!(leaving(&rig, &key), [("two".into(), HELD)]);
    assert_eq!(deletes(&rig), Vec::<&String>::new());
    assert!(agent::Plane::is_unconfirmed(&rig.plane));
    assert!(rig.news.contains(&News::Unconfirmed));

    rig.plane.vouched(vouched(2, true));
    rig.settle_in_time();
    assert_eq!(deletes(&rig), ["delete ConfigMap shop/two"]);
    assert_eq!(rig.pin, Some(Witness(Digest([2; 32]))));
    assert!(!agent::Plane::is_unconfirmed(&rig.plane));
}

#[test]
fn a_removal_waits_too_whatever_such_a_control_plane_confirms() {
    for verdict in [Confirmed::Remove, Confirmed::Leave] {
        let (mut rig, key) = known();
        rig.plane.vouched(vouched(2, false));
        let removed = rig.remove("cart", 2);
        rig.confirm(&removed, verdict);
        rig.settle_in_time();
        let both = ["one", "two"].map(|name| (name.to_owned(), HELD));
        assert_eq!(leaving(&rig, &key), both, "{verdict:?}");
        assert_eq!(rig.cluster.names().len(), 2);
        assert!(!rig.news.contains(&News::Gone(removed)));
    }
}

#[test]
fn an_agent_that_starts_again_waits_for_the_word_of_a_hub() {
    let (mut rig, key) = known();
    rig.plane.vouched(vouched(2, false));
    rig.announce("cart", 2, &[config_map("one", "2")], true);
    rig.settle_in_time();
    rig.restart();
    rig.settle_in_time();
    assert_eq!(deletes(&rig), Vec::<&String>::new());
    rig.plane.vouched(vouched(2, false));
    rig.settle_in_time();
    assert_eq!(leaving(&rig, &key), [("two".into(), HELD)]);
    rig.plane.vouched(vouched(1, false));
    rig.settle_in_time();
    assert_eq!(
        deletes(&rig),
        ["delete ConfigMap shop/two"],
        "the known one is back"
    );
}

#[test]
fn what_another_control_plane_adopts_waits() {
    let (mut rig, key) = known();
    rig.plane.orphaned(core::slice::from_ref(&key), rig.now);
    rig.plane.vouched(vouched(2, false));
    let successor = Key {
        uid: Uid::new("uid-of-after").unwrap(),
        ..key.clone()
    };
    let spec = json!({"resources": [{"id": "one", "object": config_map("one", "2")}]});
    let (packed, digest) = content(&spec);
    rig.specs.insert(successor.clone(), spec);
    let head = |key: &Key, generation, state, digest| Head {
        key: key.clone(),
        version: Version {
            generation: Generation(generation),
            ..Version::default()
        },
        digest,
        state,
        confirmed: None,
    };
    let take = |rig: &mut Rig, head, content| {
        let store = Store {
            head,
            recorded: true,
            content,
        };
        rig.plane.take(store).unwrap();
        rig.settle_in_time();
    };
    let present = head(&successor, 1, HeadState::Present, digest);
    take(&mut rig, present, StoreContent::New(packed));
    take(
        &mut rig,
        head(&key, 2, HeadState::Left, digest),
        StoreContent::Kept,
    );
    assert_eq!(rig.blocker(&successor, "one"), HELD);
    assert_eq!(rig.cluster.value("one"), Some("1"));
    let why = rig.message(&successor, "one");
    assert!(
        why.contains("taking it over waits until somebody confirms"),
        "{why}"
    );
    let both = ["one", "two"].map(|name| (name.to_owned(), HELD));
    assert_eq!(leaving(&rig, &key), both, "what was left is still known");
    assert!(!rig.news.iter().any(|news| matches!(news, News::Gone(_))));

    rig.plane.vouched(vouched(2, true));
    rig.settle_in_time();
    assert_eq!(
        (rig.blocker(&successor, "one"), rig.cluster.value("one")),
        (None, Some("2"))
    );
    assert!(rig.news.iter().any(|news| matches!(news, News::Gone(_))));
}

#[test]
fn where_only_the_owner_confirms_the_word_of_the_hub_does_not_count() {
    let (mut rig, key) = known();
    let policy = |entries: Value| Policy::read(HOME, Some(&json!({"data": entries})), None);
    rig.plane
        .govern(policy(json!({"policy.yaml": "confirmations: plane"})));
    rig.plane.vouched(vouched(2, true));
    rig.announce("cart", 2, &[config_map("one", "1")], true);
    rig.settle_in_time();
    assert_eq!(leaving(&rig, &key), [("two".into(), HELD)]);
    let witness = Witness(Digest([2; 32]));
    rig.plane.govern(policy(json!({
        "policy.yaml": "confirmations: plane", "confirm.control-plane": witness.to_string(),
    })));
    rig.settle_in_time();
    assert_eq!(deletes(&rig), ["delete ConfigMap shop/two"]);
}
