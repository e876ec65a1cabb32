//! The controllers against a small API server in memory: what they write, and that they stop.

mod bad_input;
mod commits;
mod hosts;
mod owners;
mod platform;
mod reads;
mod server;
mod takeover;
mod unsaid;
mod watching;

use serde_json::{Value, json};

use super::*;
use server::Server;

fn owner(component: &str) -> Value {
    json!({"projectName": "shop", "componentName": component})
}

fn workload(component: &str) -> Value {
    json!({
        "owner": owner(component),
        "containers": {"main": {"image": "registry.example/app:1"}},
        "endpoints": {"api": {"type": "REST", "port": 9090}},
    })
}

fn service(component: &str) -> Value {
    json!({
        "owner": owner(component), "workloadName": component, "className": "default",
        "apis": {"api": {
            "type": "REST", "className": "default",
            "rest": {"backend": {"port": 9090, "basePath": "/v1"}, "exposeLevels": ["Public"]},
        }},
    })
}

/// A namespace with classes, and a service in it.
fn shop() -> Server {
    let mut server = Server::default();
    server.put(Kind::Project, "shop", json!({"deploymentPipelineRef": "default"}));
    let component = json!({"owner": {"projectName": "shop"}, "type": "Service"});
    server.put(Kind::Component, "cart", component);
    server.settle();
    server.forget_what_was_said();
    server.put(Kind::ApiClass, "default", json!({"restPolicy": {"defaults": {}}}));
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 1}}),
    );
    server.put(Kind::Workload, "cart", workload("cart"));
    server.put(Kind::Service, "cart", service("cart"));
    server
}

/// One whose Release is in its plane.
fn running() -> Server {
    let mut server = shop();
    server.settle();
    server.report("cart", "Healthy");
    server.settle();
    server.writes.clear();
    server
}

fn ready(server: &Server, kind: Kind, name: &str) -> String {
    let binding = server.get(kind, name);
    let conditions = binding.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.and_then(|all| all.iter().find(|one| one["type"] == "Ready"));
    let text = |field| ready.and_then(|ready| ready[field].as_str()).unwrap_or_default();
    format!("{} {}: {}", text("status"), text("reason"), text("message"))
}

fn cart(server: &Server) -> String {
    ready(server, Kind::ServiceBinding, "cart")
}

#[test]
fn a_service_becomes_ready_in_four_writes() {
    let mut server = shop();
    server.settle();
    server.report("cart", "Healthy");
    server.settle();
    let expected = [
        "create ServiceBinding acme/cart",
        "create Release acme/cart",
        "status ServiceBinding acme/cart",
        "status ServiceBinding acme/cart",
    ];
    assert_eq!(server.writes, expected);
    assert_eq!(
        cart(&server),
        "True ResourcesActive: All 5 resources are deployed and healthy"
    );
    let binding = server.get(Kind::ServiceBinding, "cart");
    let public = binding.pointer("/status/endpoints/0/public/uri").unwrap();
    assert_eq!(
        public,
        "https://development.choreoapis.localhost:8443/shop/cart/v1"
    );
    let owner = &server.get(Kind::Release, "cart")["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["controller"], &owner["blockOwnerDeletion"]),
        (&json!("ServiceBinding"), &json!(true), &json!(true))
    );
}

#[test]
fn a_new_release_has_the_finalizer_that_it_would_get() {
    let mut server = shop();
    server.settle();
    let release = server.get(Kind::Release, "cart");
    assert_eq!(
        release["metadata"]["finalizers"],
        json!(["openchoreo.dev/dataplane-cleanup"])
    );
}

#[test]
fn how_a_rollout_goes_on_waits_for_other_writes_and_its_end_for_none() {
    let mut server = shop();
    server.settle();
    server.writes.clear();
    for index in 0..BUSY {
        let name = format!("other-{index}");
        server.put(Kind::Workload, &name, workload(&name));
        server.put(Kind::Service, &name, service(&name));
    }
    assert_eq!(server.begin(), BUSY);
    let status = "status ServiceBinding acme/cart";
    server.report("cart", "Progressing");
    server.run_for(Duration::from_millis(4_900));
    assert!(server.writes.is_empty(), "{:?}", server.writes);
    server.run_for(Duration::from_millis(100));
    server.run_until_idle();
    assert_eq!(server.writes, [status], "not for ever");
    for (health, ready) in [
        ("Degraded", "False ResourceHealthDegraded"),
        ("Progressing", "False ResourceHealthProgressing"),
        ("Healthy", "True ResourcesActive"),
    ] {
        server.writes.clear();
        server.report("cart", health);
        server.run_until_idle();
        assert_eq!(server.writes, [status], "{health}");
        assert!(cart(&server).starts_with(ready), "{}", cart(&server));
    }
}

#[test]
fn a_release_that_nobody_has_reported_on_makes_no_binding_ready() {
    let mut server = shop();
    server.settle();
    assert!(
        cart(&server).starts_with("False ResourceHealthProgressing"),
        "{}",
        cart(&server)
    );
}

#[test]
fn a_hub_that_starts_anew_writes_nothing() {
    let mut server = running();
    server.restart();
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
}

#[test]
fn an_order_of_lists_in_which_children_come_first_changes_nothing() {
    let mut server = running();
    server.restart_in_order(Kind::ALL.iter().rev().copied());
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
}

