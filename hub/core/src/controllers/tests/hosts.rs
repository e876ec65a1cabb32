//! Where the operator wants it so, hosts are those that Environments and DataPlanes say.

use serde_json::{Value, json};

use super::*;

fn says(public: &str) -> Value {
    json!({
        "registry": {"prefix": ""},
        "gateway": {"publicVirtualHost": public, "organizationVirtualHost": "apps.internal"},
    })
}

/// A service in an environment of which the DataPlane says this.
fn shop_at(public: &str) -> Server {
    let mut server = shop();
    server.settings.plane_hosts = true;
    server.put(Kind::Environment, "development", json!({"dataPlaneRef": "eu"}));
    server.put(Kind::DataPlane, "eu", says(public));
    server.restart();
    server.settle();
    server
}

/// The host of the route, and that of the status.
fn hosts(server: &Server) -> [String; 2] {
    let resources = server.get(Kind::Release, "cart")["spec"]["resources"].as_array();
    let mut routes = resources.unwrap().iter().map(|resource| &resource["object"]);
    let route = routes.find(|object| object["kind"] == "HTTPRoute").unwrap();
    let binding = server.get(Kind::ServiceBinding, "cart");
    let hosts = [
        route.pointer("/spec/hostnames/0"),
        binding.pointer("/status/endpoints/0/public/host"),
    ];
    hosts.map(|host| host.unwrap().as_str().unwrap().to_owned())
}

fn both(host: &str) -> [String; 2] {
    [host, host].map(str::to_owned)
}

#[test]
fn hosts_follow_environment_and_data_plane() {
    let mut server = shop_at("apps.example.com");
    assert_eq!(hosts(&server), both("development.apps.example.com"));
    for kind in [Kind::DataPlane, Kind::Environment] {
        let name = if kind == Kind::DataPlane {
            "eu"
        } else {
            "development"
        };
        let conditions = server.get(kind, name)["status"]["conditions"].as_array().unwrap();
        assert!(
            conditions.iter().all(|one| one["type"] != "Warnings"),
            "{conditions:?}"
        );
    }
    server.writes.clear();
    server.restart_in_order(Kind::ALL.iter().rev().copied());
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);

    server.put(Kind::DataPlane, "eu", says("apps.example.org"));
    server.settle();
    assert_eq!(hosts(&server), both("development.apps.example.org"));
    let environment = json!({"dataPlaneRef": "eu", "gateway": {"dnsPrefix": "dev"}});
    server.put(Kind::Environment, "development", environment);
    server.settle();
    assert_eq!(hosts(&server), both("dev.apps.example.org"));
    server.put(Kind::DataPlane, "us", says("apps.example.net"));
    server.put(Kind::Environment, "development", json!({"dataPlaneRef": "us"}));
    server.settle();
    assert_eq!(hosts(&server), both("development.apps.example.net"));
}

#[test]
fn without_the_setting_hosts_stay_what_they_are_in_openchoreo() {
    let mut server = shop_at("apps.example.com");
    server.settings.plane_hosts = false;
    server.restart();
    server.settle();
    assert_eq!(hosts(&server), both("development.choreoapis.localhost"));
}

#[test]
fn what_makes_no_host_changes_nothing_and_is_told() {
    let release = |server: &Server| server.get(Kind::Release, "cart")["metadata"]["generation"].clone();
    let environment = |plane: &str| json!({"dataPlaneRef": plane});
    for (kind, name, spec, expected) in [
        (
            Kind::DataPlane,
            "eu",
            says("Apps:8443"),
            "DataPlane \"eu\": spec.gateway.publicVirtualHost \"Apps:8443\" is no domain: use lower-case letters, digits, \
             '-' and '.', and no port",
        ),
        (
            Kind::DataPlane,
            "eu",
            json!({"gateway": 7}),
            "DataPlane \"eu\" cannot be read: DataPlane acme/eu cannot be read; correct it with kubectl edit: \
             spec.gateway: invalid type: integer `7`, expected struct VirtualHosts",
        ),
        (
            Kind::Environment,
            "development",
            json!({"dataPlaneRef": "eu", "gateway": {"dnsPrefix": "-"}}),
            "Environment \"development\": spec.gateway.dnsPrefix \"-\" is no domain: use lower-case letters, digits, '-' \
             and '.', and no port",
        ),
        (
            Kind::Environment,
            "development",
            environment("none"),
            "DataPlane \"none\" does not exist in namespace \"acme\", and says what hosts end in: create it, or correct \
             spec.dataPlaneRef of Environment \"development\"",
        ),
    ] {
        let mut server = shop_at("apps.example.com");
        let before = release(&server);
        server.put(kind, name, spec);
        server.settle();
        assert_eq!(cart(&server), format!("False InvalidConfiguration: {expected}"));
        assert_eq!(release(&server), before);
        assert!(
            server
                .events
                .contains(&format!("InvalidConfiguration: {expected}"))
        );
    }
    let mut server = shop_at("apps.example.com");
    server.delete(Kind::Environment, "development");
    server.settle();
    assert_eq!(
        cart(&server),
        "False InvalidConfiguration: Environment \"development\" does not exist in namespace \"acme\", and says what hosts \
         end in: create it, or correct spec.environment"
    );
    assert_eq!(hosts(&server), both("development.apps.example.com"));
}
