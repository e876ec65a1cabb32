//! The built-in kinds as a table: what OpenAPI does not say about them.

use std::sync::Arc;

use crate::kind::{GroupResource, Kind, Scale, Scope, Traits, Version};
use crate::meta;
use crate::schema::Builtins;
use crate::table;

/// Builds all rows.
pub(super) fn kinds() -> impl Iterator<Item = Kind> {
    ROWS.iter().map(Row::build)
}

#[derive(Clone, Copy)]
struct Row {
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    categories: &'static [&'static str],
    namespaced: bool,
    status: Option<&'static str>,
    scale: Option<&'static str>,
    generation: bool,
    must_name_version: bool,
    free_names: bool,
    label_names: bool,
    review: bool,
}

/// A cluster-scoped kind without status.
const fn cluster(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    kind: &'static str,
) -> Row {
    Row {
        group,
        version,
        resource,
        kind,
        short: &[],
        categories: &[],
        namespaced: false,
        status: None,
        scale: None,
        generation: false,
        must_name_version: false,
        free_names: false,
        label_names: false,
        review: false,
    }
}

/// A namespaced kind without status.
const fn namespaced(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    kind: &'static str,
) -> Row {
    Row {
        namespaced: true,
        ..cluster(group, version, resource, kind)
    }
}

impl Row {
    const fn short(self, short: &'static [&'static str]) -> Self {
        Self { short, ..self }
    }

    /// `kubectl get all` shows it.
    const fn in_all(self) -> Self {
        Self {
            categories: &["all"],
            ..self
        }
    }

    /// It has a status subresource; new objects have the status `initial`.
    const fn status(self, initial: &'static str) -> Self {
        Self {
            status: Some(initial),
            ..self
        }
    }

    /// It has a scale subresource; its selector is `selector`.
    const fn scale(self, selector: &'static str) -> Self {
        Self {
            scale: Some(selector),
            ..self
        }
    }

    const fn generation(self) -> Self {
        Self {
            generation: true,
            ..self
        }
    }

    /// Updates must carry a resourceVersion.
    const fn must_name_version(self) -> Self {
        Self {
            must_name_version: true,
            ..self
        }
    }

    const fn free_names(self) -> Self {
        Self {
            free_names: true,
            ..self
        }
    }

    const fn label_names(self) -> Self {
        Self {
            label_names: true,
            ..self
        }
    }

    const fn review(self) -> Self {
        Self { review: true, ..self }
    }

    fn build(&self) -> Kind {
        let id = GroupResource::new(self.group, self.resource);
        let shares_events = self.group == "events.k8s.io";
        let shelf = if shares_events {
            GroupResource::new("", "events")
        } else {
            id.clone()
        };
        let stored_as = if shares_events {
            "v1".to_owned()
        } else {
            meta::join_api_version(self.group, self.version)
        };
        Kind {
            shelf,
            stored_as: stored_as.into(),
            name: self.kind.into(),
            list_name: format!("{}List", self.kind).into(),
            singular: self.kind.to_lowercase().into(),
            short_names: self.short.iter().map(|&s| s.into()).collect(),
            categories: self.categories.iter().map(|&s| s.into()).collect(),
            scope: if self.namespaced {
                Scope::Namespaced
            } else {
                Scope::Cluster
            },
            versions: vec![self.build_version(shares_events)],
            traits: self.traits(),
            custom: None,
            id,
        }
    }

    fn build_version(&self, shares_events: bool) -> Version {
        let schema = Builtins::load()
            .schema(self.group, self.version, self.kind)
            .cloned();
        Version {
            name: self.version.into(),
            served: true,
            schema: schema.expect("a schema for each row of the table"),
            status: self.status.is_some(),
            scale: self.scale.map(scale),
            columns: table::builtin_columns(self.group, self.kind),
            selectable: selectable(self.group, self.kind),
            renames: if shares_events { EVENT_RENAMES } else { &[] },
            deprecated: None,
        }
    }

    fn traits(&self) -> Traits {
        let status = self
            .status
            .map(|text| serde_json::from_str(text).expect("rows hold JSON"));
        Traits {
            generation: self.generation,
            unconditional_update: !self.must_name_version,
            creates_on_update: CREATED_BY_UPDATE.contains(&(self.group, self.kind)),
            shows_deleted: SHOWN_WHEN_DELETED.contains(&(self.group, self.kind)),
            metadata_by_status: !STATUS_ALONE.contains(&(self.group, self.kind)),
            initial_status: status,
            free_names: self.free_names,
            label_names: self.label_names,
            virtual_kind: self.review,
        }
    }
}

