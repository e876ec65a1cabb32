//! Templates of classes, brought into the form that they have behind a Kubernetes type.
//!
//! OpenChoreo reads a template into the Go type of Deployment, Service or CronJob and writes it again. That leaves out
//! what is zero, writes what is always written, and makes quantities canonical; objects are compared with what comes
//! out, so it is done here too. What Go's types of that version do not know is lost there and kept here,
//! unless an operator wants it lost here too, see [`former`].
//!
//! A template of another form is an error of its class alone.

pub(crate) mod former;
mod shape;

use k8s_openapi::api::{apps::v1::DeploymentSpec, batch::v1::CronJobSpec, core::v1::ServiceSpec};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::quantity::NotAQuantity;
use shape::Shape;

/// A template that the Kubernetes type does not take.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is no map at all.
    #[error("it is not a map")]
    NotAMap,
    /// Some quantity in it is none.
    #[error("{path}")]
    Quantity {
        /// Where in the template.
        path: String,
        #[source]
        /// What stands there.
        source: NotAQuantity,
    },
    /// Some field has another type.
    #[error("not the spec of a {kind}")]
    Type {
        /// The kind that it is for.
        kind: &'static str,
        /// The field, and its trouble.
        #[source]
        source: serde_path_to_error::Error<serde_json::Error>,
    },
}

/// The spec of a Deployment.
///
/// # Errors
/// It is not one.
pub(crate) fn deployment(template: Option<&Value>) -> Result<Map<String, Value>, Malformed> {
    read::<DeploymentSpec>("Deployment", template, &shape::DEPLOYMENT)
}

/// The spec of a Service.
///
/// # Errors
/// It is not one.
pub(crate) fn service(template: Option<&Value>) -> Result<Map<String, Value>, Malformed> {
    read::<ServiceSpec>("Service", template, &shape::SERVICE)
}

/// The spec of a CronJob.
///
/// # Errors
/// It is not one.
pub(crate) fn cron_job(template: Option<&Value>) -> Result<Map<String, Value>, Malformed> {
    read::<CronJobSpec>("CronJob", template, &shape::CRON_JOB)
}

/// A selector as Go writes it, so that two which find the same are equal; an older hub stored it as its class has it.
pub(crate) fn selector(of: Option<&Value>) -> Option<Map<String, Value>> {
    // There are no quantities in it.
    shape::SELECTOR.write(of?.as_object()?).ok()
}

