//! Routes wait for what asks their callers.

use super::*;

fn route(host: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"hostnames": [host]},
    })
}

fn policy(issuer: &str) -> Value {
    let target = json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "web"});
    json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "SecurityPolicy",
        "metadata": {"name": "asks", "namespace": "shop"},
        "spec": {"targetRefs": [target], "jwt": {"providers": [{"issuer": issuer}]}},
    })
}

fn hosts(rig: &Rig) -> Option<Value> {
    rig.cluster
        .get("web")
        .map(|route| route["spec"]["hostnames"].clone())
}

#[test]
fn a_route_is_opened_once_what_asks_its_callers_is_in_place() {
    let mut rig = Rig::new();
    rig.cluster.fail("asks", 403);
    let key = rig.announce("cart", 1, &[route("a"), policy("x")], true);
    rig.settle_in_time();
    assert!(!rig.cluster.has("web"));
    let view = agent::Plane::report(&rig.plane, &key).unwrap();
    let blocker = view.objects[0].blocker.clone().unwrap();
    assert_eq!(blocker.reason, BlockerReason::Unguarded);
    assert!(
        blocker.message.contains("SecurityPolicy asks"),
        "{}",
        blocker.message
    );

    rig.cluster.heal();
    rig.settle_in_time();
    assert!(rig.cluster.has("web"));
    assert_eq!(rig.blocker(&key, "web"), None);
}

#[test]
fn a_route_that_is_there_follows_its_spec_whatever_becomes_of_its_guard() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[route("a"), policy("x")], true);
    rig.settle_in_time();
    rig.cluster.fail("asks", 422);
    rig.announce("cart", 2, &[route("b"), policy("y")], true);
    rig.settle_in_time();
    assert_eq!(hosts(&rig), Some(json!(["b"])));
    assert_eq!(rig.blocker(&key, "web"), None);
    assert_eq!(rig.blocker(&key, "asks"), Some(BlockerReason::Invalid));
}

#[test]
fn a_route_that_somebody_deleted_with_its_guard_is_not_opened_without_it() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[route("a"), policy("x")], true);
    rig.settle_in_time();
    rig.cluster.fail("asks", 403);
    rig.cluster.delete("asks");
    rig.cluster.delete("web");
    rig.settle_in_time();
    assert_eq!(hosts(&rig), None);
    assert_eq!(rig.blocker(&key, "web"), Some(BlockerReason::Unguarded));

    rig.cluster.heal();
    rig.settle_in_time();
    assert_eq!(hosts(&rig), Some(json!(["a"])));
}

#[test]
fn an_agent_that_starts_again_knows_which_routes_are_there() {
    let mut rig = Rig::new();
    let key = rig.announce("cart", 1, &[route("a"), policy("x")], true);
    rig.settle_in_time();
    rig.cluster.fail("asks", 422);
    rig.restart();
    rig.announce("cart", 2, &[route("b"), policy("y")], true);
    rig.settle_in_time();
    assert_eq!(hosts(&rig), Some(json!(["b"])));
    assert_eq!(rig.blocker(&key, "web"), None);
}

#[test]
fn what_is_let_go_waits_for_a_route_that_is_not_opened() {
    let mut rig = Rig::new();
    rig.announce("cart", 1, &[config_map("old", "1")], true);
    rig.settle_in_time();
    rig.cluster.fail("asks", 403);
    rig.announce("cart", 2, &[route("a"), policy("x")], true);
    rig.settle_in_time();
    assert!(rig.cluster.has("old") && !rig.cluster.has("web"));
    rig.cluster.heal();
    rig.settle_in_time();
    assert!(!rig.cluster.has("old") && rig.cluster.has("web"));
}