#[test]
fn what_a_release_is_made_of_is_rendered_again_when_it_changes() {
    let replaced = ["replace Release acme/cart"];
    let mut server = running();
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 3}}),
    );
    server.settle();
    assert_eq!(server.writes[..1], replaced);
    assert_eq!(server.object("cart", "cart-deployment")["spec"]["replicas"], 3);

    let mut server = running();
    let cors = json!({"allowOrigins": ["https://shop.example"]});
    server.put(
        Kind::ApiClass,
        "default",
        json!({"restPolicy": {"defaults": {"cors": cors}}}),
    );
    server.settle();
    assert_eq!(server.writes[..1], replaced);
    assert_eq!(server.read, 1);
}

#[test]
fn a_workload_leads_to_its_binding_and_on() {
    let mut server = running();
    let mut edited = workload("cart");
    edited["containers"]["main"]["image"] = json!("registry.example/app:2");
    server.put(Kind::Workload, "cart", edited);
    server.settle();
    let expected = ["replace ServiceBinding acme/cart", "replace Release acme/cart"];
    assert_eq!(server.writes[..2], expected);
    let image =
        &server.object("cart", "cart-deployment")["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "registry.example/app:2");
}

/// A shop whose till calls the cart.
fn connected() -> Server {
    let mut server = running();
    let mut till = workload("till");
    till["connections"] = json!({"cart": {
        "type": "api", "params": {"componentName": "cart", "endpoint": "api"},
        "inject": {"env": [{"name": "CART", "value": "{{ .url }}"}]},
    }});
    server.put(Kind::Workload, "till", till);
    let mut service = service("till");
    service["apis"] = json!({});
    server.put(Kind::Service, "till", service);
    server.settle();
    server
}

/// The port at which the till calls the cart.
fn called(server: &Server) -> String {
    let deployment = server.object("till", "till-deployment");
    let url = &deployment["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"];
    url.as_str().unwrap().rsplit(':').next().unwrap().to_owned()
}

fn moved_cart() -> Value {
    let mut moved = workload("cart");
    moved["endpoints"]["api"]["port"] = json!(9091);
    moved
}

#[test]
fn a_connection_follows_its_target() {
    let mut server = connected();
    assert_eq!(called(&server), "9090");
    server.put(Kind::Workload, "cart", moved_cart());
    server.settle();
    assert_eq!(called(&server), "9091");
}

#[test]
fn a_connection_leads_where_its_target_stays_while_that_cannot_follow() {
    let mut server = connected();
    let mut unfit = moved_cart();
    unfit["containers"] = json!({});
    server.put(Kind::Workload, "cart", unfit);
    let before = server.writes.len();
    server.settle();
    assert_eq!(called(&server), "9090");
    let writes = &server.writes[before..];
    assert!(writes.iter().all(|write| !write.contains("till")), "{writes:?}");

    server.put(Kind::Workload, "cart", moved_cart());
    server.settle();
    assert_eq!(called(&server), "9091");
}

#[test]
fn two_components_may_name_each_other() {
    let mut server = shop();
    let pair = [("cart", "till"), ("till", "cart")];
    for (name, other) in pair {
        let mut connected = workload(name);
        connected["connections"] = json!({"other": {
            "type": "api", "params": {"componentName": other, "endpoint": "api"},
            "inject": {"env": [{"name": "OTHER", "value": "{{ .host }}"}]},
        }});
        server.put(Kind::Workload, name, connected);
        server.put(Kind::Service, name, service(name));
    }
    server.settle();
    for (name, other) in pair {
        let deployment = server.object(name, &format!("{name}-deployment"));
        let host = &deployment["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"];
        let reached = &server.object(other, &format!("{other}-service"))["metadata"]["name"];
        assert_eq!(host, reached);
    }
}

#[test]
fn what_stays_as_openchoreo_makes_it_stays_until_a_hub_starts_that_corrects_it() {
    let guarded = |server: &Server| {
        let resources = &server.get(Kind::Release, "cart")["spec"]["resources"];
        let mut objects = resources.as_array().unwrap().iter().map(|entry| &entry["object"]);
        let policy = objects.find(|object| object["kind"] == "SecurityPolicy").unwrap();
        let route = policy["spec"]["targetRefs"][0]["name"].as_str().unwrap();
        objects_named(server, "HTTPRoute").contains(&route.to_owned())
    };
    let mut server = running();
    let mut unlevelled = service("cart");
    unlevelled["apis"]["api"]["rest"]["exposeLevels"] = json!([]);
    server.put(Kind::Service, "cart", unlevelled);
    for (level_policies, expected) in [(false, true), (true, false), (false, true)] {
        server.settings.as_openchoreo.level_policies = level_policies;
        server.restart();
        server.settle();
        assert_eq!(guarded(&server), expected, "{level_policies}");
    }
}

#[test]
fn first_bindings_are_of_the_environment_that_the_hub_is_started_with_and_stay_there() {
    let environment = |server: &Server, name: &str| {
        let binding = server.get(Kind::ServiceBinding, name);
        binding["spec"]["environment"].as_str().unwrap().to_owned()
    };
    let mut server = running();
    server.settings.first_environment = "dev".to_owned();
    server.restart();
    server.put(Kind::Workload, "till", workload("till"));
    server.put(Kind::Service, "till", service("till"));
    server.settle();
    assert_eq!(environment(&server, "cart"), "development");
    assert_eq!(environment(&server, "till"), "dev");
    server.writes.clear();
    server.settings.first_environment = "other".to_owned();
    server.restart();
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
}

/// The names of objects of a kind in the Release of `cart`.
fn objects_named(server: &Server, kind: &str) -> Vec<String> {
    let resources = &server.get(Kind::Release, "cart")["spec"]["resources"];
    let objects = resources.as_array().unwrap().iter().map(|entry| &entry["object"]);
    let of_kind = objects.filter(|object| object["kind"] == kind);
    of_kind
        .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_missing_target_is_named_and_heals() {
    let mut server = running();
    let mut till = workload("till");
    till["connections"] = json!({"stock": {
        "type": "api", "params": {"componentName": "stock", "endpoint": "api"},
        "inject": {"env": [{"name": "STOCK", "value": "{{ .url }}"}]},
    }});
    server.put(Kind::Workload, "till", till);
    server.put(Kind::Service, "till", service("till"));
    server.settle();
    let said = ready(&server, Kind::ServiceBinding, "till");
    assert!(
        said.starts_with("False InvalidConfiguration") && said.contains("component stock"),
        "{said}"
    );
    server.put(Kind::Workload, "stock", workload("stock"));
    server.put(Kind::Service, "stock", service("stock"));
    server.settle();
    assert!(server.has(Kind::Release, "till"));
}

/// A condition of the Release, beside what it says of its objects.
fn release_says(server: &mut Server, r#type: &str, status: &str, reason: &str, message: &str) {
    let said = json!([{
        "type": r#type, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]);
    server.merge(Kind::Release, "cart", json!({"status": {"conditions": said}}));
    server.settle();
}

#[test]
fn what_is_held_is_told_on_the_binding_while_it_is() {
    let mut server = running();
    server.forget_what_was_said();
    release_says(&mut server, "Held", "True", "OverBudget", "too much");
    assert!(cart(&server).starts_with("True"), "{}", cart(&server));
    let held = "Held: what it no longer has is still in its plane; Release: OverBudget: too much";
    assert_eq!(bad_input::warned(&server, Kind::ServiceBinding, "cart"), held);
    assert_eq!(server.events, [held]);
    server.report("cart", "Healthy");
    server.restart();
    server.settle();
    assert_eq!(server.writes.len(), 1, "{:?}", server.writes);
    release_says(&mut server, "Held", "False", "Released", "nothing is held");
    assert_eq!(bad_input::warned(&server, Kind::ServiceBinding, "cart"), "");
}

#[test]
fn what_holds_up_an_undeployment_is_told_once() {
    let mut server = running();
    server.hold_deletions = true;
    server.merge(
        Kind::ServiceBinding,
        "cart",
        json!({"spec": {"releaseState": "Undeploy"}}),
    );
    server.settle();
    server.forget_what_was_said();
    release_says(
        &mut server,
        "Finalizing",
        "True",
        "CleanupInProgress",
        "Cleaning up",
    );
    assert_eq!(server.writes, [""; 0]);
    release_says(&mut server, "Finalizing", "True", "CleanupFailed", "no right");
    let stuck = "ResourcesUndeployed: Resources being undeployed; Release: CleanupFailed: no right";
    assert_eq!(cart(&server), format!("False {stuck}"));
    server.restart();
    server.settle();
    assert_eq!(server.events, [stuck]);
    assert_eq!(server.writes.len(), 1, "{:?}", server.writes);
    server.finish_deletions();
    server.settle();
    assert_eq!(cart(&server), "False ResourcesUndeployed: Resources undeployed");
}

#[test]
fn a_release_that_cannot_be_read_is_undeployed_where_its_owner_says_whose_it_is() {
    let undeploy = json!({"spec": {"releaseState": "Undeploy"}});
    for (owners, expected) in [
        (json!({}), "False ResourcesUndeployed: Resources being undeployed"),
        (
            json!({"metadata": {"ownerReferences": null}}),
            "False InvalidConfiguration: Release \"cart\" cannot be read",
        ),
        (
            json!({"metadata": {"ownerReferences": [
                {"apiVersion": "v1", "kind": "ServiceBinding", "name": "till", "uid": "u", "controller": true},
            ]}}),
            "False InvalidConfiguration: Release \"cart\" cannot be read",
        ),
    ] {
        let mut server = running();
        server.hold_deletions = true;
        server.put(Kind::Release, "cart", json!({"environmentName": 7}));
        server.merge(Kind::Release, "cart", owners);
        server.settle();
        assert!(cart(&server).contains("cannot be read"), "{}", cart(&server));
        server.merge(Kind::ServiceBinding, "cart", undeploy.clone());
        server.settle();
        assert!(cart(&server).starts_with(expected), "{}", cart(&server));
    }
    let mut server = running();
    server.put(Kind::Release, "cart", json!({"environmentName": 7}));
    server.merge(Kind::ServiceBinding, "cart", undeploy);
    server.settle();
    assert_eq!(cart(&server), "False ResourcesUndeployed: Resources undeployed");
}

#[test]
fn suspend_undeploy_and_back() {
    let mut server = running();
    server.merge(
        Kind::ServiceBinding,
        "cart",
        json!({"spec": {"releaseState": "Suspend"}}),
    );
    server.settle();
    assert_eq!(server.object("cart", "cart-deployment")["spec"]["replicas"], 0);
    server.report("cart", "Suspended");
    server.settle();
    assert_eq!(cart(&server), "False ResourcesSuspended: Resources suspended");

    server.hold_deletions = true;
    server.merge(
        Kind::ServiceBinding,
        "cart",
        json!({"spec": {"releaseState": "Undeploy"}}),
    );
    server.settle();
    assert_eq!(
        cart(&server),
        "False ResourcesUndeployed: Resources being undeployed"
    );
    assert_eq!(
        server
            .get(Kind::ServiceBinding, "cart")
            .pointer("/status/endpoints"),
        None
    );
    server.finish_deletions();
    server.settle();
    assert_eq!(cart(&server), "False ResourcesUndeployed: Resources undeployed");
    assert!(!server.has(Kind::Release, "cart"));

    // The Service does not change what is for whoever operates it.
    server.put(Kind::Service, "cart", service("cart"));
    server.settle();
    assert!(!server.has(Kind::Release, "cart"));

    server.merge(
        Kind::ServiceBinding,
        "cart",
        json!({"spec": {"releaseState": "Active"}}),
    );
    server.settle();
    assert_eq!(server.object("cart", "cart-deployment")["spec"]["replicas"], 1);
}

#[test]
fn what_is_suspended_stops_also_while_something_is_wrong() {
    let suspend = |server: &mut Server, binding: Kind, name: &str| {
        server.merge(binding, name, json!({"spec": {"releaseState": "Suspend"}}));
        server.settle();
    };
    let replicas = |server: &Server| server.object("cart", "cart-deployment")["spec"]["replicas"].clone();

    // Nothing can be rendered.
    let mut server = running();
    server.delete(Kind::ServiceClass, "default");
    server.settle();
    let before = server.get(Kind::Release, "cart")["spec"].clone();
    let endpoints = server.get(Kind::ServiceBinding, "cart")["status"]["endpoints"].clone();
    suspend(&mut server, Kind::ServiceBinding, "cart");
    assert_eq!(replicas(&server), 0);
    assert!(
        cart(&server).starts_with("False ServiceClassNotFound"),
        "{}",
        cart(&server)
    );
    let binding = server.get(Kind::ServiceBinding, "cart");
    assert_eq!(binding["status"]["endpoints"], endpoints);
    let mut after = server.get(Kind::Release, "cart")["spec"].clone();
    after["resources"][0]["object"]["spec"]["replicas"] = json!(1);
    assert_eq!(after, before, "everything else stays");
    server.writes.clear();
    server.restart();
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);

    // Its class cannot even be read.
    let mut server = running();
    server.put(Kind::ServiceClass, "default", json!(7));
    server.settle();
    suspend(&mut server, Kind::ServiceBinding, "cart");
    assert_eq!(replicas(&server), 0);
    assert!(cart(&server).starts_with("False InvalidConfiguration: ServiceClass"));

    // The Deployment cannot be rendered.
    let mut server = running();
    let mut broken = workload("cart");
    broken["containers"] = json!({});
    server.put(Kind::Workload, "cart", broken);
    server.settle();
    assert_eq!(replicas(&server), 1, "an error takes nothing away");
    suspend(&mut server, Kind::ServiceBinding, "cart");
    assert_eq!(replicas(&server), 0);
    assert!(cart(&server).starts_with("False InvalidConfiguration"));

    // The CronJob, which is all there is, cannot be rendered.
    let schedule = |schedule: &str| json!({"cronJobTemplate": {"schedule": schedule}});
    server.put(Kind::ScheduledTaskClass, "default", schedule("@daily"));
    server.put(Kind::Workload, "bill", workload("bill"));
    let task = json!({"owner": owner("bill"), "workloadName": "bill", "className": "default"});
    server.put(Kind::ScheduledTask, "bill", task);
    server.settle();
    server.put(Kind::ScheduledTaskClass, "default", schedule(""));
    suspend(&mut server, Kind::ScheduledTaskBinding, "bill");
    assert_eq!(server.object("bill", "bill-cronjob")["spec"]["suspend"], true);
    server.writes.clear();
    server.restart();
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
}

#[test]
fn what_is_undeployed_goes_though_nothing_that_it_is_made_of_can_be_read() {
    let deep = (0..130).fold(json!(1), |within, _| json!({"deeper": within}));
    let of_classes: [(Kind, Value); 3] = [
        (Kind::ServiceClass, json!(7)),
        (Kind::ServiceClass, json!({"deploymentTemplate": deep})),
        (Kind::ApiClass, json!({"restPolicy": 7})),
    ];
    for (kind, unreadable) in of_classes {
        let mut server = running();
        server.put(kind, "default", unreadable);
        server.settle();
        assert!(cart(&server).starts_with("False InvalidConfiguration"), "{kind}");
        let undeploy = json!({"spec": {"releaseState": "Undeploy"}});
        server.merge(Kind::ServiceBinding, "cart", undeploy);
        server.settle();
        assert!(!server.has(Kind::Release, "cart"), "{kind}");
        assert_eq!(cart(&server), "False ResourcesUndeployed: Resources undeployed");
    }

    let mut server = running();
    let api = json!({"owner": owner("open"), "environmentName": "development", "type": "REST", "className": "default"});
    server.put(Kind::Api, "open", api);
    let binding = json!({"apiName": "open", "apiClassName": "default", "environmentName": "development"});
    server.put(Kind::ApiBinding, "open", binding);
    server.settle();
    server.put(Kind::Api, "open", json!({"owner": 7}));
    let undeploy = json!({"spec": {"releaseState": "Undeploy"}});
    server.merge(Kind::ApiBinding, "open", undeploy);
    server.settle();
    assert!(!server.has(Kind::Release, "open"));
}

#[test]
fn a_release_of_somebody_else_is_not_suspended() {
    let mut server = running();
    let foreign = json!([{"kind": "WebApplicationBinding", "name": "cart", "uid": "u", "controller": true,
        "apiVersion": "openchoreo.dev/v1alpha1"}]);
    server.merge(
        Kind::Release,
        "cart",
        json!({"metadata": {"ownerReferences": foreign}}),
    );
    server.delete(Kind::ServiceClass, "default");
    server.merge(
        Kind::ServiceBinding,
        "cart",
        json!({"spec": {"releaseState": "Suspend"}}),
    );
    server.settle();
    assert_eq!(server.object("cart", "cart-deployment")["spec"]["replicas"], 1);
}

#[test]
fn a_deleted_service_takes_everything_with_it() {
    let mut server = running();
    server.delete(Kind::Service, "cart");
    server.settle();
    assert!(!server.has(Kind::ServiceBinding, "cart") && !server.has(Kind::Release, "cart"));
    assert!(server.writes.is_empty(), "{:?}", server.writes);
    let left: Vec<_> = server.controllers.memories.keys().collect();
    assert!(left.iter().all(|key| key.kind.is_platform()), "{left:?}");
    assert!(server.controllers.is_settled());
}

#[test]
fn a_missing_class_is_named_and_heals() {
    let mut server = shop();
    server.delete(Kind::ServiceClass, "default");
    server.settle();
    assert_eq!(
        cart(&server),
        r#"False ServiceClassNotFound: ServiceClass "default" not found: create it in namespace "acme", or correct spec.className"#
    );
    assert_eq!(server.notes, ["ServiceClassNotFound"]);
    server.put(Kind::ServiceClass, "default", json!({}));
    server.settle();
    assert!(server.has(Kind::Release, "cart"));
    server.delete(Kind::ServiceClass, "default");
    server.settle();
    assert!(server.has(Kind::Release, "cart"), "an error takes nothing away");
}

#[test]
fn a_malformed_class_stops_only_its_bindings() {
    let mut server = running();
    server.put(
        Kind::ServiceClass,
        "odd",
        json!({"deploymentTemplate": {"replicas": "many"}}),
    );
    server.put(Kind::ApiClass, "odd", json!({"restPolicy": 7}));
    server.put(Kind::Workload, "till", workload("till"));
    let mut by_class = service("till");
    by_class["className"] = json!("odd");
    server.put(Kind::Service, "till", by_class);
    let mut by_api_class = service("till");
    by_api_class["apis"]["api"]["className"] = json!("odd");
    server.put(Kind::Service, "pay", by_api_class);
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 2}}),
    );
    server.settle();
    for (name, odd) in [("till", r#"ServiceClass "odd""#), ("pay", r#"APIClass "odd""#)] {
        let said = ready(&server, Kind::ServiceBinding, name);
        assert!(
            said.starts_with("False InvalidConfiguration") && said.contains(odd),
            "{said}"
        );
    }
    assert_eq!(server.object("cart", "cart-deployment")["spec"]["replicas"], 2);
}

#[test]
fn an_object_that_cannot_be_rendered_stays_as_it_is_stored() {
    let mut server = running();
    let limited =
        |window| json!({"restPolicy": {"defaults": {"rateLimit": {"requests": 5, "window": window}}}});
    server.put(Kind::ApiClass, "default", limited("1m"));
    server.settle();
    let before = server.get(Kind::Release, "cart")["spec"].clone();
    server.writes.clear();
    server.put(Kind::ApiClass, "default", limited("1d"));
    server.settle();
    assert_eq!(server.get(Kind::Release, "cart")["spec"], before);
    let said = cart(&server);
    assert!(
        said.starts_with("False InvalidConfiguration") && said.contains("rateLimit.window"),
        "{said}"
    );
    assert_eq!(server.writes, ["status ServiceBinding acme/cart"]);
}

/// What serves requests of `cart`: its Deployment, its Service and its route.
fn serving(server: &Server) -> Vec<Value> {
    let resources = server.get(Kind::Release, "cart")["spec"]["resources"].clone();
    let kinds = ["Deployment", "Service", "HTTPRoute"].map(Value::from);
    let mut all: Vec<_> = resources.as_array().unwrap().clone();
    all.retain(|resource| kinds.contains(&resource["object"]["kind"]));
    all
}

#[test]
fn a_deployment_that_cannot_change_in_place_keeps_what_leads_to_it() {
    let mut server = running();
    let before = serving(&server);
    let endpoints = server.get(Kind::ServiceBinding, "cart")["status"]["endpoints"].clone();
    let mut renamed = service("cart");
    renamed["owner"] = owner("basket");
    server.put(Kind::Service, "cart", renamed);
    server.settle();
    assert_eq!(serving(&server), before);
    assert_eq!(
        cart(&server),
        "False InvalidConfiguration: Deployment \"cart-1c42ddc0\": its pods are found by labels that cannot be changed \
         while it is there: say releaseState Undeploy and then Active again, which stops it in between, or take back \
         what was changed of spec.owner or of the selector of the class"
    );
    let binding = server.get(Kind::ServiceBinding, "cart");
    assert_eq!(binding["status"]["endpoints"], endpoints);
    let warnings = binding.pointer("/status/conditions/0/message").unwrap();
    assert_eq!(
        warnings,
        "the stored Deployment runs on, so its Service and routes stay as they are stored too"
    );
    server.writes.clear();
    server.restart();
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);

    let state = |state: &str| json!({"spec": {"releaseState": state}});
    server.merge(Kind::ServiceBinding, "cart", state("Suspend"));
    server.settle();
    assert_eq!(server.object("cart", "cart-deployment")["spec"]["replicas"], 0);
    assert_eq!(serving(&server)[1..], before[1..]);
    for to in ["Undeploy", "Active"] {
        server.merge(Kind::ServiceBinding, "cart", state(to));
        server.settle();
    }
    let labels = &server.object("cart", "cart-deployment")["spec"]["selector"]["matchLabels"];
    assert_eq!(labels["component-name"], "basket");
    let service = server.object("cart", "cart-service");
    assert_eq!(&service["spec"]["selector"], labels);
    assert!(
        cart(&server).starts_with("False ResourceHealthProgressing"),
        "{}",
        cart(&server)
    );
}

