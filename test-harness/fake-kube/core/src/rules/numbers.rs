//! Numbers of built-in kinds that may not be less than something, as a table.

use serde_json::Value;

use super::metadata::invalid;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// Kinds, by group and name, with fields and whether these must be positive rather than not negative.
type Row = (&'static str, &'static str, &'static [(&'static str, bool)]);

const TABLE: &[Row] = &[
    (
        "apps",
        "Deployment",
        &[
            ("spec.replicas", false),
            ("spec.minReadySeconds", false),
            ("spec.revisionHistoryLimit", false),
            ("spec.progressDeadlineSeconds", false),
        ],
    ),
    (
        "apps",
        "DaemonSet",
        &[
            ("spec.minReadySeconds", false),
            ("spec.revisionHistoryLimit", false),
        ],
    ),
    (
        "apps",
        "ReplicaSet",
        &[("spec.replicas", false), ("spec.minReadySeconds", false)],
    ),
    (
        "apps",
        "StatefulSet",
        &[("spec.replicas", false), ("spec.minReadySeconds", false)],
    ),
    (
        "batch",
        "Job",
        &[
            ("spec.parallelism", false),
            ("spec.completions", false),
            ("spec.activeDeadlineSeconds", false),
            ("spec.backoffLimit", false),
            ("spec.ttlSecondsAfterFinished", false),
        ],
    ),
    (
        "coordination.k8s.io",
        "Lease",
        &[
            ("spec.leaseDurationSeconds", true),
            ("spec.leaseTransitions", false),
        ],
    ),
];

/// What is wrong with the numbers of an object.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let row = TABLE
        .iter()
        .find(|(group, name, _)| *group == &*kind.id.group && *name == &*kind.name);
    let fields = row.map(|(.., fields)| *fields).unwrap_or_default();
    fields
        .iter()
        .filter_map(|(path, positive)| {
            let number = at(object, path)?.as_i64()?;
            let detail = match (number, positive) {
                (..=0, true) => "must be greater than 0",
                (..0, false) => "must be greater than or equal to 0",
                _ => return None,
            };
            let path = path
                .split('.')
                .fold(FieldPath::root(), |path, name| path.field(name));
            Some(invalid(path, number, detail))
        })
        .collect()
}

fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |value, name| value.get(name))
}
