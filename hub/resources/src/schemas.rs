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