/// Kinds whose status is all that can be written through their status.
const STATUS_ALONE: &[(&str, &str)] = &[
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// Kinds whose update creates what is not there.
const CREATED_BY_UPDATE: &[(&str, &str)] = &[
    ("", "Endpoints"),
    ("", "Event"),
    ("", "LimitRange"),
    ("", "Service"),
    (RBAC, "ClusterRole"),
    (RBAC, "ClusterRoleBinding"),
    (RBAC, "Role"),
    (RBAC, "RoleBinding"),
    ("coordination.k8s.io", "Lease"),
    ("events.k8s.io", "Event"),
    ("node.k8s.io", "RuntimeClass"),
];

/// Kinds whose deletion answers with the object, and not with a success.
const SHOWN_WHEN_DELETED: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("", "Pod"),
    ("", "PodTemplate"),
    ("", "ResourceQuota"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "StorageClass"),
];

fn selectable(group: &str, kind: &str) -> Vec<Arc<str>> {
    let row = SELECTABLE.iter().find(|(g, k, _)| *g == group && *k == kind);
    row.map(|(.., fields)| fields.iter().map(|&field| field.into()).collect())
        .unwrap_or_default()
}

/// Fields that selectors of built-in kinds may ask about.
#[rustfmt::skip]
const SELECTABLE: &[(&str, &str, &[&str])] = &[
    ("", "Event", &[
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ]),
    ("", "Namespace", &["status.phase"]),
    ("", "Node", &["spec.unschedulable"]),
    ("", "Pod", &[
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName",
    ]),
    ("", "ReplicationController", &["status.replicas"]),
    ("", "Secret", &["type"]),
    ("", "Service", &["spec.clusterIP", "spec.type"]),
    ("batch", "Job", &["status.successful"]),
    ("certificates.k8s.io", "CertificateSigningRequest", &["spec.signerName"]),
    ("events.k8s.io", "Event", &[
        "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion",
        "regarding.resourceVersion", "regarding.fieldPath", "reason", "reportingController", "type",
    ]),
];

fn scale(selector: &str) -> Scale {
    let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    Scale {
        spec_replicas: path("spec.replicas"),
        status_replicas: path("status.replicas"),
        selector: Some(path(selector)),
    }
}