#[test]
fn a_deployment_that_cannot_be_rendered_keeps_the_ports_that_lead_to_it() {
    let mut server = running();
    let field = json!({"name": "MODE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}});
    let container = json!({"name": "main", "env": [field]});
    let template = json!({"template": {"spec": {"containers": [container]}}});
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": template}),
    );
    server.settle();
    let before = serving(&server);
    let mut edited = workload("cart");
    edited["endpoints"]["api"]["port"] = json!(9191);
    edited["containers"]["main"]["env"] = json!([{"key": "MODE", "value": "fast"}]);
    server.put(Kind::Workload, "cart", edited.clone());
    let mut moved = service("cart");
    moved["apis"]["api"]["rest"]["backend"]["port"] = json!(9191);
    server.put(Kind::Service, "cart", moved);
    server.settle();
    assert_eq!(serving(&server), before);
    assert!(
        cart(&server).contains("variable \"MODE\" has a value in the workload and a source in the class")
    );

    edited["containers"]["main"]["env"] = json!([]);
    server.put(Kind::Workload, "cart", edited);
    server.settle();
    let port = &server.object("cart", "cart-service")["spec"]["ports"][0]["port"];
    assert_eq!(port, 9191);
}

#[test]
fn what_moves_to_another_namespace_takes_what_leads_to_it_along() {
    let mut server = running();
    let mut moved = service("cart");
    moved["owner"]["projectName"] = json!("other");
    server.put(Kind::Service, "cart", moved);
    server.settle();
    let namespaces: Vec<_> = serving(&server)
        .iter()
        .map(|resource| resource["object"]["metadata"]["namespace"].clone())
        .collect();
    assert_eq!(namespaces, vec!["dp-acme-other-development-08eccf0e"; 3]);
}

#[test]
fn two_bindings_of_one_name_do_not_fight() {
    let mut server = running();
    server.put(Kind::WebApplicationClass, "default", json!({}));
    let web = json!({"owner": owner("cart"), "workloadName": "cart", "className": "default"});
    server.put(Kind::WebApplication, "cart", web);
    server.settle();
    let said = ready(&server, Kind::WebApplicationBinding, "cart");
    assert!(said.starts_with("False InvalidConfiguration"), "{said}");
    assert!(said.contains(r#"belongs to ServiceBinding "cart""#), "{said}");
    let expected = [
        "create WebApplicationBinding acme/cart",
        "status WebApplicationBinding acme/cart",
        // It warns that there are two.
        "status ServiceBinding acme/cart",
    ];
    assert_eq!(server.writes, expected);
    server.delete(Kind::Service, "cart");
    server.settle();
    let owner = &server.get(Kind::Release, "cart")["metadata"]["ownerReferences"][0]["kind"];
    assert_eq!(owner, "WebApplicationBinding");
}

#[test]
fn a_lost_owner_reference_and_a_foreign_edit_are_repaired() {
    let mut server = running();
    server.merge(
        Kind::Release,
        "cart",
        json!({"metadata": {"ownerReferences": null}, "spec": {"interval": "5m"}}),
    );
    server.settle();
    let release = server.get(Kind::Release, "cart");
    assert_eq!(
        release["metadata"]["ownerReferences"][0]["kind"],
        "ServiceBinding"
    );
    assert_eq!(release["spec"].get("interval"), None);
}

#[test]
fn undeploying_takes_a_release_that_lost_its_owner_and_none_that_was_never_its() {
    let undeploy = json!({"spec": {"releaseState": "Undeploy"}});
    let stays = |environment: &str| {
        let mut server = running();
        server.merge(Kind::ServiceBinding, "cart", undeploy.clone());
        let release = server.get(Kind::Release, "cart")["spec"].clone();
        server.settle();
        assert!(!server.has(Kind::Release, "cart"));
        server.put(Kind::Release, "cart", release);
        let foreign = json!({"spec": {"environmentName": environment}});
        server.merge(Kind::Release, "cart", foreign);
        server.settle();
        assert_eq!(cart(&server), "False ResourcesUndeployed: Resources undeployed");
        server.has(Kind::Release, "cart")
    };
    assert!(!stays("development"));
    assert!(stays("made-by-hand"));
}

#[test]
fn a_scheduled_task_keeps_its_release_state_and_settles() {
    let mut server = running();
    let template = json!({"cronJobTemplate": {"schedule": "0 * * * *"}});
    server.put(Kind::ScheduledTaskClass, "default", template);
    let task = json!({"owner": owner("cart"), "workloadName": "cart", "className": "default"});
    server.put(Kind::ScheduledTask, "bill", task.clone());
    server.settle();
    let suspended = json!({"spec": {"releaseState": "Suspend"}});
    server.merge(Kind::ScheduledTaskBinding, "bill", suspended);
    server.settle();
    assert_eq!(server.object("bill", "bill-cronjob")["spec"]["suspend"], true);
    server.writes.clear();
    server.put(Kind::ScheduledTask, "bill", task);
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
    server.merge(
        Kind::ScheduledTaskBinding,
        "bill",
        json!({"spec": {"releaseState": "Undeploy"}}),
    );
    server.settle();
    assert!(!server.has(Kind::Release, "bill"));
}

#[test]
fn an_api_binding_waits_for_its_api() {
    let mut server = running();
    let binding = json!({"apiName": "open", "apiClassName": "default", "environmentName": "development"});
    server.put(Kind::ApiBinding, "open", binding);
    server.settle();
    assert_eq!(
        ready(&server, Kind::ApiBinding, "open"),
        r#"False InvalidConfiguration: API "open" not found: create it in namespace "acme", or correct spec.apiName"#
    );
    let api = json!({"owner": owner("open"), "environmentName": "development", "type": "REST", "className": "default"});
    server.put(Kind::Api, "open", api);
    server.settle();
    assert_eq!(
        ready(&server, Kind::ApiBinding, "open"),
        "True ResourcesActive: No resources to deploy"
    );
}

#[test]
fn an_api_binding_is_not_ready_while_its_release_goes_nowhere() {
    let mut server = running();
    let api = json!({"owner": owner("open"), "environmentName": "development", "type": "REST", "className": "default"});
    server.put(Kind::Api, "open", api);
    let binding = json!({"apiName": "open", "apiClassName": "default", "environmentName": "devlopment"});
    server.put(Kind::ApiBinding, "open", binding);
    server.settle();
    let failed = json!({
        "type": "Ready", "status": "False", "reason": "NoPlane", "message": "Environment devlopment does not exist",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    server.merge(Kind::Release, "open", json!({"status": {"conditions": [failed]}}));
    server.settle();
    let says = "ResourceHealthDegraded: Release: NoPlane: Environment devlopment does not exist";
    assert_eq!(ready(&server, Kind::ApiBinding, "open"), format!("False {says}"));
    assert!(server.events.contains(&says.to_owned()));
}

#[test]
fn an_api_binding_that_is_undeployed_has_no_release_and_waits_for_nothing() {
    let mut server = running();
    let binding = |state: &str| json!({"apiName": "open", "apiClassName": "default", "environmentName": "development", "releaseState": state});
    let api = json!({"owner": owner("open"), "environmentName": "development", "type": "REST", "className": "default"});
    server.put(Kind::Api, "open", api);
    server.put(Kind::ApiBinding, "open", binding("Active"));
    server.settle();
    assert!(server.has(Kind::Release, "open"));
    server.delete(Kind::Api, "open");
    server.put(Kind::ApiBinding, "open", binding("Undeploy"));
    server.settle();
    assert!(!server.has(Kind::Release, "open"));
    assert_eq!(
        ready(&server, Kind::ApiBinding, "open"),
        "False ResourcesUndeployed: Resources undeployed"
    );
}

#[test]
fn a_missing_workload_is_named_after_a_while_and_forgotten_when_it_comes() {
    let mut server = shop();
    server.delete(Kind::Workload, "cart");
    server.settle();
    let said = ready(&server, Kind::Service, "cart");
    assert!(
        said.starts_with(r#"False WorkloadNotFound: Workload "cart" not found"#),
        "{said}"
    );
    server.put(Kind::Workload, "cart", workload("cart"));
    server.settle();
    assert_eq!(
        server.get(Kind::Service, "cart").pointer("/status/conditions"),
        Some(&json!([]))
    );
    assert!(server.has(Kind::Release, "cart"));
}

#[test]
fn a_workload_that_comes_a_little_later_costs_no_write() {
    let mut server = shop();
    server.delete(Kind::Workload, "cart");
    server.run_until_idle();
    server.put(Kind::Workload, "cart", workload("cart"));
    server.settle();
    assert_eq!(server.writes[0], "create ServiceBinding acme/cart");
}

#[test]
fn what_is_refused_is_said_and_tried_again_less_and_less_often() {
    let mut server = shop();
    server.refuse = Some((Kind::Release, "quota exceeded"));
    server.run_for(Duration::from_secs(60));
    assert_eq!(
        cart(&server),
        r#"False ReleaseCreationFailed: failed to create release "cart": quota exceeded"#
    );
    assert!((8..=12).contains(&server.refused), "{}", server.refused);
    let statuses = server.writes.iter().filter(|write| write.starts_with("status"));
    assert_eq!(statuses.count(), 1);
    // Other content is tried at once.
    let tries = server.refused;
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 2}}),
    );
    server.run_until_idle();
    assert_eq!(server.refused, tries + 1);
    server.refuse = None;
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 3}}),
    );
    server.settle();
    assert!(server.has(Kind::Release, "cart"));
    assert!(
        cart(&server).starts_with("False ResourceHealthProgressing"),
        "{}",
        cart(&server)
    );
}

