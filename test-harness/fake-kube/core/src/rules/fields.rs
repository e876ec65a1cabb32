//! What single fields of built-in kinds may be, as tables.

use serde_json::Value;

use super::names::complaint_of_label;
use super::places::{self, Place};
use super::qualified::complaints_of_name;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// What is asked of a field.
#[derive(Clone, Copy)]
enum Ask {
    /// That it is not negative.
    NotNegative,
    /// That it is positive.
    Positive,
    /// That it is neither empty nor zero; a schema asks that it is there.
    Filled,
    /// That it is there, and neither empty nor zero, with what else there is to say.
    Given(&'static str),
    /// That it is one of these, or not there. An empty text is said to be missing.
    OneOf(&'static [&'static str]),
    /// The same, but an empty text is as wrong as any other.
    AnyOf(&'static [&'static str]),
    /// That it is the number of a port.
    Port,
    /// The same, where it is there at all.
    ContainerPort,
    /// That it is the number of a port, or a name of one.
    PortOrName,
    /// That it is the name of a port.
    PortName,
    /// That it is a DNS label.
    Label,
    /// That it is a name with an optional domain in front.
    Qualified,
}

use Ask::{
    AnyOf, ContainerPort, Filled, Given, Label, NotNegative, OneOf, Port, PortName, PortOrName, Positive,
    Qualified,
};

const PROTOCOLS: Ask = OneOf(&["SCTP", "TCP", "UDP"]);

/// Group, kind, place and what is asked.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str, Ask)] = &[
    ("apps", "Deployment", "spec.replicas", NotNegative),
    ("apps", "Deployment", "spec.minReadySeconds", NotNegative),
    ("apps", "Deployment", "spec.revisionHistoryLimit", NotNegative),
    ("apps", "Deployment", "spec.progressDeadlineSeconds", NotNegative),
    ("apps", "Deployment", "spec.template.spec.restartPolicy", OneOf(&["Always"])),
    ("apps", "DaemonSet", "spec.minReadySeconds", NotNegative),
    ("apps", "DaemonSet", "spec.revisionHistoryLimit", NotNegative),
    ("apps", "DaemonSet", "spec.template.spec.restartPolicy", OneOf(&["Always"])),
    ("apps", "ReplicaSet", "spec.replicas", NotNegative),
    ("apps", "ReplicaSet", "spec.minReadySeconds", NotNegative),
    ("apps", "StatefulSet", "spec.replicas", NotNegative),
    ("apps", "StatefulSet", "spec.minReadySeconds", NotNegative),
    ("apps", "StatefulSet", "spec.ordinals.start", NotNegative),
    ("apps", "StatefulSet", "spec.persistentVolumeClaimRetentionPolicy.whenDeleted", OneOf(&["Retain", "Delete"])),
    ("apps", "StatefulSet", "spec.persistentVolumeClaimRetentionPolicy.whenScaled", OneOf(&["Retain", "Delete"])),
    ("apps", "StatefulSet", "spec.template.spec.restartPolicy", OneOf(&["Always"])),
    ("batch", "Job", "spec.parallelism", NotNegative),
    ("batch", "Job", "spec.completions", NotNegative),
    ("batch", "Job", "spec.activeDeadlineSeconds", NotNegative),
    ("batch", "Job", "spec.backoffLimit", NotNegative),
    ("batch", "Job", "spec.ttlSecondsAfterFinished", NotNegative),
    ("batch", "Job", "spec.completionMode", AnyOf(&["NonIndexed", "Indexed"])),
    ("batch", "CronJob", "spec.jobTemplate.spec.parallelism", NotNegative),
    ("batch", "CronJob", "spec.jobTemplate.spec.completions", NotNegative),
    ("batch", "CronJob", "spec.jobTemplate.spec.activeDeadlineSeconds", NotNegative),
    ("batch", "CronJob", "spec.jobTemplate.spec.backoffLimit", NotNegative),
    ("batch", "CronJob", "spec.jobTemplate.spec.ttlSecondsAfterFinished", NotNegative),
    ("batch", "CronJob", "spec.jobTemplate.spec.completionMode", AnyOf(&["NonIndexed", "Indexed"])),
    ("batch", "CronJob", "spec.jobTemplate.spec.podReplacementPolicy", AnyOf(&["Failed", "TerminatingOrFailed"])),
    ("batch", "CronJob", "spec.startingDeadlineSeconds", NotNegative),
    ("batch", "CronJob", "spec.successfulJobsHistoryLimit", NotNegative),
    ("batch", "CronJob", "spec.failedJobsHistoryLimit", NotNegative),
    ("batch", "CronJob", "spec.concurrencyPolicy", OneOf(&["Allow", "Forbid", "Replace"])),
    ("batch", "Job", "spec.podReplacementPolicy", AnyOf(&["Failed", "TerminatingOrFailed"])),
    ("policy", "PodDisruptionBudget", "spec.unhealthyPodEvictionPolicy", AnyOf(&["AlwaysAllow", "IfHealthyBudget"])),
    ("coordination.k8s.io", "Lease", "spec.leaseDurationSeconds", Positive),
    ("coordination.k8s.io", "Lease", "spec.leaseTransitions", NotNegative),
    ("rbac.authorization.k8s.io", "ClusterRole", "rules[].verbs", Filled),
    ("rbac.authorization.k8s.io", "Role", "rules[].verbs", Filled),
    ("", "Service", "spec.type", OneOf(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])),
    ("", "Service", "spec.sessionAffinity", OneOf(&["ClientIP", "None"])),
    ("", "Service", "spec.internalTrafficPolicy", AnyOf(&["Cluster", "Local"])),
    ("", "Service", "spec.ports[].appProtocol", Qualified),
    ("", "Service", "spec.ports[].name", Label),
    ("", "Service", "spec.ports[].port", Port),
    ("", "Service", "spec.ports[].protocol", PROTOCOLS),
    ("", "Service", "spec.ports[].targetPort", PortOrName),
];

