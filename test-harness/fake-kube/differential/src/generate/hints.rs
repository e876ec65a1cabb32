//! What fields mean that a schema only calls text or numbers, so that most of what is generated is valid.

use serde_json::{Value, json};

/// Values of a field, by its name, in this definition or in any.
#[rustfmt::skip]
const POOLS: &[(&str, &str, &str)] = &[
    ("", "image", r#"["example.com/a:1", "b", "c:latest", "registry.example.com/x/y:2"]"#),
    ("", "protocol", r#"["TCP", "UDP", "SCTP"]"#),
    ("", "imagePullPolicy", r#"["Always", "IfNotPresent", "Never"]"#),
    ("", "terminationMessagePolicy", r#"["File", "FallbackToLogsOnError"]"#),
    ("", "terminationMessagePath", r#"["/dev/log", "/dev/termination-log"]"#),
    ("", "restartPolicy", r#"["Always"]"#),
    ("", "dnsPolicy", r#"["ClusterFirst", "Default", "ClusterFirstWithHostNet"]"#),
    ("", "operator", r#"["Exists", "DoesNotExist", "In", "NotIn"]"#),
    ("", "effect", r#"["NoSchedule", "PreferNoSchedule", "NoExecute"]"#),
    ("", "topologyKey", r#"["zone", "kubernetes.io/hostname"]"#),
    ("", "whenUnsatisfiable", r#"["DoNotSchedule", "ScheduleAnyway"]"#),
    ("", "mountPath", r#"["/a", "/b", "/c/d"]"#),
    ("", "subPath", r#"["a", "b/c"]"#),
    ("", "path", r#"["/", "/a", "/b/c"]"#),
    ("", "scheme", r#"["HTTP", "HTTPS"]"#),
    ("", "host", r#"["example.com", "a.example.com"]"#),
    ("", "ip", r#"["192.0.2.1", "192.0.2.2"]"#),
    ("", "hostIP", r#"["192.0.2.1"]"#),
    ("", "hostnames", r#"["a.example.com", "b"]"#),
    ("", "port", r#"[80, 443, 8080]"#),
    ("", "containerPort", r#"[80, 443, 8080]"#),
    ("", "hostPort", r#"[80, 443]"#),
    ("", "targetPort", r#"[80, "http", 8080]"#),
    ("", "defaultMode", r#"[256, 420, 511]"#),
    ("", "mode", r#"[256, 420, 511]"#),
    ("", "key", r#"["a", "b", "example.com/key"]"#),
    ("", "accessModes", r#"["ReadWriteOnce", "ReadOnlyMany"]"#),
    ("", "volumeMode", r#"["Filesystem", "Block"]"#),
    ("", "schedule", r#"["* * * * *", "@hourly", "0 3 * * 1"]"#),
    ("", "timeZone", r#"["Etc/UTC", "Europe/Berlin"]"#),
    ("", "concurrencyPolicy", r#"["Allow", "Forbid", "Replace"]"#),
    ("", "completionMode", r#"["NonIndexed", "Indexed"]"#),
    ("", "podManagementPolicy", r#"["OrderedReady", "Parallel"]"#),
    ("", "whenDeleted", r#"["Retain", "Delete"]"#),
    ("", "whenScaled", r#"["Retain", "Delete"]"#),
    ("", "policyTypes", r#"["Ingress", "Egress"]"#),
    ("", "cidr", r#"["192.0.2.0/24", "198.51.100.0/24"]"#),
    ("", "pathType", r#"["Prefix", "Exact", "ImplementationSpecific"]"#),
    ("", "verbs", r#"["get", "list", "*"]"#),
    ("", "apiGroups", r#"["", "apps"]"#),
    ("", "resources", r#"["pods", "deployments"]"#),
    ("", "resourceNames", r#"["a", "b"]"#),
    ("", "medium", r#"["", "Memory"]"#),
    ("", "conditionType", r#"["example.com/ready"]"#),
    ("", "fieldPath", r#"["metadata.name", "metadata.namespace", "spec.nodeName"]"#),
    ("", "resource", r#"["limits.cpu", "requests.memory"]"#),
    ("", "unhealthyPodEvictionPolicy", r#"["AlwaysAllow", "IfHealthyBudget"]"#),
    ("", "minAvailable", r#"[1, "50%", 0]"#),
    ("", "maxUnavailable", r#"[1, "50%", "25%"]"#),
    ("", "maxSurge", r#"[1, "25%", 2]"#),
    ("", "partition", r#"[0, 1]"#),
    ("", "averageUtilization", r#"[50, 80]"#),
    ("", "selectPolicy", r#"["Max", "Min", "Disabled"]"#),
    ("", "stabilizationWindowSeconds", r#"[0, 300]"#),
    ("", "periodSeconds", r#"[10, 60]"#),
    ("", "sessionAffinity", r#"["None", "ClientIP"]"#),
    ("", "internalTrafficPolicy", r#"["Cluster", "Local"]"#),
    ("", "externalName", r#"["a.example.com"]"#),
    ("", "appProtocol", r#"["http", "example.com/x"]"#),
    ("", "fsGroupChangePolicy", r#"["Always", "OnRootMismatch"]"#),
    ("", "add", r#"["NET_ADMIN", "SYS_TIME"]"#),
    ("", "drop", r#"["ALL"]"#),
    ("", "renewTime", r#"["2020-01-02T03:04:05.000000Z", "2020-01-02T03:04:06.123456Z"]"#),
    ("", "acquireTime", r#"["2020-01-02T03:04:05.000000Z"]"#),
    ("", "creationTimestamp", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "lastTransitionTime", r#"["2020-01-02T03:04:05Z", "2021-01-02T03:04:05Z"]"#),
    ("", "disruptedPods", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "startTime", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "completionTime", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "lastProbeTime", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "lastUpdateTime", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "lastScheduleTime", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "lastSuccessfulTime", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "lastScaleTime", r#"["2020-01-02T03:04:05Z"]"#),
    ("", "when", r#"["2020-01-02T03:04:05Z", "2020-01-02T03:04:05.5+02:00"]"#),
    ("", "text", r#"["a", "bc", "abcde"]"#),
    ("", "bytes", r#"["YQ==", "YWI="]"#),
    ("", "status", r#"["True", "False", "Unknown"]"#),
    ("", "reason", r#"["Seen", "Lost"]"#),
    ("", "env", r#"["A", "B_C"]"#),
    ("CrossVersionObjectReference", "name", r#"["a", "b"]"#),
    ("", "secretName", r#"["a", "b"]"#),
    ("", "claimName", r#"["a", "b"]"#),
    ("ConfigMapKeySelector", "key", r#"["a", "b.c"]"#),
    ("SecretKeySelector", "key", r#"["a", "b.c"]"#),
    ("KeyToPath", "key", r#"["a", "b"]"#),
    ("KeyToPath", "path", r#"["a", "b/c"]"#),
    ("DownwardAPIVolumeFile", "path", r#"["a", "b/c"]"#),
    ("ServiceAccountTokenProjection", "path", r#"["token"]"#),
    ("", "maxSkew", r#"[1, 2]"#),
    ("", "leaseDurationSeconds", r#"[1, 15, 30]"#),
    ("", "failureThreshold", r#"[1, 3]"#),
    ("", "successThreshold", r#"[1]"#),
    ("", "timeoutSeconds", r#"[1, 5]"#),
    ("", "ingressClassName", r#"["a"]"#),
    ("HTTPHeader", "name", r#"["X-A"]"#),
    ("", "prefix", r#"["A_", "B_"]"#),
    ("", "progressDeadlineSeconds", r#"[600, 700]"#),
    ("", "endPort", r#"[8080]"#),
    ("RoleRef", "name", r#"["a", "b"]"#),
    ("Subject", "name", r#"["a", "b"]"#),
    ("", "ordinals", r#"[{"start": 1}, {"start": 0}]"#),
    ("", "activeDeadlineSeconds", r#"[10, 60]"#),
    ("", "serviceName", r#"["a", "b"]"#),
    ("EnvVar", "name", r#"["A", "B", "C_D"]"#),
    ("Volume", "name", r#"["v", "w"]"#),
    ("VolumeMount", "name", r#"["v", "w"]"#),
    ("Container", "name", r#"["main", "side"]"#),
    ("ContainerPort", "name", r#"["http", "metrics"]"#),
    ("ServicePort", "name", r#"["http", "metrics"]"#),
    ("ServiceBackendPort", "name", r#"["http"]"#),
    ("ServiceBackendPort", "number", r#"[80, 443]"#),
    ("Secret", "type", r#"["Opaque", "Opaque", "Opaque", "Opaque", "Opaque", "example.com/x", "kubernetes.io/tls", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/dockercfg", "kubernetes.io/service-account-token"]"#),
    ("ServiceSpec", "type", r#"["ClusterIP"]"#),
    ("ServiceSpec", "clusterIP", r#"["None", "None", ""]"#),
    ("DeploymentStrategy", "type", r#"["RollingUpdate", "RollingUpdate", "Recreate"]"#),
    ("DaemonSetUpdateStrategy", "type", r#"["RollingUpdate", "OnDelete"]"#),
    ("StatefulSetUpdateStrategy", "type", r#"["RollingUpdate", "OnDelete"]"#),
    ("HostPathVolumeSource", "type", r#"["", "Directory", "File"]"#),
    ("MetricSpec", "type", r#"["Resource"]"#),
    ("MetricTarget", "type", r#"["Utilization"]"#),
    ("ResourceMetricSource", "name", r#"["cpu", "memory"]"#),
    ("HPAScalingPolicy", "type", r#"["Pods", "Percent"]"#),
    ("HPAScalingPolicy", "value", r#"[1, 5]"#),
    ("SeccompProfile", "type", r#"["RuntimeDefault", "Unconfined"]"#),
    ("RoleRef", "apiGroup", r#"["rbac.authorization.k8s.io"]"#),
    ("RoleRef", "kind", r#"["Role", "ClusterRole"]"#),
    ("Subject", "kind", r#"["User", "Group", "ServiceAccount"]"#),
    ("Subject", "apiGroup", r#"["rbac.authorization.k8s.io"]"#),
    ("Subject", "namespace", r#"["default", "other"]"#),
    ("CrossVersionObjectReference", "kind", r#"["Deployment", "StatefulSet"]"#),
    ("CrossVersionObjectReference", "apiVersion", r#"["apps/v1"]"#),
    ("LabelSelectorRequirement", "values", r#"["a", "b"]"#),
    ("LabelSelectorRequirement", "key", r#"["a", "b", "example.com/key"]"#),
    ("ObjectMeta", "finalizers", r#"["example.com/one", "example.com/two"]"#),
    ("OwnerReference", "apiVersion", r#"["v1", "apps/v1"]"#),
    ("OwnerReference", "kind", r#"["ConfigMap", "Deployment"]"#),
    ("OwnerReference", "uid", r#"["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"]"#),
    ("Secret", "data", r#"["YQ==", "", "YWI="]"#),
    ("Secret", "stringData", r#"["a", "plain text"]"#),
    ("ConfigMap", "binaryData", r#"["YQ==", "YWI="]"#),
    ("PersistentVolumeClaimSpec", "resources", r#"[{"requests": {"storage": "1Gi"}}, {"requests": {"storage": "2Gi"}, "limits": {"storage": "4Gi"}}]"#),
    ("VolumeMount", "mountPropagation", r#"["None", "HostToContainer"]"#),
    ("ResourceRequirements", "limits", r#"["1", "500m", "1Gi"]"#),
    ("ResourceRequirements", "requests", r#"["100m", "0.25", "1"]"#),
    ("ResourceFieldSelector", "divisor", r#"["0", "1"]"#),
];

/// Keys of entries of maps, by the name of the map's field.
#[rustfmt::skip]
const KEYS: &[(&str, &[&str])] = &[
    ("limits", &["cpu", "memory", "example.com/gpu"]),
    ("requests", &["cpu", "memory"]),
    ("data", &["a", "b", "app", "c.d"]),
    ("stringData", &["a", "b", "e"]),
    ("binaryData", &["x", "y"]),
    ("", &["a", "b", "app", "example.com/x"]),
];

/// Unions: of these fields an object has one.
#[rustfmt::skip]
const ONE_OF: &[(&str, &[&str])] = &[
    ("Volume", &["configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected", "hostPath", "downwardAPI"]),
    ("VolumeProjection", &["configMap", "secret", "downwardAPI", "serviceAccountToken"]),
    ("Probe", &["exec", "httpGet", "tcpSocket", "grpc"]),
    ("LifecycleHandler", &["exec", "httpGet", "sleep"]),
    ("EnvVar", &["value", "value", "valueFrom"]),
    ("EnvVarSource", &["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef"]),
    ("EnvFromSource", &["configMapRef", "secretRef"]),
    ("IngressBackend", &["service"]),
    ("ServiceBackendPort", &["name", "number"]),
    ("NetworkPolicyPeer", &["ipBlock", "podSelector"]),
    ("PodDisruptionBudgetSpec", &["minAvailable", "maxUnavailable"]),
    ("DownwardAPIVolumeFile", &["fieldRef"]),
    ("PolicyRule", &["apiGroups"]),
    ("MetricSpec", &["resource"]),
    ("choice", &["a", "b"]),
];

/// Fields that go with a union, whatever it holds.
const ALONG: &[(&str, &[&str])] = &[
    (
        "PodDisruptionBudgetSpec",
        &["selector", "unhealthyPodEvictionPolicy"],
    ),
    (
        "Probe",
        &[
            "failureThreshold",
            "initialDelaySeconds",
            "periodSeconds",
            "timeoutSeconds",
        ],
    ),
    ("EnvFromSource", &["prefix"]),
    ("PolicyRule", &["resources", "resourceNames"]),
];

/// Fields that are in nearly every object, though nothing requires them.
#[rustfmt::skip]
const USUAL: &[(&str, &[&str])] = &[
    ("Container", &["image"]),
    ("CrossVersionObjectReference", &["apiVersion"]),
    ("RoleRef", &["apiGroup"]),
    ("ServiceSpec", &["ports"]),
    ("PersistentVolumeClaimSpec", &["accessModes", "resources"]),
    ("IngressSpec", &["rules"]),
    ("HTTPIngressPath", &["path"]),
    ("PolicyRule", &["resources", "apiGroups"]),
    ("PodDisruptionBudgetSpec", &["selector"]),
    ("LeaseSpec", &["leaseDurationSeconds"]),
    ("MetricTarget", &["averageUtilization"]),
    ("IngressServiceBackend", &["port"]),
    ("HTTPGetAction", &["port"]),
    ("ExecAction", &["command"]),
    ("ConfigMapEnvSource", &["name"]),
    ("SecretEnvSource", &["name"]),
    ("ConfigMapKeySelector", &["name"]),
    ("SecretKeySelector", &["name"]),
    ("ConfigMapVolumeSource", &["name"]),
    ("SecretVolumeSource", &["secretName"]),
    ("ConfigMapProjection", &["name"]),
    ("SecretProjection", &["name"]),
    ("LocalObjectReference", &["name"]),
    ("ObjectReference", &["name"]),
];

fn row<'t, V: ?Sized>(table: &'t [(&str, &'t V)], name: &str) -> Option<&'t V> {
    table
        .iter()
        .find(|(row, _)| *row == name)
        .map(|(_, value)| *value)
}

/// The values that a field of a definition usually has.
pub(super) fn pool(definition: &str, field: &str) -> Option<Vec<Value>> {
    let found = |of: &str| POOLS.iter().find(|(d, f, _)| *d == of && *f == field);
    let (.., text) = found(definition).or_else(|| found(""))?;
    serde_json::from_str(text).ok()
}

/// Keys for a map.
pub(super) fn keys(field: &str) -> &'static [&'static str] {
    row(KEYS, field).unwrap_or(KEYS[KEYS.len() - 1].1)
}

/// The alternatives of a definition, and what goes along with any.
pub(super) fn alternatives(definition: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some((row(ONE_OF, definition)?, row(ALONG, definition).unwrap_or(&[])))
}

/// Whether a field is nearly always there.
pub(super) fn is_usual(definition: &str, field: &str) -> bool {
    row(USUAL, definition).is_some_and(|fields| fields.contains(&field))
}

/// Text for fields without a meaning of their own.
pub(super) fn words() -> Vec<Value> {
    ["a", "b", "x-y", "main"].map(Value::from).to_vec()
}

/// What no field expects.
pub(super) fn oddities() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!("A b"),
        json!(true),
        json!(-1),
        json!(3_000_000_000_u64),
        json!(1.5),
        json!([]),
        json!(["a", "a"]),
        json!([null]),
        json!({}),
        json!({"a": 1}),
        json!({"b": null}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pool_is_a_list_of_json() {
        for (definition, field, text) in POOLS {
            let pool: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
            assert!(!pool.is_empty(), "{definition}.{field}");
        }
    }
}
