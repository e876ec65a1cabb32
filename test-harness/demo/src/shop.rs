//! The web shop that goes through the demo: eleven components, written as platform and application teams write them.
//!
//! The hub makes a Deployment and a Service of each, and an HTTPRoute of the one that the public sees.

use serde_json::{Map, Value, json};

/// One component of the shop.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    /// Its name.
    pub name: &'static str,
    /// The port that it listens on.
    pub port: u16,
    /// The components that it calls, and is told the addresses of.
    pub calls: &'static [&'static str],
    /// Whether it is a web application, which everybody can see, or a service.
    pub public: bool,
}

/// An environment that the shop goes to.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// Its name, which is also the plane that serves it.
    pub name: &'static str,
}

/// Something that somebody writes to the control plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its kind, in `openchoreo.dev/v1alpha1`.
    pub kind: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its spec.
    pub spec: Value,
}

/// The name of the shop, its pipeline and its classes.
const PROJECT: &str = "shop";

/// The endpoint of every component.
const ENDPOINT: &str = "main";

/// The shop, from storefront to cache.
pub const COMPONENTS: [Component; 11] = [
    Component {
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
    Component {
        name: "catalog",
        port: 3550,
        calls: &[],
        public: false,
    },
    Component {
        name: "cart",
        port: 7070,
        calls: &["cache"],
        public: false,
    },
    Component {
        name: "checkout",
        port: 5050,
        calls: &["catalog", "cart", "currency", "shipping", "payment", "email"],
        public: false,
    },
    Component {
        name: "currency",
        port: 7000,
        calls: &[],
        public: false,
    },
    Component {
        name: "payment",
        port: 50051,
        calls: &[],
        public: false,
    },
    Component {
        name: "shipping",
        port: 50052,
        calls: &[],
        public: false,
    },
    Component {
        name: "email",
        port: 5000,
        calls: &[],
        public: false,
    },
    Component {
        name: "recommendation",
        port: 8081,
        calls: &["catalog"],
        public: false,
    },
    Component {
        name: "ads",
        port: 9555,
        calls: &[],
        public: false,
    },
    Component {
        name: "cache",
        port: 6379,
        calls: &[],
        public: false,
    },
];

/// From development to production, one plane each.
pub const ENVIRONMENTS: [Environment; 2] = [
    Environment { name: "development" },
    Environment { name: "production" },
];

/// What the platform team writes: how things run here, and which way they go.
pub fn platform() -> [Manifest; 4] {
    let [development, production] = ENVIRONMENTS.map(|environment| environment.name);
    let requests = json!({ "requests": { "cpu": "50m", "memory": "64Mi" } });
    let class = json!({ "deploymentTemplate": { "template": { "spec": {
        "containers": [{ "name": "main", "resources": requests }],
    } } } });
    let path = json!({
        "sourceEnvironmentRef": development,
        "targetEnvironmentRefs": [{ "name": production }],
    });
    [
        ("ServiceClass", "default", class.clone()),
        ("WebApplicationClass", "default", class),
        ("DeploymentPipeline", PROJECT, json!({ "promotionPaths": [path] })),
        ("Project", PROJECT, json!({ "deploymentPipelineRef": PROJECT })),
    ]
    .map(|(kind, name, spec)| Manifest { kind, name, spec })
}

impl Component {
    /// What its team writes for `version`: what it is, what runs, and how.
    pub fn manifests(&self, version: &str) -> [Manifest; 3] {
        let kind = if self.public { "WebApplication" } else { "Service" };
        let owner = json!({ "projectName": PROJECT, "componentName": self.name });
        let component = json!({ "owner": { "projectName": PROJECT }, "type": kind });
        let served = json!({ "owner": owner, "workloadName": self.name, "className": "default" });
        [
            ("Component", component),
            ("Workload", self.workload(owner, version)),
            (kind, served),
        ]
        .map(|(kind, spec)| Manifest {
            kind,
            name: self.name,
            spec,
        })
    }

    fn workload(&self, owner: Value, version: &str) -> Value {
        let r#type = if self.public { "HTTP" } else { "gRPC" };
        let connections = self.calls.iter().map(|callee| {
            let env = json!({ "name": variable(callee), "value": "{{ .host }}:{{ .port }}" });
            let connection = json!({
                "type": "api",
                "params": { "componentName": callee, "endpoint": ENDPOINT },
                "inject": { "env": [env] },
            });
            ((*callee).to_owned(), connection)
        });
        json!({
            "owner": owner,
            "containers": { "main": { "image": format!("registry.shop.example/{}:{version}", self.name) } },
            "endpoints": { ENDPOINT: { "type": r#type, "port": self.port } },
            "connections": connections.collect::<Map<_, _>>(),
        })
    }

    /// The kind of what the hub makes of it for an environment.
    pub fn binding_kind(&self) -> &'static str {
        if self.public {
            "WebApplicationBinding"
        } else {
            "ServiceBinding"
        }
    }

    /// The name of its binding in an environment, and of the Release that comes of it.
    pub fn binding_name(&self, environment: &Environment) -> String {
        let [first, ..] = &ENVIRONMENTS;
        match environment.name == first.name {
            true => self.name.to_owned(),
            false => format!("{}-{}", self.name, environment.name),
        }
    }

    /// How many objects it has in a plane.
    pub fn objects(&self) -> usize {
        2 + usize::from(self.public)
    }
}

/// The variable that holds the address of a component.
pub(crate) fn variable(callee: &str) -> String {
    format!("{}_ADDRESS", callee.to_uppercase())
}

/// How many objects the shop has in an environment.
pub fn objects() -> usize {
    COMPONENTS.iter().map(Component::objects).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_goes_to_a_service_of_the_shop() {
        let known = |name: &&str| {
            COMPONENTS
                .iter()
                .any(|component| component.name == *name && !component.public)
        };
        assert!(COMPONENTS.iter().flat_map(|component| component.calls).all(known));
    }

    #[test]
    fn bindings_are_named_as_promotion_names_them() {
        let [development, production] = &ENVIRONMENTS;
        let [first, ..] = COMPONENTS;
        assert_eq!(first.binding_name(development), "storefront");
        assert_eq!(first.binding_name(production), "storefront-production");
    }
}
