//! Moving an object from client-side to server-side apply of kubectl without conflicts with itself.

use serde_json::{Value, json};

use super::{Applied, Conflicts, Manager};
use crate::fieldset::{FieldSet, compare, of_value};
use crate::schema::Schema;

/// The annotation in which client-side apply keeps its last config.
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The one manager whose client-side past is known.
const KUBECTL: &str = "kubectl";

/// `conflicts` without those about fields that kubectl itself set by client-side apply and nobody changed since.
pub(super) fn without_own(
    conflicts: Conflicts,
    live: Option<&Value>,
    by: &Manager,
    schema: &Schema,
) -> Conflicts {
    let applied_before = live
        .filter(|_| by.name == KUBECTL)
        .and_then(|live| unchanged(live, by, schema));
    let Some(applied_before) = applied_before else {
        return conflicts;
    };
    let ours: Vec<String> = applied_before.paths().iter().map(ToString::to_string).collect();
    Conflicts(
        conflicts
            .0
            .into_iter()
            .filter(|conflict| !ours.contains(&conflict.field))
            .collect(),
    )
}

/// The fields of the last config that still are as it said.
fn unchanged(live: &Value, by: &Manager, schema: &Schema) -> Option<FieldSet> {
    let config: Value = serde_json::from_str(annotation(live)?).ok()?;
    if config["apiVersion"] != by.api_version.as_str() {
        return None;
    }
    let changes = compare(schema, &config, live);
    let changed = changes.modified.union(&changes.added).union(&changes.removed);
    Some(of_value(schema, &config).difference(&changed))
}

/// Client-side apply must find what server-side apply did after it.
pub(super) fn kept_current(applied: Applied, live: Option<&Value>, config: &Value, by: &Manager) -> Applied {
    let Applied { mut object, changed } = applied;
    if by.name != KUBECTL || annotation(&object).is_none() {
        return Applied { object, changed };
    }
    let mut config = config.clone();
    if let Some(annotations) = config
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove(ANNOTATION);
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations") {
        annotations[ANNOTATION] = json!(format!("{config}\n"));
    }
    let changed = live != Some(&object);
    Applied { object, changed }
}

fn annotation(object: &Value) -> Option<&str> {
    object
        .pointer("/metadata/annotations")?
        .get(ANNOTATION)?
        .as_str()
        .filter(|text| !text.is_empty())
}
