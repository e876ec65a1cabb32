//! What every cluster has from its first moment: namespaces, and the roles that clients count on.

use serde_json::{Value, json};

use super::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

impl Cluster {
    pub(super) fn bootstrap(&mut self, moment: &mut Moment) {
        for name in NAMESPACES {
            let labels = json!({"kubernetes.io/metadata.name": name});
            let namespace = json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            });
            self.plant(&GroupResource::new("", "namespaces"), namespace, moment);
        }
        for (name, rules) in cluster_roles() {
            self.plant_role(
                "clusterroles",
                "ClusterRole",
                name,
                json!({"rules": rules}),
                moment,
            );
        }
        for (name, gathered_by) in GATHERED {
            let mut gatherer = json!({"aggregationRule": {
                "clusterRoleSelectors": [{"matchLabels": {aggregate_to(name): "true"}}],
            }});
            if let Some(other) = gathered_by {
                gatherer["metadata"]["labels"] = json!({aggregate_to(other): "true"});
            }
            self.plant_role("clusterroles", "ClusterRole", name, gatherer, moment);
            let role =
                json!({"metadata": {"labels": {aggregate_to(name): "true"}}, "rules": rules_for(name)});
            let gathered = format!("system:aggregate-to-{name}");
            self.plant_role("clusterroles", "ClusterRole", &gathered, role, moment);
        }
        for (name, role, group) in BINDINGS {
            let body = json!({
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
            });
            self.plant_role("clusterrolebindings", "ClusterRoleBinding", name, body, moment);
        }
        while self.settle(moment) {}
    }

    fn plant_role(&mut self, resource: &str, kind: &str, name: &str, mut body: Value, moment: &mut Moment) {
        body["apiVersion"] = format!("{RBAC}/v1").into();
        body["kind"] = kind.into();
        meta::set(&mut body, "name", name);
        body["metadata"]["labels"]["kubernetes.io/bootstrapping"] = "rbac-defaults".into();
        self.plant(&GroupResource::new(RBAC, resource), body, moment);
    }

    /// Stores an object as it is, with a uid and a time: what the API itself would not accept, such as a status at
    /// creation, for what a cluster has from the start.
    pub fn plant(&mut self, resource: &GroupResource, mut object: Value, moment: &mut Moment) {
        meta::set(&mut object, "uid", moment.uid());
        meta::set(&mut object, "creationTimestamp", moment.timestamp());
        let stored = self.store.put(resource, object);
        if let Some(kind) = self.registry.get(resource).cloned() {
            self.after_save(&kind, stored.value());
        }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

const BINDINGS: [(&str, &str, &str); 4] = [
    ("cluster-admin", "cluster-admin", "system:masters"),
    ("system:basic-user", "system:basic-user", "system:authenticated"),
    ("system:discovery", "system:discovery", "system:authenticated"),
    (
        "system:public-info-viewer",
        "system:public-info-viewer",
        "system:unauthenticated",
    ),
];

const PUBLIC_PATHS: [&str; 6] = [
    "/healthz",
    "/livez",
    "/readyz",
    "/version",
    "/version/",
    "/readyz/*",
];
const DISCOVERY_PATHS: [&str; 11] = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
];

/// Roles for people, and who gathers them in turn. Whoever adds a kind labels a role of his own for one of them.
const GATHERED: [(&str, Option<&str>); 3] =
    [("admin", None), ("edit", Some("admin")), ("view", Some("edit"))];

fn aggregate_to(role: &str) -> String {
    format!("{RBAC}/aggregate-to-{role}")
}

/// What a role for people allows of itself.
fn rules_for(role: &str) -> Value {
    let namespaced = |verbs: &[&str], resources: &[&str]| {
        json!([{
            "apiGroups": ["", "apps", "autoscaling", "batch", "discovery.k8s.io", "networking.k8s.io", "policy"],
            "resources": resources, "verbs": verbs,
        }])
    };
    let read = ["get", "list", "watch"];
    let write = [
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    ];
    let viewable = [
        "configmaps",
        "controllerrevisions",
        "cronjobs",
        "daemonsets",
        "deployments",
        "deployments/scale",
        "deployments/status",
        "endpoints",
        "endpointslices",
        "events",
        "horizontalpodautoscalers",
        "ingresses",
        "jobs",
        "limitranges",
        "namespaces",
        "networkpolicies",
        "persistentvolumeclaims",
        "poddisruptionbudgets",
        "pods",
        "pods/log",
        "pods/status",
        "replicasets",
        "replicasets/scale",
        "replicationcontrollers",
        "resourcequotas",
        "serviceaccounts",
        "services",
        "statefulsets",
        "statefulsets/scale",
    ];
    let mut editable = viewable.to_vec();
    editable.push("secrets");
    match role {
        "admin" => namespaced(&write, &["*"]),
        "edit" => namespaced(&write, &editable),
        _ => namespaced(&read, &viewable),
    }
}

fn cluster_roles() -> Vec<(&'static str, Value)> {
    vec![
        (
            "cluster-admin",
            json!([
                {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
                {"nonResourceURLs": ["*"], "verbs": ["*"]},
            ]),
        ),
        (
            "system:basic-user",
            json!([
                {"apiGroups": ["authorization.k8s.io"], "verbs": ["create"],
                 "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
                {"apiGroups": ["authentication.k8s.io"], "verbs": ["create"], "resources": ["selfsubjectreviews"]},
            ]),
        ),
        (
            "system:discovery",
            json!([{"nonResourceURLs": DISCOVERY_PATHS, "verbs": ["get"]}]),
        ),
        (
            "system:public-info-viewer",
            json!([{"nonResourceURLs": PUBLIC_PATHS, "verbs": ["get"]}]),
        ),
    ]
}
