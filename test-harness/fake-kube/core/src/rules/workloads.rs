//! Workloads must select their own pods.

use serde_json::Value;

use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath, Problem};
use crate::selector::LabelSelector;

const KINDS: [&str; 4] = ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"];

/// What is wrong between the selector and the template of a workload.
pub(crate) fn check(kind: &Kind, object: &Value) -> Option<FieldError> {
    if &*kind.id.group != "apps" || !KINDS.contains(&&*kind.name) {
        return None;
    }
    let spec = &object["spec"];
    let labels = &spec["template"]["metadata"]["labels"];
    let selects = |selector: &Value| LabelSelector::from_object(selector).matches_labels(labels);
    if !spec["selector"].is_null() && selects(&spec["selector"]) {
        return None;
    }
    let path = ["spec", "template", "metadata", "labels"]
        .iter()
        .fold(FieldPath::root(), |path, name| path.field(name));
    let detail = "`selector` does not match template `labels`".to_owned();
    Some(FieldError {
        path,
        problem: Problem::Invalid {
            value: labels.clone(),
            detail,
        },
    })
}
