//! Owners that are missing: a Component or Project that somebody names, the Organization of a Project. It is said where
//! they are named, and takes nothing away.

use serde_json::{Value, json};

use super::*;

/// A Component or Project that does not exist, as it is told.
fn missing(kind: Kind, name: &str, field: &str) -> String {
    format!("{kind} {name:?} does not exist in namespace \"acme\": create it, or correct spec.owner.{field}")
}

fn component(project: &str) -> Value {
    json!({"owner": {"projectName": project}, "type": "Service"})
}

/// A spec of a component of this owner, or of a binding that somebody made for it.
fn owned(kind: Kind, project: &str, component: &str) -> Value {
    let owner = json!({"projectName": project, "componentName": component});
    match kind {
        Kind::Service | Kind::WebApplication | Kind::ScheduledTask => {
            json!({"owner": owner, "workloadName": "cart", "className": "default"})
        }
        Kind::Api => {
            json!({"owner": owner, "environmentName": "live", "type": "REST", "className": "default"})
        }
        Kind::Release => json!({"owner": owner, "environmentName": "live", "resources": []}),
        _ => {
            let workload = json!({
                "containers": {"main": {"image": "registry.example/app:1"}},
                "endpoints": {"api": {"type": "REST", "port": 9090}},
            });
            json!({"owner": owner, "environment": "live", "className": "default", "workloadSpec": workload})
        }
    }
}

fn owned_shop() -> Server {
    let mut server = shop();
    server.put(Kind::WebApplicationClass, "default", json!({}));
    let task = json!({"cronJobTemplate": {"schedule": "@daily"}});
    server.put(Kind::ScheduledTaskClass, "default", task);
    server.put(Kind::Component, "other", component("other"));
    server.put(
        Kind::Project,
        "other",
        json!({"deploymentPipelineRef": "default"}),
    );
    server
}

/// The condition `Warnings`.
fn warned(server: &Server, kind: Kind, name: &str) -> String {
    let conditions = server.get(kind, name).pointer("/status/conditions");
    let mut all = conditions.and_then(Value::as_array).into_iter().flatten();
    let warned = all.find(|one| one["type"] == "Warnings");
    let text = |said: &Value, field: &str| said[field].as_str().unwrap().to_owned();
    warned.map_or_else(String::new, |said| {
        format!("{}: {}", text(said, "reason"), text(said, "message"))
    })
}

#[test]
fn a_missing_owner_is_told_where_it_is_named_until_it_is_there() {
    let (no_component, no_project) = (
        missing(Kind::Component, "none", "componentName"),
        missing(Kind::Project, "none", "projectName"),
    );
    for kind in [
        Kind::Service,
        Kind::WebApplication,
        Kind::ScheduledTask,
        Kind::ServiceBinding,
        Kind::WebApplicationBinding,
        Kind::ScheduledTaskBinding,
        Kind::Api,
        Kind::Release,
    ] {
        for (project, name, expected) in [
            ("shop", "none", no_component.clone()),
            ("none", "none", format!("{no_component}; {no_project}")),
            (
                "shop",
                "other",
                "Component \"other\" belongs to project \"other\", and spec.owner names \"shop\": correct one of the two"
                    .to_owned(),
            ),
        ] {
            let expected = match kind {
                // Its Workload names another owner.
                Kind::Service | Kind::WebApplication | Kind::ScheduledTask => format!(
                    "{expected}; spec.owner of Workload \"cart\" has no effect: it names component \"cart\" of project \
                     \"shop\", and this is {name:?} of {project:?}; correct one of the two"
                ),
                _ => expected,
            };
            let says = format!("OwnerNotFound: {expected}");
            let mut server = owned_shop();
            server.put(kind, "pay", owned(kind, project, name));
            server.settle();
            assert_eq!(warned(&server, kind, "pay"), says, "{kind}");
            let made = kind == Kind::Api || server.has(Kind::Release, "pay");
            assert!(made, "{kind}: it takes nothing away");
            let told = server.events.iter().filter(|event| **event == says).count();
            assert_eq!(told, 1, "{kind}: {:?}", server.events);
            for order in [Kind::ALL.to_vec(), Kind::ALL.iter().rev().copied().collect()] {
                server.writes.clear();
                server.restart_in_order(order);
                server.settle();
                assert!(server.writes.is_empty(), "{kind}: {:?}", server.writes);
            }

            server.put(Kind::Project, "none", json!({"deploymentPipelineRef": "default"}));
            server.put(Kind::Component, name, component(project));
            server.settle();
            let left = warned(&server, kind, "pay");
            assert!(!left.contains("OwnerNotFound"), "{kind}: {left}");
        }
    }
}