#[test]
fn an_edit_that_is_refused_is_tried_again_less_and_less_often() {
    let mut server = running();
    server.refuse = Some((Kind::Release, "quota exceeded"));
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 2}}),
    );
    server.run_for(Duration::from_secs(60));
    assert_eq!(
        cart(&server),
        r#"False ReleaseUpdateFailed: failed to update Release "cart": quota exceeded"#
    );
    assert!((8..=12).contains(&server.refused), "{}", server.refused);
}

#[test]
fn what_fails_for_long_is_said_in_the_words_of_the_first_time() {
    let mut server = shop();
    server.fail = Some((Kind::Release, "failed calling webhook"));
    server.run_for(Duration::from_secs(20));
    assert_eq!(cart(&server), " : ", "it may pass");
    server.run_for(Duration::from_secs(300));
    assert_eq!(
        cart(&server),
        r#"False ReleaseCreationFailed: failed to create release "cart": failed calling webhook 9"#
    );
    let statuses = server.writes.iter().filter(|write| write.starts_with("status"));
    assert_eq!(statuses.count(), 1);
    assert!((12..=16).contains(&server.refused), "{}", server.refused);
    server.fail = None;
    server.settle();
    assert!(server.has(Kind::Release, "cart"));
    assert!(cart(&server).starts_with("False ResourceHealthProgressing"));
}

