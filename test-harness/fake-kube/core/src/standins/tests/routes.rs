//! The Gateway API, where it is served.

use super::*;

const DEFINITION: &str = r#"{
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "httproutes.gateway.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://example.com"}
    },
    "spec": {
        "group": "gateway.networking.k8s.io", "scope": "Namespaced",
        "names": {"kind": "HTTPRoute", "plural": "httproutes"},
        "versions": [{
            "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
        }]
    }
}"#;

#[test]
fn a_route_is_accepted_and_resolved_once_its_service_is_there() {
    let mut world = World::new();
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    world.post(definitions, &serde_json::from_str(DEFINITION).unwrap());
    world.settle();
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"},
        "spec": {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
    });
    world.post(
        "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes",
        &route,
    );
    world.settle();
    let conditions = |world: &World| {
        let parent = &world.status(gateway::GROUP, "httproutes", "web")["parents"][0];
        assert_eq!(parent["parentRef"], json!({"name": "front"}));
        let all = parent["conditions"].as_array().unwrap().clone();
        all.iter()
            .map(|c| format!("{}={}", c["type"], c["status"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        conditions(&world),
        [r#""Accepted"="True""#, r#""ResolvedRefs"="False""#]
    );
    world.post(
        "/api/v1/namespaces/default/services",
        &json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}),
    );
    world.settle();
    assert_eq!(
        conditions(&world),
        [r#""Accepted"="True""#, r#""ResolvedRefs"="True""#]
    );
}