#[test]
fn who_writes_all_of_a_component_in_one_go_is_not_warned() {
    let mut server = owned_shop();
    server.settle();
    server.put(Kind::Workload, "pay", workload("pay"));
    server.put(Kind::Service, "pay", service("pay"));
    server.run_for(Duration::from_secs(1));
    server.put(Kind::Component, "pay", component("shop"));
    server.settle();
    assert_eq!(warned(&server, Kind::Service, "pay"), "");
    assert!(server.events.iter().all(|event| !event.contains("OwnerNotFound")));
    server.delete(Kind::Component, "pay");
    server.settle();
    let says = missing(Kind::Component, "pay", "componentName");
    assert_eq!(
        warned(&server, Kind::Service, "pay"),
        format!("OwnerNotFound: {says}")
    );
}

#[test]
fn a_binding_that_a_component_made_leaves_it_to_the_component() {
    let mut server = owned_shop();
    server.put(Kind::Workload, "pay", workload("pay"));
    server.put(Kind::Service, "pay", service("pay"));
    server.settle();
    assert_ne!(warned(&server, Kind::Service, "pay"), "");
    assert_eq!(warned(&server, Kind::ServiceBinding, "pay"), "");
    assert_eq!(warned(&server, Kind::Release, "pay"), "");
}

#[test]
fn what_the_fleet_says_of_a_release_stays_as_it_stands() {
    let mut server = owned_shop();
    server.put(Kind::Release, "pay", owned(Kind::Release, "shop", "none"));
    let said = |kind: &str| {
        json!({
            "type": kind, "status": "True", "reason": "Any", "message": "any", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let status = json!({"observedGeneration": 7, "plane": "eu", "conditions": [said("Ready"), said("Held")]});
    server.merge(Kind::Release, "pay", json!({"status": status}));
    server.settle();
    assert_ne!(warned(&server, Kind::Release, "pay"), "");
    server.put(Kind::Component, "none", component("shop"));
    server.settle();
    assert_eq!(server.get(Kind::Release, "pay")["status"], status);
}

#[test]
fn a_release_that_a_binding_takes_over_is_left_to_the_binding() {
    let mut server = owned_shop();
    let mut release = owned(Kind::Release, "shop", "pay");
    release["environmentName"] = json!("development");
    server.put(Kind::Release, "pay", release);
    server.settle();
    assert_ne!(warned(&server, Kind::Release, "pay"), "");
    server.put(Kind::Workload, "pay", workload("pay"));
    server.put(Kind::Service, "pay", service("pay"));
    server.settle();
    let owner = &server.get(Kind::Release, "pay")["metadata"]["ownerReferences"][0];
    assert_eq!(owner["kind"], "ServiceBinding");
    assert_eq!(warned(&server, Kind::Release, "pay"), "");
    assert_ne!(warned(&server, Kind::Service, "pay"), "");
}

#[test]
fn a_release_that_cannot_be_read_is_left_to_the_fleet() {
    let mut server = owned_shop();
    server.put(Kind::Release, "odd", json!({"owner": 7}));
    server.settle();
    assert!(server.get(Kind::Release, "odd").get("status").is_none());
}

#[test]
fn what_runs_does_not_wait_for_lists_of_owners() {
    let mut server = owned_shop();
    server.restart_in_order(Kind::ALL.into_iter().filter(|kind| *kind != Kind::Component));
    server.run_for(Duration::from_secs(60));
    assert!(server.has(Kind::Release, "cart"));
}

#[test]
fn a_project_says_that_the_organization_of_its_label_is_missing() {
    let mut server = shop();
    let label = json!({"metadata": {"labels": {"openchoreo.dev/organization": "acme"}}});
    server.merge(Kind::Project, "shop", label);
    server.settle();
    let says = "OwnerNotFound: Organization \"acme\" does not exist: create it, or correct the label \
                openchoreo.dev/organization";
    assert_eq!(warned(&server, Kind::Project, "shop"), says);
    assert!(server.events.contains(&says.to_owned()));
    server.writes.clear();
    server.restart_in_order(Kind::ALL.iter().rev().copied());
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);
    server.put(Kind::Organization, "acme", json!({}));
    server.settle();
    assert_eq!(warned(&server, Kind::Project, "shop"), "");
}