fn read<'de, K: for<'a> Deserialize<'a>>(
    kind: &'static str,
    template: Option<&'de Value>,
    shape: &Shape,
) -> Result<Map<String, Value>, Malformed> {
    let none = Map::new();
    let fields = match template {
        None | Some(Value::Null) => &none,
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(Malformed::NotAMap),
    };
    let spec = Value::Object(
        shape
            .write(fields)
            .map_err(|(path, source)| Malformed::Quantity { path, source })?,
    );
    // Following the way to a field costs more than reading, so it is done where there is something to say.
    K::deserialize(&spec)
        .or_else(|_| serde_path_to_error::deserialize(&spec))
        .map_err(|source| Malformed::Type { kind, source })?;
    match spec {
        Value::Object(spec) => Ok(spec),
        _ => Err(Malformed::NotAMap),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::json;

    use super::*;

    fn check<E: std::fmt::Debug>(
        read: impl Fn(Option<&Value>) -> Result<Map<String, Value>, E>,
        cases: Vec<(Value, Value)>,
    ) {
        for (template, expected) in cases {
            assert_eq!(
                Value::Object(read(Some(&template)).unwrap()),
                expected,
                "{template}"
            );
        }
    }

    #[test]
    fn what_is_always_written_is_there() {
        let pod = json!({"metadata": {"creationTimestamp": null}, "spec": {}});
        let deployment_spec = json!({"strategy": {}, "template": pod});
        let job = json!({"metadata": {"creationTimestamp": null}, "spec": {"template": pod}});
        assert_eq!(Value::Object(deployment(None).unwrap()), deployment_spec);
        assert_eq!(
            Value::Object(cron_job(Some(&Value::Null)).unwrap()),
            json!({"jobTemplate": job})
        );
        assert_eq!(Value::Object(service(Some(&json!({}))).unwrap()), json!({}));
        check(
            deployment,
            vec![
                (
                    json!({
                        "selector": null, "strategy": {"type": ""}, "template": {
                            "metadata": {"creationTimestamp": null}, "spec": {"containers": null},
                        },
                    }),
                    deployment_spec,
                ),
                (
                    json!({"template": {"spec": {
                        "containers": [{"name": "main", "livenessProbe": {"grpc": {"port": 1}}, "env": [
                            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                        ]}],
                        "initContainers": [{"name": "first"}],
                        "volumes": [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}],
                    }}}),
                    json!({"strategy": {}, "template": {"metadata": {"creationTimestamp": null}, "spec": {
                        "containers": [{
                            "name": "main", "resources": {}, "livenessProbe": {"grpc": {"port": 1, "service": null}},
                            "env": [{"name": "CPU", "valueFrom": {
                                "resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"},
                            }}],
                        }],
                        "initContainers": [{"name": "first", "resources": {}}],
                        "volumes": [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {
                            "metadata": {"creationTimestamp": null}, "spec": {"resources": {}},
                        }}}],
                    }}}),
                ),
            ],
        );
        check(
            service,
            vec![(
                json!({"ports": [{"port": 80}, {"port": 81, "targetPort": "web", "nodePort": 0}]}),
                json!({"ports": [{"port": 80, "targetPort": 0}, {"port": 81, "targetPort": "web"}]}),
            )],
        );
    }

    #[test]
    fn what_is_zero_is_left_out_unless_zero_says_something() {
        check(
            deployment,
            vec![(
                json!({
                    "replicas": 0, "minReadySeconds": 0, "paused": false, "progressDeadlineSeconds": 0,
                    "template": {"metadata": {"labels": {}, "annotations": {"a": ""}}, "spec": {
                        "hostNetwork": false, "nodeName": "", "automountServiceAccountToken": false, "tolerations": [],
                        "securityContext": {}, "containers": [{
                            "name": "main", "args": [], "tty": false, "securityContext": {"privileged": false},
                            "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": false}],
                        }],
                        "volumes": [{"name": "v", "emptyDir": {"medium": ""}}],
                    }},
                }),
                json!({
                    "replicas": 0, "progressDeadlineSeconds": 0, "strategy": {}, "template": {
                        "metadata": {"creationTimestamp": null, "annotations": {"a": ""}}, "spec": {
                            "automountServiceAccountToken": false, "securityContext": {}, "containers": [{
                                "name": "main", "resources": {}, "securityContext": {"privileged": false},
                                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                            }],
                            "volumes": [{"name": "v", "emptyDir": {}}],
                        },
                    },
                }),
            )],
        );
    }

    #[test]
    fn what_is_empty_in_a_selector_is_left_out() {
        let exists = json!({"key": "tier", "operator": "Exists"});
        let padded = json!({"key": "tier", "operator": "Exists", "values": []});
        check(
            deployment,
            vec![
                (
                    json!({"selector": {"matchLabels": {}, "matchExpressions": []}}),
                    json!({"selector": {}, "strategy": {}, "template": {
                        "metadata": {"creationTimestamp": null}, "spec": {},
                    }}),
                ),
                (
                    json!({"selector": {"matchExpressions": [padded]}}),
                    json!({"selector": {"matchExpressions": [exists]}, "strategy": {}, "template": {
                        "metadata": {"creationTimestamp": null}, "spec": {},
                    }}),
                ),
            ],
        );
    }

    #[test]
    fn quantities_are_canonical_wherever_they_stand() {
        check(
            deployment,
            vec![(
                json!({"template": {"spec": {
                    "overhead": {"cpu": 0.25}, "containers": [{
                        "name": "main", "resources": {"requests": {"cpu": 0.4, "memory": "1024Mi"}, "limits": {}},
                    }],
                    "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1.5Gi"}}],
                }}}),
                json!({"strategy": {}, "template": {"metadata": {"creationTimestamp": null}, "spec": {
                    "overhead": {"cpu": "250m"}, "containers": [{
                        "name": "main", "resources": {"requests": {"cpu": "400m", "memory": "1Gi"}},
                    }],
                    "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1536Mi"}}],
                }}}),
            )],
        );
    }

    #[test]
    fn fields_that_are_not_known_stay() {
        check(
            service,
            vec![(
                json!({"novelty": {"empty": [], "zero": 0, "null": null}, "ports": []}),
                json!({"novelty": {"empty": [], "zero": 0}}),
            )],
        );
    }

    #[test]
    fn a_template_of_another_form_is_refused_with_the_field() {
        for (template, expected) in [
            (json!("text"), "it is not a map"),
            (
                json!({"replicas": "two"}),
                "not the spec of a Deployment: replicas: invalid type: string \"two\", expected i32",
            ),
            (
                json!({"template": {"spec": {"containers": {}}}}),
                "not the spec of a Deployment: template.spec.containers: invalid type: map, expected a sequence",
            ),
            (
                json!({"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}}}),
                "template.spec.containers[0].resources.limits.cpu: \"lots\" is not a quantity",
            ),
        ] {
            let error = deployment(Some(&template)).unwrap_err();
            let source = error.source().map(|source| format!(": {source}"));
            let error = format!("{error}{}", source.unwrap_or_default());
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
