//! The web shop that goes through the demo: eleven services, as Releases for two environments.
//!
//! What each Release holds is what OpenChoreo's controllers make of such a component: a Deployment, a Service, a
//! ConfigMap, a NetworkPolicy, and an HTTPRoute where the public may come in.

use serde_json::{Value, json};

/// One service of the shop.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its component name.
    pub name: &'static str,
    /// The port that it listens on.
    pub port: u16,
    /// The services that it calls, which may connect to it in turn only if they list it.
    pub calls: &'static [&'static str],
    /// Whether it has a public route.
    pub public: bool,
}

/// An environment that the shop is released to.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// Its name, which is also the plane that serves it.
    pub name: &'static str,
    /// Replicas of every service there.
    pub replicas: u32,
}

/// The shop, from storefront to cache.
pub const SERVICES: [Service; 11] = [
    Service {
        name: "storefront",
        port: 8080,
        calls: &[
            "catalog",
            "cart",
            "currency",
            "recommendation",
            "shipping",
            "checkout",
            "ads",
        ],
        public: true,
    },
    Service {
        name: "catalog",
        port: 3550,
        calls: &[],
        public: false,
    },
    Service {
        name: "cart",
        port: 7070,
        calls: &["cache"],
        public: false,
    },
    Service {
        name: "checkout",
        port: 5050,
        calls: &["catalog", "cart", "currency", "shipping", "payment", "email"],
        public: false,
    },
    Service {
        name: "currency",
        port: 7000,
        calls: &[],
        public: false,
    },
    Service {
        name: "payment",
        port: 50051,
        calls: &[],
        public: false,
    },
    Service {
        name: "shipping",
        port: 50052,
        calls: &[],
        public: false,
    },
    Service {
        name: "email",
        port: 5000,
        calls: &[],
        public: false,
    },
    Service {
        name: "recommendation",
        port: 8081,
        calls: &["catalog"],
        public: false,
    },
    Service {
        name: "ads",
        port: 9555,
        calls: &[],
        public: false,
    },
    Service {
        name: "cache",
        port: 6379,
        calls: &[],
        public: false,
    },
];

/// From development to production, one plane each.
pub const ENVIRONMENTS: [Environment; 2] = [
    Environment {
        name: "development",
        replicas: 1,
    },
    Environment {
        name: "production",
        replicas: 2,
    },
];

/// The namespace that an environment's objects live in, in its plane.
pub fn namespace(environment: &Environment) -> String {
    format!("shop-{}", environment.name)
}

/// The name of a service's Release in an environment.
pub fn release_name(service: &Service, environment: &Environment) -> String {
    format!("{}-{}", service.name, environment.name)
}

/// How many objects the shop has in an environment.
pub fn objects(environment: &Environment) -> usize {
    SERVICES
        .iter()
        .map(|service| listed(service, environment, "").len())
        .sum()
}

/// The Release of `service` at `version` in `environment`.
pub fn release(service: &Service, environment: &Environment, version: &str) -> Value {
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "Release",
        "metadata": { "name": release_name(service, environment), "namespace": "default" },
        "spec": {
            "owner": { "projectName": "shop", "componentName": service.name },
            "environmentName": environment.name,
            "resources": listed(service, environment, version),
        },
    })
}

fn listed(service: &Service, environment: &Environment, version: &str) -> Vec<Value> {
    let mut resources = vec![
        json!({ "id": "config", "object": config_map(service, environment) }),
        json!({ "id": "deployment", "object": deployment(service, environment, version) }),
        json!({ "id": "service", "object": kubernetes_service(service, environment) }),
        json!({ "id": "network-policy", "object": network_policy(service, environment) }),
    ];
    if service.public {
        resources.push(json!({ "id": "route", "object": http_route(service, environment) }));
    }
    resources
}

fn metadata(service: &Service, environment: &Environment) -> Value {
    json!({ "name": service.name, "namespace": namespace(environment), "labels": labels(service) })
}

fn labels(service: &Service) -> Value {
    json!({ "component-name": service.name, "project-name": "shop" })
}

fn config_map(service: &Service, environment: &Environment) -> Value {
    let address = |callee: &&Service| {
        let key = format!("{}_ADDRESS", callee.name.to_uppercase());
        (key, Value::from(format!("{}:{}", callee.name, callee.port)))
    };
    let callees = SERVICES
        .iter()
        .filter(|callee| service.calls.contains(&callee.name));
    let data: serde_json::Map<_, _> = callees.map(|callee| address(&callee)).collect();
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(service, environment),
        "data": data,
    })
}

fn deployment(service: &Service, environment: &Environment, version: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(service, environment),
        "spec": {
            "replicas": environment.replicas,
            "selector": { "matchLabels": { "component-name": service.name } },
            "template": {
                "metadata": { "labels": labels(service) },
                "spec": { "containers": [{
                    "name": "main",
                    "image": format!("registry.shop.example/{}:{version}", service.name),
                    "ports": [{ "containerPort": service.port }],
                    "envFrom": [{ "configMapRef": { "name": service.name } }],
                    "resources": { "requests": { "cpu": "50m", "memory": "64Mi" } },
                }]},
            },
        },
    })
}

fn kubernetes_service(service: &Service, environment: &Environment) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service, environment),
        "spec": {
            "selector": { "component-name": service.name },
            "ports": [{ "name": "main", "port": service.port, "targetPort": service.port }],
        },
    })
}

fn network_policy(service: &Service, environment: &Environment) -> Value {
    let callers = SERVICES
        .iter()
        .filter(|caller| caller.calls.contains(&service.name));
    let from: Vec<_> = callers
        .map(|caller| json!({ "podSelector": { "matchLabels": { "component-name": caller.name } } }))
        .collect();
    let ingress = match (service.public, from.is_empty()) {
        (true, _) => json!([{}]),
        (false, true) => json!([]),
        (false, false) => json!([{ "from": from }]),
    };
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(service, environment),
        "spec": {
            "podSelector": { "matchLabels": { "component-name": service.name } },
            "policyTypes": ["Ingress"],
            "ingress": ingress,
        },
    })
}

fn http_route(service: &Service, environment: &Environment) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata(service, environment),
        "spec": {
            "hostnames": [format!("{}.shop.example", environment.name)],
            "parentRefs": [{ "name": "gateway-external", "namespace": "openchoreo-data-plane" }],
            "rules": [{
                "matches": [{ "path": { "type": "PathPrefix", "value": "/" } }],
                "backendRefs": [{ "name": service.name, "port": service.port }],
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_goes_to_a_service_of_the_shop() {
        let known = |name: &&str| SERVICES.iter().any(|service| service.name == *name);
        assert!(SERVICES.iter().flat_map(|service| service.calls).all(known));
    }

    #[test]
    fn only_callers_may_connect() {
        let cache = SERVICES.iter().find(|service| service.name == "cache").unwrap();
        let policy = network_policy(cache, &ENVIRONMENTS[0]);
        let from = policy
            .pointer("/spec/ingress/0/from")
            .and_then(Value::as_array)
            .unwrap();
        assert_eq!(from.len(), 1);
        let label = from[0]
            .pointer("/podSelector/matchLabels/component-name")
            .unwrap();
        assert_eq!(label, "cart");
    }
}