#[test]
fn a_release_that_would_be_too_large_is_not_written_and_says_whose_fault_it_is() {
    let mut server = running();
    let before = server.get(Kind::Release, "cart")["spec"].clone();
    let mut large = workload("cart");
    large["containers"]["main"]["env"] = json!([{"key": "BLOB", "value": "x".repeat(700_000)}]);
    server.put(Kind::Workload, "cart", large);
    let annotations = json!({"metadata": {"annotations": {"blob": "x".repeat(400_000)}}});
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 1, "template": annotations}}),
    );
    server.settle();
    let said = cart(&server);
    assert!(
        said.starts_with("False InvalidConfiguration: the Release would be 11"),
        "{said}"
    );
    assert!(
        said.ends_with("and may be 1048576: shorten the Workload, or ServiceClass \"default\""),
        "{said}"
    );
    assert_eq!(server.get(Kind::Release, "cart")["spec"], before);
    server.writes.clear();
    server.restart();
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
    let suspend = json!({"spec": {"releaseState": "Suspend"}});
    server.merge(Kind::ServiceBinding, "cart", suspend);
    server.settle();
    assert_eq!(server.object("cart", "cart-deployment")["spec"]["replicas"], 0);
    assert!(cart(&server).starts_with("False InvalidConfiguration: the Release would be"));
}

