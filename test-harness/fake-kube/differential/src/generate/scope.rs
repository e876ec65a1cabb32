//! Which fields of large definitions are generated, and why not the others.

/// Definitions of which only some fields are generated. The others are there for hardware, clouds and node agents, or
/// are decided by admission that the embedded API does not have; each is checked by code of its own in the real server.
#[rustfmt::skip]
const PARTLY: &[(&str, &[&str])] = &[
    ("PodSpec", &[
        "containers", "initContainers", "volumes", "restartPolicy", "serviceAccountName", "nodeSelector", "tolerations",
        "securityContext", "imagePullSecrets", "terminationGracePeriodSeconds", "hostAliases", "dnsPolicy",
        "enableServiceLinks", "automountServiceAccountToken", "schedulerName", "shareProcessNamespace", "subdomain",
        "hostname", "topologySpreadConstraints",
    ]),
    ("Container", &[
        "name", "image", "command", "args", "workingDir", "ports", "env", "envFrom", "resources", "volumeMounts",
        "livenessProbe", "readinessProbe", "imagePullPolicy", "securityContext", "terminationMessagePath",
        "terminationMessagePolicy", "stdin", "tty", "lifecycle",
    ]),
    ("SecurityContext", &[
        "capabilities", "privileged", "readOnlyRootFilesystem", "runAsGroup", "runAsNonRoot", "runAsUser",
        "seccompProfile",
    ]),
    ("PodSecurityContext", &["fsGroup", "fsGroupChangePolicy", "runAsNonRoot", "runAsUser", "supplementalGroups"]),
    ("SeccompProfile", &["type"]),
    ("ResourceRequirements", &["limits"]),
    ("ConfigMapVolumeSource", &["name", "items", "optional", "defaultMode"]),
    ("SecretVolumeSource", &["secretName", "items", "optional", "defaultMode"]),
    ("DownwardAPIVolumeSource", &["items", "defaultMode"]),
    ("DownwardAPIVolumeFile", &["fieldRef", "mode", "path"]),
    ("ProjectedVolumeSource", &["defaultMode", "sources"]),
    ("KeyToPath", &["key", "mode", "path"]),
    // The real server shows several controllers in the order of fields in Go.
    ("OwnerReference", &["apiVersion", "blockOwnerDeletion", "kind", "name", "uid"]),
    ("VolumeMount", &["name", "mountPath", "readOnly", "subPath"]),
    ("EmptyDirVolumeSource", &["medium"]),
    ("ContainerPort", &["containerPort", "name", "protocol"]),
    ("HTTPGetAction", &["path", "port", "scheme", "httpHeaders"]),
    ("Toleration", &["key", "effect", "value"]),
    ("TopologySpreadConstraint", &["maxSkew", "topologyKey", "whenUnsatisfiable", "labelSelector"]),
    ("ServiceAccountTokenProjection", &["path", "audience"]),
    ("ServiceSpec", &[
        "ports", "selector", "type", "sessionAffinity", "publishNotReadyAddresses", "internalTrafficPolicy", "clusterIP",
    ]),
    ("ServicePort", &["appProtocol", "name", "port", "protocol", "targetPort"]),
    ("JobSpec", &[
        "activeDeadlineSeconds", "backoffLimit", "completionMode", "completions", "parallelism", "suspend", "template",
        "ttlSecondsAfterFinished",
    ]),
    ("StatefulSetSpec", &[
        "minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "podManagementPolicy", "replicas",
        "revisionHistoryLimit", "selector", "serviceName", "template", "updateStrategy", "volumeClaimTemplates",
    ]),
    ("PersistentVolumeClaimSpec", &["accessModes", "resources", "selector", "storageClassName", "volumeMode"]),
    // Of `secrets`, items without a name have no owner, and what the real server makes of that depends on its past.
    ("ServiceAccount", &["automountServiceAccountToken", "imagePullSecrets"]),
    ("IngressSpec", &["defaultBackend", "rules", "tls"]),
    ("MetricTarget", &["type", "averageUtilization"]),
    ("HPAScalingRules", &["policies", "selectPolicy", "stabilizationWindowSeconds"]),
    ("LeaseSpec", &["acquireTime", "holderIdentity", "leaseDurationSeconds", "leaseTransitions", "renewTime"]),
    ("GRPCAction", &["port", "service"]),
    ("Lifecycle", &["postStart", "preStop"]),
    // Of the statuses of pods and claims, what anybody but a kubelet or a volume driver would write.
    ("PodStatus", &["conditions", "message", "phase", "reason"]),
    ("HorizontalPodAutoscalerStatus", &["conditions", "currentReplicas", "desiredReplicas", "lastScaleTime", "observedGeneration"]),
    ("PodCondition", &["lastTransitionTime", "message", "reason", "status", "type"]),
    ("PersistentVolumeClaimStatus", &["accessModes", "conditions", "phase"]),
    ("Namespace", &[]),
    ("ObjectMeta", &["annotations", "finalizers", "labels", "ownerReferences"]),
];

/// What names another object says of which type it is.
const REFERENCES: [&str; 4] = [
    "CrossVersionObjectReference",
    "OwnerReference",
    "RoleRef",
    "Subject",
];

/// Whether a field of a definition is generated.
pub(super) fn includes(definition: &str, field: &str) -> bool {
    if matches!(field, "apiVersion" | "kind" | "metadata" | "status") {
        // Of an object they are written apart; an inner object may do without.
        return definition == "PodTemplateSpec" && field == "metadata"
            || REFERENCES.contains(&definition) && matches!(field, "apiVersion" | "kind");
    }
    let row = PARTLY.iter().find(|(name, _)| *name == definition);
    row.is_none_or(|(_, fields)| fields.contains(&field))
}