/// The same of the specs of pods.
#[rustfmt::skip]
const PODS: &[(&str, Ask)] = &[
    ("containers", Filled),
    ("preemptionPolicy", OneOf(&["PreemptLowerPriority", "Never"])),
    ("restartPolicy", OneOf(&["Always", "OnFailure", "Never"])),
];

/// The same of containers of either list.
#[rustfmt::skip]
const CONTAINERS: &[(&str, Ask)] = &[
    ("name", Filled),
    ("name", Label),
    ("image", Given("")),
    ("imagePullPolicy", OneOf(&["Always", "IfNotPresent", "Never"])),
    ("terminationMessagePolicy", OneOf(&["File", "FallbackToLogsOnError"])),
    ("ports[].name", PortName),
    ("ports[].containerPort", Filled),
    ("ports[].containerPort", ContainerPort),
    ("ports[].protocol", PROTOCOLS),
];

/// What is wrong with single fields of an object.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let own = TABLE.iter().filter(|(group, name, ..)| kind.is(group, name));
    let root = (FieldPath::root(), Some(object));
    let mut errors: Vec<FieldError> = own
        .flat_map(|(.., path, ask)| ask_all(&root, path, *ask))
        .collect();
    let Some(pods) = places::pod_spec(kind, object) else {
        return errors;
    };
    errors.extend(PODS.iter().flat_map(|(path, ask)| ask_all(&pods, path, *ask)));
    for list in ["containers[]", "initContainers[]"] {
        for container in places::all(pods.clone(), list) {
            errors.extend(
                CONTAINERS
                    .iter()
                    .flat_map(|(path, ask)| ask_all(&container, path, *ask)),
            );
        }
    }
    errors
}

fn ask_all(start: &Place<'_>, path: &str, ask: Ask) -> Vec<FieldError> {
    let places = places::all(start.clone(), path).into_iter();
    places.flat_map(|(path, value)| ask.of(&path, value)).collect()
}

impl Ask {
    fn of(self, path: &FieldPath, value: Option<&Value>) -> Vec<FieldError> {
        let is_given = value.is_some_and(is_given);
        let complain =
            |detail: String| FieldError::invalid(path.clone(), value.cloned().unwrap_or_default(), detail);
        match (self, value) {
            (Filled, Some(_)) if !is_given => vec![FieldError::required(path.clone(), "")],
            (Given(why), _) if !is_given => vec![FieldError::required(path.clone(), why)],
            (NotNegative, Some(Value::Number(number)))
                if number.as_i64().is_some_and(|number| number < 0) =>
            {
                vec![complain("must be greater than or equal to 0".to_owned())]
            }
            (Positive, Some(Value::Number(number))) if number.as_i64().is_some_and(|number| number <= 0) => {
                vec![complain("must be greater than 0".to_owned())]
            }
            (OneOf(_), Some(Value::String(text))) if text.is_empty() => {
                vec![FieldError::required(path.clone(), "")]
            }
            (OneOf(allowed) | AnyOf(allowed), Some(Value::String(text))) if !allowed.contains(&&**text) => {
                vec![FieldError::unsupported(path.clone(), &**text, allowed)]
            }
            // What is not there is the port 0 to the server.
            (Port | PortOrName, None) => {
                let detail = "must be between 1 and 65535, inclusive";
                vec![FieldError::invalid(path.clone(), 0, detail)]
            }
            (ContainerPort, Some(Value::Number(number))) if number.as_i64() == Some(0) => Vec::new(),
            (Port | ContainerPort | PortOrName, Some(Value::Number(number)))
                if number
                    .as_i64()
                    .is_some_and(|number| !(1..=65_535).contains(&number)) =>
            {
                vec![complain("must be between 1 and 65535, inclusive".to_owned())]
            }
            (PortOrName, Some(Value::String(name))) => {
                complaints_of_port(name).into_iter().map(complain).collect()
            }
            (PortName, Some(Value::String(name))) if !name.is_empty() => {
                complaints_of_port(name).into_iter().map(complain).collect()
            }
            (Qualified, Some(Value::String(name))) => {
                complaints_of_name(name).into_iter().map(complain).collect()
            }
            (Label, Some(Value::String(name))) if !name.is_empty() => {
                complaint_of_label(name).into_iter().map(complain).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Number(number) => number.as_i64() != Some(0),
        _ => true,
    }
}

pub(super) fn complaints_of_port(name: &str) -> Vec<String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let complaints = [
        (name.len() > 15, "must be no more than 15 characters"),
        (
            name.is_empty() || !name.bytes().all(is_allowed),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            !name.bytes().any(|byte| byte.is_ascii_lowercase()),
            "must contain at least one letter (a-z)",
        ),
        (name.contains("--"), "must not contain consecutive hyphens"),
        (
            name.starts_with('-') || name.ends_with('-'),
            "must not begin or end with a hyphen",
        ),
    ];
    let held = complaints.into_iter().filter(|(holds, _)| *holds);
    held.map(|(_, complaint)| complaint.to_owned()).collect()
}
