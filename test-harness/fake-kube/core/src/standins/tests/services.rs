//! Services and their endpoints.

use super::*;

const SERVICES: &str = "/api/v1/namespaces/default/services";

fn world() -> World {
    let mut world = World::new();
    let spec = json!({"replicas": 2});
    let mut web = workload("Deployment", "web", None, spec);
    web["spec"]["template"]["spec"]["containers"][0]["ports"] =
        json!([{"name": "http", "containerPort": 8080}]);
    world.post("/apis/apps/v1/namespaces/default/deployments", &web);
    let ports = json!([{"port": 80, "targetPort": "http"}]);
    world.post(
        SERVICES,
        &json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}}),
    );
    world.settle();
    world
}

fn slice(world: &World) -> &Value {
    let slices = GroupResource::new("discovery.k8s.io", "endpointslices");
    world.cluster.objects(&slices, Some("default")).next().unwrap()
}

#[test]
fn ready_pods_are_endpoints_at_the_port_they_name() {
    let world = world();
    let slice = slice(&world);
    assert_eq!(
        slice["ports"],
        json!([{"name": "", "port": 8080, "protocol": "TCP"}])
    );
    let endpoints = slice["endpoints"].as_array().unwrap();
    assert_eq!(endpoints.len(), 2);
    assert!(
        endpoints
            .iter()
            .all(|endpoint| endpoint["conditions"]["ready"] == true)
    );
    let subsets = &world.get("", "endpoints", "web")["subsets"];
    assert_eq!(subsets[0]["addresses"].as_array().unwrap().len(), 2);
}

#[test]
fn endpoints_follow_scale_and_go_with_the_service() {
    let mut world = world();
    world.merge(
        "/apis/apps/v1/namespaces/default/deployments/web",
        &json!({"spec": {"replicas": 0}}),
    );
    world.settle();
    assert_eq!(slice(&world)["endpoints"], Value::Null);
    assert_eq!(world.get("", "endpoints", "web").get("subsets"), None);
    world.send("DELETE", &format!("{SERVICES}/web"), "", &Value::Null);
    world.settle();
    assert_eq!(world.count("discovery.k8s.io", "endpointslices"), 0);
    assert_eq!(world.count("", "endpoints"), 0);
}

#[test]
fn a_service_without_selector_is_left_to_others() {
    let mut world = World::new();
    world.post(
        SERVICES,
        &json!({"metadata": {"name": "own"}, "spec": {"ports": [{"port": 80}]}}),
    );
    world.settle();
    assert_eq!(world.count("discovery.k8s.io", "endpointslices"), 0);
}
