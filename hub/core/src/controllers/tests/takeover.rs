//! A control plane as OpenChoreo leaves it: the hub that starts there writes statuses, and with its corrections put off
//! nothing else.

use outhaul_hub_render::AsOpenChoreo;
use serde_json::{Value, json};

use super::*;

const BINDINGS: [(Kind, &str); 5] = [
    (Kind::ServiceBinding, "cart"),
    (Kind::WebApplicationBinding, "web"),
    (Kind::ScheduledTaskBinding, "bill"),
    (Kind::ScheduledTaskBinding, "bill-live"),
    (Kind::ScheduledTaskBinding, "bill-old"),
];

const ALL: AsOpenChoreo = AsOpenChoreo {
    level_policies: true,
    address_rules: true,
    connection_hosts: true,
    task_states: true,
    class_fields: true,
};

/// A component of each type. The API of the service names no level; the task was promoted, and somebody suspended and
/// undeployed it where it was promoted to, of which nothing came.
fn components() -> Server {
    let mut server = shop();
    server.settings.as_openchoreo = ALL;
    server.restart();
    let owned = |component: &str| json!({"owner": owner(component), "workloadName": component, "className": "default"});
    let promoted = |state: &str| {
        let workload = json!({"containers": {"main": {"image": "registry.example/app:1"}}});
        json!({
            "owner": owner("bill"), "environment": state.to_lowercase(), "className": "default", "workloadSpec": workload,
            "releaseState": state,
        })
    };
    let policies = json!({
        "rateLimit": {"requests": 100, "window": "1m"},
        "security": {"allowedIPs": ["10.0.0.0/8"], "blockedIPs": ["10.1.0.0/16"]},
    });
    let mut unlevelled = service("cart");
    unlevelled["apis"]["api"]["rest"]["exposeLevels"] = Value::Null;
    let of_shop = json!({"owner": {"projectName": "shop"}, "type": "Service"});
    for (kind, name, spec) in [
        (Kind::Component, "web", of_shop.clone()),
        (Kind::Component, "bill", of_shop),
        (
            Kind::ApiClass,
            "default",
            json!({"restPolicy": {"defaults": policies}}),
        ),
        (Kind::WebApplicationClass, "default", json!({})),
        (
            Kind::ScheduledTaskClass,
            "default",
            json!({"cronJobTemplate": {"schedule": "@daily"}}),
        ),
        (Kind::Service, "cart", unlevelled),
        (Kind::Workload, "web", workload("web")),
        (Kind::WebApplication, "web", owned("web")),
        (Kind::Workload, "bill", workload("bill")),
        (Kind::ScheduledTask, "bill", owned("bill")),
        (Kind::ScheduledTaskBinding, "bill-live", promoted("Suspend")),
        (Kind::ScheduledTaskBinding, "bill-old", promoted("Undeploy")),
    ] {
        server.put(kind, name, spec);
    }
    server.settle();
    server
}

/// The same as OpenChoreo leaves it: specs as Go writes them, and no status that says of which generation it is.
fn left_behind() -> Server {
    let mut server = components();
    for (kind, name) in BINDINGS {
        let mut spec = server.get(kind, name)["spec"].clone();
        let workload = &mut spec["workloadSpec"];
        workload["connections"] = Value::Null;
        for (field, nothing) in [
            ("command", json!([])),
            ("args", Value::Null),
            ("env", Value::Null),
        ] {
            workload["containers"]["main"][field] = nothing;
        }
        if kind == Kind::WebApplicationBinding {
            spec["overrides"] = json!({});
        }
        server.put(kind, name, spec);
        let status = match kind {
            Kind::ScheduledTaskBinding => json!({}),
            _ => json!({"conditions": [{
                "type": "Ready", "status": "True", "reason": "ResourcesActive", "message": "Everything is well",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }]}),
        };
        server.merge(kind, name, json!({"status": null}));
        server.merge(kind, name, json!({"status": status}));

        server.report(name, "Healthy");
        let metadata = json!({
            "finalizers": ["openchoreo.dev/dataplane-cleanup"],
            "managedFields": [{"manager": "manager", "operation": "Update"}],
        });
        let status = json!({"observedGeneration": null, "lastUpdateTime": "2026-01-01T00:00:00Z"});
        let left = json!({"metadata": metadata, "status": status});
        server.merge(Kind::Release, name, left);
    }
    server.writes.clear();
    server
}

fn version(server: &Server, kind: Kind, name: &str, field: &str) -> Value {
    server.get(kind, name)["metadata"][field].clone()
}

#[test]
fn with_all_corrections_put_off_nothing_is_written_but_statuses() {
    let mut server = left_behind();
    let generations =
        |server: &Server| BINDINGS.map(|(kind, name)| version(server, kind, name, "generation"));
    let releases =
        |server: &Server| BINDINGS.map(|(_, name)| version(server, Kind::Release, name, "resourceVersion"));
    let before = (generations(&server), releases(&server));
    server.restart();
    server.settle();
    assert_eq!((generations(&server), releases(&server)), before);
    let others = server.writes.iter().filter(|write| !write.starts_with("status "));
    assert_eq!(others.count(), 0, "{:?}", server.writes);
    assert_eq!(server.writes.len(), BINDINGS.len(), "{:?}", server.writes);
    for (kind, name) in BINDINGS {
        let waits = "False ResourceHealthProgressing: Waiting for the report of the plane on the last change";
        assert_eq!(ready(&server, kind, name), waits, "{name}");
        server.report(name, "Healthy");
    }
    server.settle();
    for (kind, name) in BINDINGS {
        assert!(
            ready(&server, kind, name).starts_with("True ResourcesActive"),
            "{name}"
        );
    }
    assert_eq!(generations(&server), before.0);
}

#[test]
fn what_corrections_write_is_what_is_documented() {
    let mut server = left_behind();
    server.settings.as_openchoreo = AsOpenChoreo::default();
    server.restart();
    server.settle();
    let mut others: Vec<_> = server
        .writes
        .iter()
        .filter(|write| !write.starts_with("status "))
        .collect();
    others.sort();
    let expected = [
        "delete Release acme/bill-old",
        "replace Release acme/bill-live",
        "replace Release acme/cart",
    ];
    assert_eq!(others, expected);
    assert_eq!(
        server.object("bill-live", "bill-live-cronjob")["spec"]["suspend"],
        true
    );
}