#[test]
fn a_release_of_too_many_objects_is_not_written_either() {
    let mut server = shop();
    let mut many = service("cart");
    let api = many["apis"]["api"].clone();
    many["apis"] = (0..400)
        .map(|index| (format!("api-{index}"), api.clone()))
        .collect();
    server.put(Kind::Service, "cart", many);
    server.settle();
    assert!(!server.has(Kind::Release, "cart"));
    assert_eq!(
        cart(&server),
        "False InvalidConfiguration: the Release would have 1202 objects, and may have 1000: expose fewer APIs, or fewer \
         levels of them"
    );
}

#[test]
fn what_the_api_server_keeps_otherwise_is_not_written_again() {
    let mut server = shop();
    server.alters = true;
    server.settle();
    let replaced = server.writes.iter().filter(|write| write.starts_with("replace"));
    assert!(replaced.count() <= 2, "{:?}", server.writes);
}

#[test]
fn a_late_answer_brings_nothing_back_that_is_gone() {
    let mut server = shop();
    server.gone_before_answer = Some(Kind::ServiceBinding);
    server.settle();
    assert_eq!(server.gone_before_answer, None);
    assert!(server.has(Kind::ServiceBinding, "cart") && server.has(Kind::Release, "cart"));

    let mut server = shop();
    server.delete(Kind::Workload, "cart");
    server.gone_before_answer = Some(Kind::Service);
    server.settle();
    server.put(Kind::Workload, "cart", workload("cart"));
    server.settle();
    assert_eq!(server.writes, ["status Service acme/cart"]);
}

#[test]
fn outdated_writes_are_made_again() {
    let mut server = shop();
    server.outdated = 3;
    server.settle();
    assert!(server.has(Kind::Release, "cart"));
}
