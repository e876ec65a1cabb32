//! What the policy of the plane's owner keeps from being done.

use outhaul_protocol_wire::policy::Confirmations;

use super::*;

/// The policy with this text.
fn policy(text: &str) -> Policy {
    let config_map = json!({"data": {"policy.yaml": text}});
    let policy = Policy::read(HOME, Some(&config_map), None);
    assert_eq!(policy.problem(), None);
    policy
}

fn governed(text: &str) -> Rig {
    let mut rig = Rig::new();
    rig.govern(text);
    rig
}

impl Rig {
    fn govern(&mut self, text: &str) {
        self.plane.govern(policy(text));
        self.log.clear();
    }

    /// Requests that change something.
    fn changes(&self) -> Vec<&String> {
        let reads = |line: &&String| line.starts_with("look") || line.starts_with("sweep");
        self.log.iter().filter(|line| !reads(line)).collect()
    }

    /// Why objects on their way out are still there.
    fn leaving(&self, key: &Key) -> Vec<(String, Option<BlockerReason>)> {
        let view = agent::Plane::report(&self.plane, key).unwrap();
        let leftovers = view.leftovers.iter();
        leftovers
            .map(|it| (it.object.name.clone(), it.blocker.as_ref().map(|it| it.reason)))
            .collect()
    }
}

#[test]
fn what_the_policy_excludes_is_not_applied_and_says_which_field_it_is() {
    let mut rig = governed("{namespaces: [shop], kinds: [ConfigMap, Namespace]}");
    let mut elsewhere = config_map("two", "1");
    elsewhere["metadata"]["namespace"] = "other".into();
    let key = rig.announce(
        "cart",
        1,
        &[
            config_map("one", "1"),
            elsewhere,
            object("v1", "Service", "three"),
        ],
        true,
    );
    rig.settle_in_time();
    assert_eq!(rig.log, ["create namespace shop", "apply ConfigMap shop/one"]);
    assert_eq!(rig.blocker(&key, "one"), None);
    assert_eq!(
        [rig.message(&key, "two"), rig.message(&key, "three")],
        [
            "the plane's policy forbids it: namespaces does not name \"other\"",
            "the plane's policy forbids it: kinds does not name Service",
        ]
    );
}

#[test]
fn a_tightened_policy_keeps_objects_and_stops_managing_them() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1"), widget("two")], true);
    rig.settle_in_time();
    rig.govern("kinds: [example.dev/Widget, Namespace]");
    rig.cluster
        .edit("one", |object| object["data"]["value"] = "theirs".into());
    rig.announce(
        "cart",
        2,
        &[config_map("one", "2"), widget("two"), widget("three")],
        true,
    );
    rig.settle_in_time();
    assert_eq!(rig.log, ["apply Widget.example.dev shop/three"]);
    assert_eq!(rig.blocker(&key, "one"), Some(BlockerReason::PolicyForbids));
    assert_eq!(rig.cluster.value("one"), Some("theirs"));
    let removed = rig.remove("cart", 3);
    rig.settle_in_time();
    assert_eq!(
        rig.leaving(&key),
        [("one".into(), Some(BlockerReason::PolicyForbids))]
    );
    assert!(
        !rig.news.contains(&News::Gone(removed.clone())),
        "it is still there"
    );
    rig.restart();
    rig.settle_in_time();
    assert_eq!(rig.changes(), Vec::<&String>::new());
    rig.govern("{}");
    rig.settle_in_time();
    assert_eq!(rig.changes(), ["delete ConfigMap shop/one"]);
    assert!(rig.news.contains(&News::Gone(removed)));
}

#[test]
fn what_the_policy_excludes_keeps_nothing_else_from_going() {
    let mut rig = governed("kinds: [ConfigMap, Namespace]");
    let before = [config_map("one", "1"), config_map("two", "1")];
    let key = rig.announce("cart", 1, &before, true);
    rig.settle_in_time();
    rig.announce("cart", 2, &[config_map("one", "2"), widget("three")], true);
    rig.settle_in_time();
    assert_eq!(rig.cluster.value("one"), Some("2"));
    assert!(!rig.cluster.has("two"), "{:?}", rig.leaving(&key));
    assert_eq!(rig.blocker(&key, "three"), Some(BlockerReason::PolicyForbids));
}

