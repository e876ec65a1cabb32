//! What Go writes of the Kubernetes types, as far as it is not what was read.

use serde_json::{Map, Value, json};

use crate::quantity::{self, NotAQuantity};

/// How a type is written. Fields that are not named are written as they are, without nulls.
pub(super) struct Shape {
    /// Left out where they are zero: 0, false, or empty. Their names, with spaces between.
    zero: &'static str,
    fields: &'static [(&'static str, Form)],
}

const fn shape(zero: &'static str, fields: &'static [(&'static str, Form)]) -> Shape {
    Shape { zero, fields }
}

/// How a field is written.
enum Form {
    /// A map that may be empty.
    Map(&'static Shape),
    /// A map that is always written.
    Always(&'static Shape),
    /// A list of maps, left out where it is empty.
    Each(&'static Shape),
    Quantity,
    /// Zero where there is none.
    QuantityOrZero,
    /// A map of quantities, left out where it is empty.
    Quantities,
    /// Null where there is none.
    OrNull,
    /// 0 where there is none.
    OrZero,
    /// Null, whatever it is.
    Null,
}

use Form::{Always, Each, Null, OrNull, OrZero, Quantities, Quantity, QuantityOrZero};

pub(super) const DEPLOYMENT: Shape = shape(
    "minReadySeconds paused",
    &[
        ("selector", Form::Map(&SELECTOR)),
        ("strategy", Always(&STRATEGY)),
        ("template", Always(&POD_TEMPLATE)),
    ],
);

/// How objects are found by their labels.
pub(super) const SELECTOR: Shape = shape("matchLabels", &[("matchExpressions", Each(&REQUIREMENT))]);

const REQUIREMENT: Shape = shape("values", &[]);

pub(super) const CRON_JOB: Shape = shape("concurrencyPolicy", &[("jobTemplate", Always(&JOB_TEMPLATE))]);

pub(super) const SERVICE: Shape = shape(
    "clusterIP clusterIPs externalIPs externalName externalTrafficPolicy healthCheckNodePort \
        ipFamilies loadBalancerIP loadBalancerSourceRanges publishNotReadyAddresses selector \
        sessionAffinity type",
    &[("ports", Each(&SERVICE_PORT))],
);

const SERVICE_PORT: Shape = shape("name nodePort protocol", &[("targetPort", OrZero)]);

const STRATEGY: Shape = shape("type", &[]);

const JOB_TEMPLATE: Shape = shape("", &[("metadata", Always(&METADATA)), ("spec", Always(&JOB))]);

const JOB: Shape = shape(
    "",
    &[
        ("selector", Form::Map(&SELECTOR)),
        ("template", Always(&POD_TEMPLATE)),
    ],
);

const POD_TEMPLATE: Shape = shape("", &[("metadata", Always(&METADATA)), ("spec", Always(&POD))]);

const METADATA: Shape = shape(
    "annotations finalizers generateName generation labels managedFields name namespace \
        ownerReferences resourceVersion selfLink uid",
    &[("creationTimestamp", Null)],
);

const POD: Shape = shape(
    "dnsPolicy hostAliases hostIPC hostNetwork hostPID hostname nodeName \
        nodeSelector priorityClassName readinessGates resourceClaims restartPolicy schedulerName \
        schedulingGates serviceAccount serviceAccountName subdomain topologySpreadConstraints",
    &[
        ("containers", Each(&CONTAINER)),
        ("ephemeralContainers", Each(&CONTAINER)),
        ("imagePullSecrets", Each(&NAMED)),
        ("initContainers", Each(&CONTAINER)),
        ("overhead", Quantities),
        ("resources", Form::Map(&RESOURCES)),
        (
            "securityContext",
            Form::Map(&shape("supplementalGroups sysctls", &[])),
        ),
        ("tolerations", Each(&TOLERATION)),
        ("volumes", Each(&VOLUME)),
    ],
);

const CONTAINER: Shape = shape(
    "args command image imagePullPolicy resizePolicy stdin stdinOnce targetContainerName \
        terminationMessagePath terminationMessagePolicy tty volumeDevices workingDir",
    &[
        ("env", Each(&VARIABLE)),
        ("envFrom", Each(&VARIABLES)),
        ("lifecycle", Form::Map(&LIFECYCLE)),
        ("livenessProbe", Form::Map(&PROBE)),
        ("ports", Each(&CONTAINER_PORT)),
        ("readinessProbe", Form::Map(&PROBE)),
        ("resources", Always(&RESOURCES)),
        ("securityContext", Form::Map(&SECURITY)),
        ("startupProbe", Form::Map(&PROBE)),
        ("volumeMounts", Each(&MOUNT)),
    ],
);

const VARIABLE: Shape = shape("value", &[("valueFrom", Form::Map(&VALUE_SOURCE))]);

const VALUE_SOURCE: Shape = shape(
    "",
    &[
        ("configMapKeyRef", Form::Map(&NAMED)),
        ("fieldRef", Form::Map(&FIELD)),
        ("resourceFieldRef", Form::Map(&RESOURCE_FIELD)),
        ("secretKeyRef", Form::Map(&NAMED)),
    ],
);

const FIELD: Shape = shape("apiVersion", &[]);

const RESOURCE_FIELD: Shape = shape("containerName", &[("divisor", QuantityOrZero)]);

const VARIABLES: Shape = shape(
    "prefix",
    &[
        ("configMapRef", Form::Map(&NAMED)),
        ("secretRef", Form::Map(&NAMED)),
    ],
);

const NAMED: Shape = shape("items name", &[]);

const CONTAINER_PORT: Shape = shape("hostIP hostPort name protocol", &[]);

const MOUNT: Shape = shape("readOnly subPath subPathExpr", &[]);

const RESOURCES: Shape = shape("claims", &[("limits", Quantities), ("requests", Quantities)]);

const SECURITY: Shape = shape("", &[("capabilities", Form::Map(&shape("add drop", &[])))]);

const PROBE: Shape = shape(
    "failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds",
    &[
        ("exec", Form::Map(&EXEC)),
        ("grpc", Form::Map(&shape("", &[("service", OrNull)]))),
        ("httpGet", Form::Map(&HTTP)),
        ("tcpSocket", Form::Map(&TCP)),
    ],
);

const LIFECYCLE: Shape = shape(
    "",
    &[
        ("postStart", Form::Map(&HANDLER)),
        ("preStop", Form::Map(&HANDLER)),
    ],
);

const HANDLER: Shape = shape(
    "",
    &[
        ("exec", Form::Map(&EXEC)),
        ("httpGet", Form::Map(&HTTP)),
        ("tcpSocket", Form::Map(&TCP)),
    ],
);

const EXEC: Shape = shape("command", &[]);

const HTTP: Shape = shape("host httpHeaders path scheme", &[("port", OrZero)]);

const TCP: Shape = shape("host", &[("port", OrZero)]);

const TOLERATION: Shape = shape("effect key operator value", &[]);

const VOLUME: Shape = shape(
    "",
    &[
        ("configMap", Form::Map(&NAMED)),
        ("csi", Form::Map(&shape("volumeAttributes", &[]))),
        ("downwardAPI", Form::Map(&DOWNWARD)),
        (
            "emptyDir",
            Form::Map(&shape("medium", &[("sizeLimit", Quantity)])),
        ),
        ("ephemeral", Form::Map(&EPHEMERAL)),
        ("nfs", Form::Map(&READ_ONLY)),
        ("persistentVolumeClaim", Form::Map(&READ_ONLY)),
        ("projected", Form::Map(&PROJECTED)),
        ("secret", Form::Map(&shape("items secretName", &[]))),
    ],
);

const READ_ONLY: Shape = shape("readOnly", &[]);

const DOWNWARD: Shape = shape("", &[("items", Each(&DOWNWARD_FILE))]);

const DOWNWARD_FILE: Shape = shape(
    "",
    &[
        ("fieldRef", Form::Map(&FIELD)),
        ("resourceFieldRef", Form::Map(&RESOURCE_FIELD)),
    ],
);

const PROJECTED: Shape = shape("", &[("sources", Each(&PROJECTION))]);

const PROJECTION: Shape = shape(
    "",
    &[
        ("configMap", Form::Map(&NAMED)),
        ("downwardAPI", Form::Map(&DOWNWARD)),
        ("secret", Form::Map(&NAMED)),
        ("serviceAccountToken", Form::Map(&shape("audience", &[]))),
    ],
);

const EPHEMERAL: Shape = shape("", &[("volumeClaimTemplate", Form::Map(&CLAIM_TEMPLATE))]);

const CLAIM_TEMPLATE: Shape = shape("", &[("metadata", Always(&METADATA)), ("spec", Always(&CLAIM))]);

const CLAIM: Shape = shape(
    "accessModes volumeName",
    &[
        ("resources", Always(&RESOURCES)),
        ("selector", Form::Map(&SELECTOR)),
    ],
);

/// A quantity that is none, and the way to it.
type Refused = (String, NotAQuantity);

impl Shape {
    pub(super) fn write(&self, fields: &Map<String, Value>) -> Result<Map<String, Value>, Refused> {
        let mut written = Map::new();
        for (name, value) in fields {
            if !self.fields.iter().any(|(known, _)| known == name) && !self.is_left_out(name, value) {
                written.insert(name.clone(), without_nulls(value));
            }
        }
        for (name, form) in self.fields {
            let value = fields.get(*name).filter(|value| !value.is_null());
            if let Some(value) = form.write(value).map_err(|refused| within(name, refused))? {
                written.insert((*name).to_owned(), value);
            }
        }
        Ok(written)
    }

    fn is_left_out(&self, name: &str, value: &Value) -> bool {
        value.is_null() || (is_zero(value) && self.zero.split_whitespace().any(|zero| zero == name))
    }
}

impl Form {
    /// A value of another type than the form's is left to whoever checks types.
    fn write(&self, value: Option<&Value>) -> Result<Option<Value>, Refused> {
        let quantity = |value: &Value| {
            quantity::canonical(value)
                .map(Value::String)
                .map_err(|source| (String::new(), source))
        };
        Ok(match (self, value) {
            (Null, _) | (OrNull, None) => Some(Value::Null),
            (OrZero, None) => Some(json!(0)),
            (QuantityOrZero, None) => Some(json!("0")),
            (Always(shape), None) => Some(shape.write(&Map::new())?.into()),
            (_, None) => None,
            (Form::Map(shape) | Always(shape), Some(Value::Object(fields))) => {
                Some(shape.write(fields)?.into())
            }
            (Each(_), Some(Value::Array(entries))) if entries.is_empty() => None,
            (Each(shape), Some(Value::Array(entries))) => Some(each(shape, entries)?),
            (Quantity | QuantityOrZero, Some(value)) => Some(quantity(value)?),
            (Quantities, Some(Value::Object(fields))) if fields.is_empty() => None,
            (Quantities, Some(Value::Object(fields))) => {
                let canonical = fields.iter().map(|(name, value)| {
                    let value = quantity(value).map_err(|refused| within(name, refused))?;
                    Ok((name.clone(), value))
                });
                Some(Value::Object(canonical.collect::<Result<_, _>>()?))
            }
            (_, Some(value)) => Some(value.clone()),
        })
    }
}

fn each(shape: &Shape, entries: &[Value]) -> Result<Value, Refused> {
    let write = |(index, entry): (usize, &Value)| match entry {
        Value::Object(fields) => {
            let written = shape.write(fields);
            written
                .map(Value::Object)
                .map_err(|refused| within(&format!("[{index}]"), refused))
        }
        other => Ok(other.clone()),
    };
    entries.iter().enumerate().map(write).collect()
}

fn within(name: &str, (path, source): Refused) -> Refused {
    match path.as_str() {
        "" => (name.to_owned(), source),
        path if path.starts_with('[') => (format!("{name}{path}"), source),
        path => (format!("{name}.{path}"), source),
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// A null is what is not there.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(entries) => entries.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
