//! Pieces of schema that Rust types alone do not say.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Any JSON, kept as it is. Whoever uses it in a list marks that list atomic: its entries have no schema to merge by.
pub(crate) fn raw_json(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// A list of raw Kubernetes objects.
pub(crate) fn raw_json_list(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "x-kubernetes-preserve-unknown-fields": true },
    })
}

/// Conditions with the limits that Kubernetes' own `metav1.Condition` has in Go-made definitions. As there,
/// the list is no map: without a list type it is atomic, and one writer owns it.
pub(crate) fn conditions(_: &mut SchemaGenerator) -> Schema {
    const TYPE: &str = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
    const REASON: &str = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
    json_schema!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "lastTransitionTime": {
                    "description": "When status last changed.",
                    "type": "string",
                    "format": "date-time",
                },
                "message": { "description": "Why, for people.", "type": "string", "maxLength": 32768 },
                "observedGeneration": {
                    "description": "metadata.generation that this was said about.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                },
                "reason": {
                    "description": "Why, as one word.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": REASON,
                },
                "status": {
                    "description": "True, False or Unknown.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                },
                "type": { "description": "What is said.", "type": "string", "maxLength": 316, "pattern": TYPE },
            },
        },
    })
}

/// A whole number of no stated size, as Go's `int` becomes.
pub(crate) fn integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer" })
}

/// Kubernetes' own `Probe` in the form that OpenChoreo's definitions have of it.
pub(crate) fn probe(_: &mut SchemaGenerator) -> Schema {
    let count = |what: &str| json_schema!({ "description": what, "type": "integer", "format": "int32" });
    let text = |what: &str| json_schema!({ "description": what, "type": "string" });
    let port =
        json_schema!({ "description": "Number or name of a port.", "x-kubernetes-int-or-string": true });
    json_schema!({
        "type": "object",
        "properties": {
            "exec": {
                "description": "Asks by a command.",
                "type": "object",
                "properties": {
                    "command": {
                        "description": "The command.",
                        "type": "array",
                        "items": { "type": "string" },
                        "x-kubernetes-list-type": "atomic",
                    },
                },
            },
            "grpc": {
                "description": "Asks by gRPC.",
                "type": "object",
                "required": ["port"],
                "properties": {
                    "port": { "description": "Port.", "type": "integer", "format": "int32" },
                    "service": { "description": "Service asked for.", "type": "string", "default": "" },
                },
            },
            "httpGet": {
                "description": "Asks by HTTP.",
                "type": "object",
                "required": ["port"],
                "properties": {
                    "host": text("Host, where it is not the pod."),
                    "httpHeaders": {
                        "description": "Headers.",
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["name", "value"],
                            "properties": { "name": text("Header."), "value": text("Its value.") },
                        },
                        "x-kubernetes-list-type": "atomic",
                    },
                    "path": text("Path."),
                    "port": port,
                    "scheme": text("Scheme."),
                },
            },
            "tcpSocket": {
                "description": "Asks by connecting.",
                "type": "object",
                "required": ["port"],
                "properties": { "host": text("Host, where it is not the pod."), "port": port },
            },
            "initialDelaySeconds": count("Seconds before the first time."),
            "periodSeconds": count("Seconds from one time to the next."),
            "timeoutSeconds": count("Seconds after which there is no answer."),
            "successThreshold": count("Successes in a row that make it good."),
            "failureThreshold": count("Failures in a row that make it bad."),
            "terminationGracePeriodSeconds": {
                "description": "Seconds that a bad one has to end.",
                "type": "integer",
                "format": "int64",
            },
        },
    })
}
