//! Every kind that a key is decided from: a change of one such object alone has the key looked at, and it answers.

use serde_json::{Value, json};

use super::server::Server;
use super::*;

/// The kind of a key, a kind that it reads, what somebody does to an object of that, and the write that answers.
type Row = (Kind, Kind, fn(&mut Server), &'static str);

/// Everything, and all is well: a Service and one that it connects to, a web application that connects there too, a
/// task, an API, and the platform below them.
fn world() -> Server {
    let mut server = Server::default();
    let owned = |component: &str, more: Value| {
        let mut spec = json!({"owner": owner(component), "workloadName": component, "className": "default"});
        json_patch::merge(&mut spec, &more);
        spec
    };
    let connected = json!({"cart": {
        "type": "api", "params": {"componentName": "cart", "endpoint": "api"},
        "inject": {"env": [{"name": "CART", "value": "{{ .url }}"}]},
    }});
    let workload_with = |component: &str, connections: &Value| {
        let mut workload = workload(component);
        workload["connections"] = connections.clone();
        workload
    };
    let class = json!({"deploymentTemplate": {"replicas": 1}});
    let task_class = json!({"cronJobTemplate": {"schedule": "@daily"}});
    let admission = |kind: &str, name: &str| json!({"kind": kind, "namespace": "acme", "name": name, "targetNamespaces": ["*"]});
    for (kind, name, spec) in [
        (Kind::Namespace, "acme", json!({})),
        (Kind::Organization, "acme", json!({})),
        (
            Kind::Plane,
            "eu",
            json!({"admits": [admission("DataPlane", "dp"), admission("BuildPlane", "bp")]}),
        ),
        (
            Kind::DataPlane,
            "dp",
            json!({"registry": {"prefix": ""}, "gateway": {"publicVirtualHost": "", "organizationVirtualHost": ""}}),
        ),
        (Kind::BuildPlane, "bp", json!({})),
        (Kind::Environment, "development", json!({"dataPlaneRef": "dp"})),
        (
            Kind::DeploymentPipeline,
            "default",
            json!({"promotionPaths": [{"sourceEnvironmentRef": "development", "targetEnvironmentRefs": []}]}),
        ),
        (Kind::Project, "shop", json!({"deploymentPipelineRef": "default"})),
        (
            Kind::Component,
            "cart",
            json!({"owner": {"projectName": "shop"}, "type": "Service"}),
        ),
        (Kind::ApiClass, "default", json!({"restPolicy": {"defaults": {}}})),
        (Kind::ServiceClass, "default", class.clone()),
        (Kind::WebApplicationClass, "default", class),
        (Kind::ScheduledTaskClass, "default", task_class),
        (Kind::Workload, "cart", workload("cart")),
        (Kind::Service, "cart", service("cart")),
        (Kind::Workload, "till", workload_with("till", &connected)),
        (Kind::Service, "till", owned("till", json!({}))),
        (Kind::Workload, "web", workload_with("web", &connected)),
        (Kind::WebApplication, "web", owned("web", json!({}))),
        (Kind::Workload, "bill", workload("bill")),
        (Kind::ScheduledTask, "bill", owned("bill", json!({}))),
        (
            Kind::Api,
            "open",
            json!({"owner": owner("cart"), "environmentName": "development", "type": "REST", "className": "default"}),
        ),
        (
            Kind::ApiBinding,
            "open-api",
            json!({"apiName": "open", "apiClassName": "default", "environmentName": "development"}),
        ),
    ] {
        server.put(kind, name, spec);
    }
    let labels = json!({"openchoreo.dev/organization": "acme"});
    server.merge(Kind::Project, "shop", json!({"metadata": {"labels": labels}}));
    server.settle();
    server.writes.clear();
    server
}

fn image(server: &mut Server, workload: &str) {
    let image = json!({"spec": {"containers": {"main": {"image": "registry.example/app:2"}}}});
    server.merge(Kind::Workload, workload, image);
}

fn edit_spec(server: &mut Server, kind: Kind, name: &str, spec: Value) {
    server.merge(kind, name, json!({"spec": spec}));
}

/// Moves a binding to another environment.
fn elsewhere(server: &mut Server, binding: Kind, name: &str) {
    edit_spec(server, binding, name, json!({"environment": "other"}));
}

fn revoke(server: &mut Server) {
    edit_spec(server, Kind::Plane, "eu", json!({"revoked": true}));
}

fn move_cart(server: &mut Server) {
    edit_spec(
        server,
        Kind::Workload,
        "cart",
        json!({"endpoints": {"api": {"port": 9091}}}),
    );
}

fn edit_release(server: &mut Server, name: &str) {
    edit_spec(server, Kind::Release, name, json!({"interval": "5m"}));
}

fn replicas(server: &mut Server, class: Kind) {
    edit_spec(
        server,
        class,
        "default",
        json!({"deploymentTemplate": {"replicas": 2}}),
    );
}

const ROWS: [Row; 31] = [
    (
        Kind::Project,
        Kind::Organization,
        |server| server.delete(Kind::Organization, "acme"),
        "status Project acme/shop",
    ),
    (
        Kind::Service,
        Kind::Workload,
        |server| image(server, "cart"),
        "replace ServiceBinding acme/cart",
    ),
    (
        Kind::Service,
        Kind::ServiceBinding,
        |server| elsewhere(server, Kind::ServiceBinding, "cart"),
        "replace ServiceBinding acme/cart",
    ),
    (
        Kind::WebApplication,
        Kind::Workload,
        |server| image(server, "web"),
        "replace WebApplicationBinding acme/web",
    ),
    (
        Kind::WebApplication,
        Kind::WebApplicationBinding,
        |server| elsewhere(server, Kind::WebApplicationBinding, "web"),
        "replace WebApplicationBinding acme/web",
    ),
    (
        Kind::ScheduledTask,
        Kind::Workload,
        |server| image(server, "bill"),
        "replace ScheduledTaskBinding acme/bill",
    ),
    (
        Kind::ScheduledTask,
        Kind::ScheduledTaskBinding,
        |server| elsewhere(server, Kind::ScheduledTaskBinding, "bill"),
        "replace ScheduledTaskBinding acme/bill",
    ),
    (
        Kind::ServiceBinding,
        Kind::ServiceClass,
        |server| replicas(server, Kind::ServiceClass),
        "replace Release acme/cart",
    ),
    (
        Kind::ServiceBinding,
        Kind::ApiClass,
        |server| {
            let cors = json!({"cors": {"allowOrigins": ["https://shop.example"]}});
            edit_spec(
                server,
                Kind::ApiClass,
                "default",
                json!({"restPolicy": {"defaults": cors}}),
            );
        },
        "replace Release acme/cart",
    ),
    (
        Kind::ServiceBinding,
        Kind::ServiceBinding,
        move_cart,
        "replace Release acme/till",
    ),
    (
        Kind::ServiceBinding,
        Kind::Release,
        |server| edit_release(server, "cart"),
        "replace Release acme/cart",
    ),
    (
        Kind::WebApplicationBinding,
        Kind::WebApplicationClass,
        |server| replicas(server, Kind::WebApplicationClass),
        "replace Release acme/web",
    ),
    (
        Kind::WebApplicationBinding,
        Kind::ServiceBinding,
        move_cart,
        "replace Release acme/web",
    ),
    (
        Kind::WebApplicationBinding,
        Kind::WebApplicationBinding,
        |server| {
            let twin = json!({"owner": owner("web"), "workloadName": "web", "className": "default"});
            server.put(Kind::WebApplication, "twin", twin);
        },
        "status WebApplicationBinding acme/web",
    ),
    (
        Kind::WebApplicationBinding,
        Kind::Release,
        |server| edit_release(server, "web"),
        "replace Release acme/web",
    ),
    (
        Kind::ScheduledTaskBinding,
        Kind::ScheduledTaskClass,
        |server| {
            edit_spec(
                server,
                Kind::ScheduledTaskClass,
                "default",
                json!({"cronJobTemplate": {"schedule": "@hourly"}}),
            );
        },
        "replace Release acme/bill",
    ),
    (
        Kind::ScheduledTaskBinding,
        Kind::Release,
        |server| edit_release(server, "bill"),
        "replace Release acme/bill",
    ),
    (
        Kind::ApiBinding,
        Kind::Api,
        |server| {
            edit_spec(
                server,
                Kind::Api,
                "open",
                json!({"owner": {"componentName": "till"}}),
            )
        },
        "replace Release acme/open-api",
    ),
    (
        Kind::ApiBinding,
        Kind::ApiClass,
        |server| server.delete(Kind::ApiClass, "default"),
        "status APIBinding acme/open-api",
    ),
    (
        Kind::ApiBinding,
        Kind::Release,
        |server| edit_release(server, "open-api"),
        "replace Release acme/open-api",
    ),
    (Kind::DataPlane, Kind::Plane, revoke, "status DataPlane acme/dp"),
    (Kind::BuildPlane, Kind::Plane, revoke, "status BuildPlane acme/bp"),
    (
        Kind::Environment,
        Kind::DataPlane,
        |server| server.delete(Kind::DataPlane, "dp"),
        "status Environment acme/development",
    ),
    (
        Kind::Environment,
        Kind::Plane,
        revoke,
        "status Environment acme/development",
    ),
    (
        Kind::DeploymentPipeline,
        Kind::Environment,
        |server| server.delete(Kind::Environment, "development"),
        "status DeploymentPipeline acme/default",
    ),
    (
        Kind::Project,
        Kind::DeploymentPipeline,
        |server| server.delete(Kind::DeploymentPipeline, "default"),
        "status Project acme/shop",
    ),
    (
        Kind::Component,
        Kind::Project,
        |server| server.delete(Kind::Project, "shop"),
        "status Component acme/cart",
    ),
    (
        Kind::Organization,
        Kind::Namespace,
        |server| server.delete(Kind::Namespace, "acme"),
        "status Organization acme",
    ),
    // A key is decided from itself, too; of most the rows above show it.
    (
        Kind::Service,
        Kind::Service,
        |server| edit_spec(server, Kind::Service, "cart", json!({"apis": null})),
        "replace ServiceBinding acme/cart",
    ),
    (
        Kind::ApiBinding,
        Kind::ApiBinding,
        |server| {
            edit_spec(
                server,
                Kind::ApiBinding,
                "open-api",
                json!({"environmentName": "eu"}),
            )
        },
        "replace Release acme/open-api",
    ),
    (
        Kind::Component,
        Kind::Component,
        |server| edit_spec(server, Kind::Component, "cart", json!({"type": "Robot"})),
        "status Component acme/cart",
    ),
];

#[test]
fn a_change_of_anything_that_a_key_reads_is_answered() {
    for (key, read, change, answer) in ROWS {
        let mut server = world();
        change(&mut server);
        server.settle();
        assert!(
            server.writes.iter().any(|write| write == answer),
            "a change of {read} alone is not noticed for {key}: {:?}",
            server.writes
        );
    }
}

#[test]
fn what_is_said_names_the_generation_that_it_is_about() {
    let server = world();
    for (kind, name) in [
        (Kind::Organization, "acme"),
        (Kind::DataPlane, "dp"),
        (Kind::BuildPlane, "bp"),
        (Kind::Environment, "development"),
        (Kind::DeploymentPipeline, "default"),
        (Kind::Project, "shop"),
        (Kind::Component, "cart"),
        (Kind::ServiceBinding, "cart"),
        (Kind::WebApplicationBinding, "web"),
        (Kind::ScheduledTaskBinding, "bill"),
        (Kind::ApiBinding, "open-api"),
    ] {
        let object = server.get(kind, name);
        let generation = &object["metadata"]["generation"];
        assert_eq!(object["status"]["observedGeneration"], *generation, "{kind}");
        for condition in object["status"]["conditions"].as_array().unwrap() {
            assert_eq!(condition["observedGeneration"], *generation, "{kind}");
        }
    }
}

#[test]
fn every_kind_that_is_read_has_such_a_change() {
    for key in Kind::ALL.into_iter().filter(|kind| kind.is_key()) {
        for read in key.needs() {
            let has_one = |row: &Row| (row.0, row.1) == (key, *read);
            assert!(
                ROWS.iter().any(has_one),
                "no row says what a change of {read} does to {key}"
            );
        }
    }
    for kind in Kind::ALL {
        let is_read = Kind::ALL.into_iter().any(|key| key.needs().contains(&kind));
        assert!(kind.is_key() || is_read, "{kind} is watched, and nobody reads it");
    }
}
