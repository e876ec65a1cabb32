//! What every cluster has from its first moment: namespaces, and the roles that clients count on.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Cluster;
use crate::access::{AUTHENTICATED, MASTERS, UNAUTHENTICATED};
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// A cluster that has its roles and nothing else. All clusters share them: there may be a thousand in a process, and the
/// rules weigh more than all else that is in a new one. So they are of the same age everywhere.
static WITH_ROLES: LazyLock<Cluster> = LazyLock::new(|| {
    let mut cluster = Cluster::empty();
    // Nobody else's uids follow from this.
    let seed = u128::from_be_bytes(*b"roles everywhere");
    cluster.plant_roles(&mut Moment::new(Timestamp::UNIX_EPOCH, seed));
    for resource in ["clusterroles", "clusterrolebindings"] {
        cluster.forget_history(&GroupResource::new(RBAC, resource));
    }
    cluster
});

pub(super) fn with_roles() -> Cluster {
    WITH_ROLES.clone()
}

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
        while self.settle(moment) {}
    }

    fn plant_roles(&mut self, moment: &mut Moment) {
        for (name, rules) in rules() {
            let mut role = json!({"rules": rules});
            if let Some(gatherer) = name.strip_prefix("system:aggregate-to-") {
                role["metadata"]["labels"] = json!({aggregate_to(gatherer): "true"});
            }
            self.plant_role("clusterroles", "ClusterRole", &name, role, moment);
        }
        for (name, gathered_by) in GATHERERS {
            let mut gatherer = json!({"aggregationRule": {
                "clusterRoleSelectors": [{"matchLabels": {aggregate_to(name): "true"}}],
            }});
            if let Some(other) = gathered_by {
                gatherer["metadata"]["labels"] = json!({aggregate_to(other): "true"});
            }
            self.plant_role("clusterroles", "ClusterRole", name, gatherer, moment);
        }
        for (name, groups) in BINDINGS {
            let subject = |group: &&str| json!({"apiGroup": RBAC, "kind": "Group", "name": group});
            let body = json!({
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
                "subjects": groups.iter().map(subject).collect::<Vec<_>>(),
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
        body["metadata"]["annotations"] = json!({"rbac.authorization.kubernetes.io/autoupdate": "true"});
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

/// The rules of the roles that clients and people count on, of those that a real cluster has: the lists of Kubernetes'
/// own `bootstrappolicy/testdata/cluster-roles.yaml`, one rule a line.
const ROLES: &str = include_str!("../../schemas/roles-1.37.json");

/// Roles, and the groups that have them.
const BINDINGS: [(&str, &[&str]); 5] = [
    ("cluster-admin", &[MASTERS]),
    ("system:basic-user", &[AUTHENTICATED]),
    ("system:discovery", &[AUTHENTICATED]),
    ("system:public-info-viewer", &[AUTHENTICATED, UNAUTHENTICATED]),
    (
        "system:service-account-issuer-discovery",
        &["system:serviceaccounts"],
    ),
];

/// Roles for people, and who gathers them in turn. Whoever adds a kind labels a role of his own for one of them.
const GATHERERS: [(&str, Option<&str>); 3] =
    [("admin", None), ("edit", Some("admin")), ("view", Some("edit"))];

fn aggregate_to(role: &str) -> String {
    format!("{RBAC}/aggregate-to-{role}")
}

fn rules() -> serde_json::Map<String, Value> {
    serde_json::from_str(ROLES).expect("rules that are checked in")
}
