//! The columns of built-in kinds, as a table: name first, age where the table says so.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::compute as c;
use super::{Cell, Column, JsonPath, cell};

/// The columns of a kind; name and age where the table does not have it.
pub(super) fn columns(group: &str, kind: &str) -> Arc<[Column]> {
    let own = TABLE.iter().find(|(g, k, _)| *g == group && *k == kind);
    let own = match own {
        Some((_, _, rows)) => rows.iter().map(Row::column).collect(),
        None => vec![cell::age_column()],
    };
    let leading = if starts_with_name(group, kind) {
        vec![cell::name_column()]
    } else {
        Vec::new()
    };
    leading.into_iter().chain(own).collect()
}

/// Events are known by when and why, not by name.
fn starts_with_name(group: &str, kind: &str) -> bool {
    !(kind == "Event" && (group.is_empty() || group == "events.k8s.io"))
}

#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    kind: &'static str,
    source: Source,
    wide: bool,
}

#[derive(Clone, Copy)]
enum Source {
    Age,
    Path(&'static str),
    /// A path with what to show where it selects nothing.
    Or(&'static str, &'static str),
    Compute(fn(&Value, Timestamp) -> Value),
}

const AGE: Row = Row {
    name: "Age",
    kind: "string",
    source: Source::Age,
    wide: false,
};

const fn text(name: &'static str, path: &'static str) -> Row {
    Row {
        name,
        kind: "string",
        source: Source::Path(path),
        wide: false,
    }
}

const fn text_or(name: &'static str, path: &'static str, absent: &'static str) -> Row {
    Row {
        name,
        kind: "string",
        source: Source::Or(path, absent),
        wide: false,
    }
}

const fn number(name: &'static str, path: &'static str) -> Row {
    Row {
        name,
        kind: "integer",
        source: Source::Or(path, "0"),
        wide: false,
    }
}

const fn compute(name: &'static str, compute: fn(&Value, Timestamp) -> Value) -> Row {
    Row {
        name,
        kind: "string",
        source: Source::Compute(compute),
        wide: false,
    }
}

const fn wide(row: Row) -> Row {
    Row { wide: true, ..row }
}

impl Row {
    fn column(&self) -> Column {
        if matches!(self.source, Source::Age) {
            return Column {
                kind: self.kind.into(),
                ..cell::age_column()
            };
        }
        Column {
            name: self.name.into(),
            kind: self.kind.into(),
            format: "".into(),
            description: "".into(),
            priority: i64::from(self.wide),
            cell: match self.source {
                Source::Path(path) => Cell::Path(JsonPath::parse(path)),
                Source::Or(path, absent) => Cell::Or(JsonPath::parse(path), absent),
                Source::Compute(compute) => Cell::Compute(compute),
                Source::Age => unreachable!("handled above"),
            },
        }
    }
}

const CONTAINERS: Row = wide(compute("Containers", c::containers));
const IMAGES: Row = wide(compute("Images", c::images));
const SELECTOR: Row = wide(compute("Selector", c::selector));
const REFERENCE: &str = ".roleRef.name";

const TABLE: &[(&str, &str, &[Row])] = &[
    ("", "ConfigMap", &[compute("Data", c::data), AGE]),
    ("", "Endpoints", &[compute("Endpoints", c::endpoints), AGE]),
    (
        "",
        "Event",
        &[
            compute("Last Seen", c::last_seen),
            text("Type", ".type"),
            text("Reason", ".reason"),
            compute("Object", c::event_object),
            wide(text("Subobject", ".involvedObject.fieldPath")),
            wide(compute("Source", c::event_source)),
            compute("Message", c::event_message),
            wide(compute("First Seen", c::first_seen)),
            wide(number("Count", ".count")),
            wide(text("Name", ".metadata.name")),
        ],
    ),
    (
        "events.k8s.io",
        "Event",
        &[
            compute("Last Seen", c::last_seen),
            text("Type", ".type"),
            text("Reason", ".reason"),
            compute("Object", c::event_object),
            compute("Message", c::event_message),
        ],
    ),
    ("", "Namespace", &[text("Status", ".status.phase"), AGE]),
    (
        "",
        "Node",
        &[
            compute("Status", c::node_status),
            compute("Roles", c::node_roles),
            AGE,
            text("Version", ".status.nodeInfo.kubeletVersion"),
        ],
    ),
    (
        "",
        "PersistentVolumeClaim",
        &[
            text("Status", ".status.phase"),
            text_or("Volume", ".spec.volumeName", ""),
            text_or("Capacity", ".status.capacity.storage", ""),
            compute("Access Modes", c::access_modes),
            text_or("StorageClass", ".spec.storageClassName", ""),
            text_or(
                "VolumeAttributesClass",
                ".spec.volumeAttributesClassName",
                "<unset>",
            ),
            AGE,
            wide(text_or("VolumeMode", ".spec.volumeMode", "<unset>")),
        ],
    ),
    (
        "",
        "Pod",
        &[
            compute("Ready", c::pod_ready),
            compute("Status", c::pod_status),
            compute("Restarts", c::pod_restarts),
            AGE,
            wide(text_or("IP", ".status.podIP", "<none>")),
            wide(text_or("Node", ".spec.nodeName", "<none>")),
            wide(text_or("Nominated Node", ".status.nominatedNodeName", "<none>")),
            wide(compute("Readiness Gates", c::none)),
        ],
    ),
    (
        "",
        "Secret",
        &[text("Type", ".type"), compute("Data", c::data), AGE],
    ),
    ("", "ServiceAccount", &[AGE]),
    (
        "",
        "Service",
        &[
            text("Type", ".spec.type"),
            text_or("Cluster-IP", ".spec.clusterIP", "<none>"),
            compute("External-IP", c::external_ip),
            compute("Port(s)", c::service_ports),
            AGE,
            SELECTOR,
        ],
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &[compute("Created At", c::created_at)],
    ),
    (
        "apps",
        "DaemonSet",
        &[
            number("Desired", ".status.desiredNumberScheduled"),
            number("Current", ".status.currentNumberScheduled"),
            number("Ready", ".status.numberReady"),
            number("Up-to-date", ".status.updatedNumberScheduled"),
            number("Available", ".status.numberAvailable"),
            compute("Node Selector", c::node_selector),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    (
        "apps",
        "Deployment",
        &[
            compute("Ready", c::replicas_ready),
            number("Up-to-date", ".status.updatedReplicas"),
            number("Available", ".status.availableReplicas"),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    (
        "apps",
        "ReplicaSet",
        &[
            number("Desired", ".spec.replicas"),
            number("Current", ".status.replicas"),
            number("Ready", ".status.readyReplicas"),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    (
        "apps",
        "StatefulSet",
        &[compute("Ready", c::replicas_ready), AGE, CONTAINERS, IMAGES],
    ),
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        &[
            compute("Reference", c::scale_target),
            compute("Targets", c::none),
            text_or("MinPods", ".spec.minReplicas", "<unset>"),
            number("MaxPods", ".spec.maxReplicas"),
            number("Replicas", ".status.currentReplicas"),
            AGE,
        ],
    ),
    (
        "batch",
        "CronJob",
        &[
            text("Schedule", ".spec.schedule"),
            text_or("Timezone", ".spec.timeZone", "<none>"),
            compute("Suspend", c::suspend),
            compute("Active", c::active_jobs),
            compute("Last Schedule", c::last_schedule),
            AGE,
            CONTAINERS,
            IMAGES,
        ],
    ),
    (
        "batch",
        "Job",
        &[
            compute("Status", c::job_status),
            compute("Completions", c::completions),
            compute("Duration", c::job_duration),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
    ),
    (
        "coordination.k8s.io",
        "Lease",
        &[text("Holder", ".spec.holderIdentity"), AGE],
    ),
    (
        "discovery.k8s.io",
        "EndpointSlice",
        &[
            text("AddressType", ".addressType"),
            compute("Ports", c::slice_ports),
            compute("Endpoints", c::slice_endpoints),
            AGE,
        ],
    ),
    (
        "networking.k8s.io",
        "Ingress",
        &[
            text_or("Class", ".spec.ingressClassName", "<none>"),
            compute("Hosts", c::ingress_hosts),
            compute("Address", c::ingress_address),
            compute("Ports", c::ingress_ports),
            AGE,
        ],
    ),
    (
        "networking.k8s.io",
        "IngressClass",
        &[
            text("Controller", ".spec.controller"),
            compute("Parameters", c::none),
            AGE,
        ],
    ),
    (
        "networking.k8s.io",
        "NetworkPolicy",
        &[compute("Pod-Selector", c::pod_selector), AGE],
    ),
    (
        "policy",
        "PodDisruptionBudget",
        &[
            text_or("Min Available", ".spec.minAvailable", "N/A"),
            text_or("Max Unavailable", ".spec.maxUnavailable", "N/A"),
            number("Allowed Disruptions", ".status.disruptionsAllowed"),
            AGE,
        ],
    ),
    (RBAC, "ClusterRole", &[compute("Created At", c::created_at)]),
    (RBAC, "Role", &[compute("Created At", c::created_at)]),
    (
        RBAC,
        "ClusterRoleBinding",
        &[compute("Role", c::role), AGE, wide(text("Role Name", REFERENCE))],
    ),
    (
        RBAC,
        "RoleBinding",
        &[compute("Role", c::role), AGE, wide(text("Role Name", REFERENCE))],
    ),
    (
        "scheduling.k8s.io",
        "PriorityClass",
        &[
            number("Value", ".value"),
            text_or("Global-Default", ".globalDefault", "false"),
            AGE,
        ],
    ),
    (
        "storage.k8s.io",
        "StorageClass",
        &[
            text("Provisioner", ".provisioner"),
            text_or("ReclaimPolicy", ".reclaimPolicy", "Delete"),
            AGE,
        ],
    ),
];

const RBAC: &str = "rbac.authorization.k8s.io";