#[test]
fn what_was_allowed_to_go_stays_where_the_policy_excludes_it_meanwhile() {
    for text in ["kinds: []", "pause: true", "observeOnly: true"] {
        let mut rig = Rig::new();
        rig.announce("cart", 1, &[config_map("one", "1")], true);
        rig.settle_in_time();
        rig.remove("cart", 2);
        let delete = rig.ask("delete ConfigMap shop/one");
        let failed = Answer::Failed(Failure::Unreachable("away".into()));
        rig.govern(text);
        rig.plane.answered(delete.id, failed, Duration::ZERO, rig.now);
        rig.settle_in_time();
        assert_eq!(rig.changes(), Vec::<&String>::new(), "{text}");
        rig.restart();
        rig.settle_in_time();
        assert_eq!(rig.changes(), Vec::<&String>::new(), "{text}");
        rig.govern("{}");
        rig.settle_in_time();
        assert_eq!(rig.changes(), ["delete ConfigMap shop/one"], "{text}");
    }
}

#[test]
fn what_somebody_removes_by_hand_is_gone_whatever_the_policy_says() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.govern("organizations: []");
    let removed = rig.remove("cart", 2);
    rig.settle_in_time();
    rig.cluster.delete("one");
    rig.settle_in_time();
    assert!(rig.news.contains(&News::Gone(removed)));
}

#[test]
fn what_is_confirmed_to_be_left_is_left_and_gone() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    rig.govern("kinds: []");
    let removed = rig.remove("cart", 2);
    for confirmed in [Confirmed::Remove, Confirmed::Leave] {
        rig.confirm(&removed, confirmed);
        rig.settle_in_time();
        let gone = rig.news.contains(&News::Gone(removed.clone()));
        assert_eq!(gone, confirmed == Confirmed::Leave, "{:?}", rig.leaving(&key));
    }
    assert!(rig.cluster.has("one"));
}

#[test]
fn a_pause_does_nothing_and_says_what_waits_for_its_end() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1"), config_map("two", "1")], true);
    rig.settle_in_time();
    rig.govern("pause: true");
    rig.cluster.delete("one");
    rig.announce(
        "cart",
        2,
        &[config_map("one", "1"), config_map("three", "1")],
        true,
    );
    let other = rig.announce("till", 1, &[config_map("four", "1")], true);
    rig.settle_in_time();
    assert_eq!(rig.log, Vec::<String>::new());
    let paused = Some(BlockerReason::PolicyPauses);
    assert_eq!(["one", "three"].map(|id| rig.blocker(&key, id)), [paused, paused]);
    assert_eq!(rig.leaving(&key), [("two".into(), paused)]);
    assert_eq!(
        rig.message(&other, "four"),
        "the plane's policy pauses all work (pause: true): it would be applied"
    );
    rig.govern("{}");
    rig.settle_in_time();
    assert_eq!(
        rig.cluster.names(),
        ["four", "one", "three"].map(str::to_owned).into()
    );
    assert_eq!(rig.blocker(&other, "four"), None);
}