/// Field names of core/v1 Event, as stored, and of events.k8s.io/v1 Event.
const EVENT_RENAMES: &[(&str, &str)] = &[
    ("message", "note"),
    ("involvedObject", "regarding"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

const RBAC: &str = "rbac.authorization.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    namespaced("", "v1", "configmaps", "ConfigMap").short(&["cm"]),
    namespaced("", "v1", "endpoints", "Endpoints").short(&["ep"]),
    namespaced("", "v1", "events", "Event").short(&["ev"]),
    namespaced("", "v1", "limitranges", "LimitRange").short(&["limits"]),
    cluster("", "v1", "namespaces", "Namespace").short(&["ns"]).status(r#"{"phase":"Active"}"#).label_names(),
    cluster("", "v1", "nodes", "Node").short(&["no"]).status("{}"),
    namespaced("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim").short(&["pvc"]).status(r#"{"phase":"Pending"}"#),
    cluster("", "v1", "persistentvolumes", "PersistentVolume").short(&["pv"]).status(r#"{"phase":"Pending"}"#),
    namespaced("", "v1", "pods", "Pod").short(&["po"]).in_all().status(r#"{"phase":"Pending","qosClass":"BestEffort"}"#).generation(),
    namespaced("", "v1", "podtemplates", "PodTemplate"),
    namespaced("", "v1", "replicationcontrollers", "ReplicationController").short(&["rc"]).in_all().status(r#"{"replicas":0}"#).scale("spec.selector").generation(),
    namespaced("", "v1", "resourcequotas", "ResourceQuota").short(&["quota"]).status("{}"),
    namespaced("", "v1", "secrets", "Secret"),
    namespaced("", "v1", "serviceaccounts", "ServiceAccount").short(&["sa"]),
    namespaced("", "v1", "services", "Service").short(&["svc"]).in_all().status(r#"{"loadBalancer":{}}"#).label_names(),
    cluster(ADMISSION, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration").generation().must_name_version(),
    cluster(ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy").status("{}").generation().must_name_version(),
    cluster(ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding").generation().must_name_version(),
    cluster(ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration").generation().must_name_version(),
    cluster("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition").short(&["crd", "crds"]).status("{}").generation().must_name_version(),
    cluster("apiregistration.k8s.io", "v1", "apiservices", "APIService").status("{}"),
    namespaced("apps", "v1", "controllerrevisions", "ControllerRevision"),
    namespaced("apps", "v1", "daemonsets", "DaemonSet").short(&["ds"]).in_all().generation()
        .status(r#"{"currentNumberScheduled":0,"desiredNumberScheduled":0,"numberMisscheduled":0,"numberReady":0}"#),
    namespaced("apps", "v1", "deployments", "Deployment").short(&["deploy"]).in_all().status("{}").scale("spec.selector").generation(),
    namespaced("apps", "v1", "replicasets", "ReplicaSet").short(&["rs"]).in_all().status(r#"{"replicas":0}"#).scale("spec.selector").generation(),
    namespaced("apps", "v1", "statefulsets", "StatefulSet").short(&["sts"]).in_all().status(r#"{"availableReplicas":0,"replicas":0}"#).scale("spec.selector").generation(),
    cluster(AUTHENTICATION, "v1", "selfsubjectreviews", "SelfSubjectReview").review(),
    cluster(AUTHENTICATION, "v1", "tokenreviews", "TokenReview").review(),
    namespaced(AUTHORIZATION, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview").review(),
    cluster(AUTHORIZATION, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview").review(),
    cluster(AUTHORIZATION, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview").review(),
    cluster(AUTHORIZATION, "v1", "subjectaccessreviews", "SubjectAccessReview").review(),
    namespaced("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler").short(&["hpa"]).in_all().status(r#"{"currentMetrics":null,"desiredReplicas":0}"#).generation(),
    namespaced("batch", "v1", "cronjobs", "CronJob").short(&["cj"]).in_all().status("{}").generation(),
    namespaced("batch", "v1", "jobs", "Job").in_all().status("{}").generation(),
    cluster("certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest").short(&["csr"]).status("{}"),
    namespaced("coordination.k8s.io", "v1", "leases", "Lease").must_name_version(),
    namespaced("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice").generation(),
    namespaced("events.k8s.io", "v1", "events", "Event").short(&["ev"]),
    cluster("networking.k8s.io", "v1", "ingressclasses", "IngressClass").generation(),
    namespaced("networking.k8s.io", "v1", "ingresses", "Ingress").short(&["ing"]).status(r#"{"loadBalancer":{}}"#).generation(),
    namespaced("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy").short(&["netpol"]).generation(),
    cluster("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass").must_name_version(),
    namespaced("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget").short(&["pdb"]).generation().must_name_version()
        .status(r#"{"currentHealthy":0,"desiredHealthy":0,"disruptionsAllowed":0,"expectedPods":0}"#),
    cluster(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding").free_names(),
    cluster(RBAC, "v1", "clusterroles", "ClusterRole").free_names(),
    namespaced(RBAC, "v1", "rolebindings", "RoleBinding").free_names(),
    namespaced(RBAC, "v1", "roles", "Role").free_names(),
    cluster("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass").short(&["pc"]).generation(),
    cluster("storage.k8s.io", "v1", "csidrivers", "CSIDriver").must_name_version(),
    cluster("storage.k8s.io", "v1", "storageclasses", "StorageClass").short(&["sc"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_are_the_same_resource() {
        let mut ids: Vec<GroupResource> = kinds().map(|kind| kind.id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn events_of_both_groups_lie_on_one_shelf() {
        let shelves: Vec<_> = kinds()
            .filter(|k| &*k.name == "Event")
            .map(|k| (k.shelf, k.stored_as))
            .collect();
        assert_eq!(shelves[0], shelves[1]);
    }

    #[test]
    fn scalable_kinds_name_their_selector() {
        let scalable: Vec<Arc<str>> = kinds()
            .filter(|k| k.versions[0].scale.is_some())
            .map(|k| k.name)
            .collect();
        assert_eq!(scalable.len(), 4);
    }
}