#[test]
fn an_observer_changes_nothing_and_says_what_would_change() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1"), config_map("two", "1")], true);
    rig.settle_in_time();
    rig.govern("observeOnly: true");
    rig.cluster
        .edit("two", |object| object["data"]["value"] = "theirs".into());
    rig.cluster.put_of("taken", "somebody");
    rig.announce(
        "cart",
        2,
        &[
            config_map("one", "2"),
            config_map("two", "1"),
            config_map("three", "1"),
            config_map("taken", "1"),
        ],
        true,
    );
    rig.settle_in_time();
    assert_eq!(rig.changes(), Vec::<&String>::new());
    let says =
        |would: &str| format!("the plane's policy lets nothing be changed (observeOnly: true): {would}");
    assert_eq!(
        ["one", "two", "three"].map(|id| rig.message(&key, id)),
        [
            says("it would change .data.value"),
            says("it would change .data.value"),
            says("it would be created"),
        ]
    );
    assert_eq!(rig.blocker(&key, "taken"), Some(BlockerReason::OwnedByAnother));
    rig.cluster
        .edit("two", |object| object["data"]["value"] = "1".into());
    rig.settle_in_time();
    assert_eq!(rig.message(&key, "two"), says("it would be taken over as it is"));
    rig.cluster.delete("one");
    rig.remove("cart", 3);
    rig.settle_in_time();
    assert_eq!(rig.changes(), Vec::<&String>::new());
    assert_eq!(
        rig.leaving(&key),
        [("two".into(), Some(BlockerReason::PolicyObserves))]
    );
}

#[test]
fn an_observer_looks_also_where_there_is_no_namespace() {
    let mut rig = governed("observeOnly: true");
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    assert_eq!(rig.log, ["look ConfigMap shop/one"]);
    assert!(rig.message(&key, "one").ends_with("it would be created"));
}

#[test]
fn a_namespace_that_the_policy_excludes_is_used_and_not_made() {
    let mut rig = governed("kinds: [ConfigMap]");
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle();
    assert_eq!(rig.changes(), ["apply ConfigMap shop/one"]);
    assert_eq!(
        rig.message(&key, "one"),
        "the plane's policy forbids it: kinds does not name Namespace"
    );
    rig.cluster.put_of("anything", "somebody");
    rig.settle_in_time();
    assert_eq!(rig.blocker(&key, "one"), None);
    assert!(!rig.log.iter().any(|line| line.starts_with("create")));
}

#[test]
fn a_namespace_that_was_to_be_made_before_the_policy_excluded_it_is_not_made() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.plane.advance(rig.now);
    while let Some(write) = rig.plane.poll_write(rig.now) {
        rig.plane.written(&write.key, Ok(()), rig.now);
    }
    rig.plane.advance(rig.now);
    rig.govern("pause: true");
    rig.settle_in_time();
    assert_eq!(rig.log, Vec::<String>::new());
    rig.govern("{}");
    rig.settle_in_time();
    assert_eq!(rig.log, ["create namespace shop", "apply ConfigMap shop/one"]);
    assert_eq!(rig.blocker(&key, "one"), None);
}

#[test]
fn only_the_owner_confirms_where_the_policy_says_so() {
    let mut rig = governed("{confirmations: plane, budget: {objects: 0, percent: 0}}");
    let key = rig.announce("cart", 1, &[config_map("one", "1")], true);
    rig.settle_in_time();
    let removed = rig.remove("cart", 2);
    rig.confirm(&removed, Confirmed::Remove);
    rig.settle_in_time();
    assert_eq!(
        rig.leaving(&key),
        [("one".into(), Some(BlockerReason::OwnerConfirms))]
    );
    let view = agent::Plane::report(&rig.plane, &key).unwrap();
    let said = &view.leftovers[0].blocker.as_ref().unwrap().message;
    assert!(
        said.contains("more than 0 objects and more than 0 %")
            && said.contains(r#""confirm.release.acme.cart":"remove@2""#),
        "{said}"
    );
    let text = "{confirmations: plane, budget: {objects: 0, percent: 0}}";
    let config_map = json!({"data": {"policy.yaml": text, "confirm.release.acme.cart": "remove@2"}});
    rig.plane.govern(Policy::read(HOME, Some(&config_map), None));
    rig.settle_in_time();
    assert!(rig.news.contains(&News::Gone(removed)));
}

#[test]
fn the_hub_is_told_of_a_policy_once() {
    let mut rig = governed("confirmations: plane");
    rig.settle();
    assert_eq!(rig.news, [News::Looked, News::Policy]);
    assert_eq!(
        agent::Plane::policy(&rig.plane).confirmations,
        Confirmations::Plane
    );
    rig.news.clear();
    rig.govern("confirmations: plane");
    rig.settle();
    assert_eq!(rig.news, []);
}
