//! Specs of which only a few fields may change.

use serde_json::Value;

use super::{claims, places};
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const POD: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
                   `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                   existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                   previously negative)\n";
const CLAIM: &str = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n";

/// What an update changes of a Pod's or a claim's spec that it may not. The server shows the difference below.
pub(crate) fn check(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    let path = FieldPath::root().field("spec");
    let forbidden = |path: FieldPath, detail: &str| vec![FieldError::forbidden(path, detail)];
    match (&*kind.id.group, &*kind.name) {
        ("", "Pod") => {
            let count = |object: &Value, list: &str| object["spec"][list].as_array().map_or(0, Vec::len);
            for list in ["containers", "initContainers"] {
                if count(old, list) != count(new, list) {
                    return forbidden(path.field(list), "pod updates may not add or remove containers");
                }
            }
            let mut errors = Vec::new();
            if !keeps_tolerations(&old["spec"]["tolerations"], &new["spec"]["tolerations"]) {
                let detail = "existing toleration can not be modified except its tolerationSeconds";
                errors.extend(forbidden(path.field("tolerations"), detail));
            }
            if pod_but_for_images(old) != pod_but_for_images(new) {
                errors.extend(forbidden(path, POD));
            }
            errors
        }
        ("", "PersistentVolumeClaim") => {
            let is_same = claim_but_for_size(old, new, old) == claim_but_for_size(old, new, new);
            let mut errors = if is_same {
                Vec::new()
            } else {
                forbidden(path, CLAIM)
            };
            errors.extend(claims::check_update(old, new));
            errors
        }
        _ => Vec::new(),
    }
}

/// Whether each toleration is still there, for however long.
fn keeps_tolerations(old: &Value, new: &Value) -> bool {
    let but_for_time = |list: &Value| -> Vec<Value> {
        let mut all = list.as_array().cloned().unwrap_or_default();
        for toleration in all.iter_mut().filter_map(Value::as_object_mut) {
            toleration.remove("tolerationSeconds");
        }
        all
    };
    let kept = but_for_time(new);
    but_for_time(old)
        .iter()
        .all(|toleration| kept.contains(toleration))
}

fn pod_but_for_images(pod: &Value) -> Value {
    places::pod_without(&pod["spec"], &["activeDeadlineSeconds", "tolerations"], "image")
}

/// What of `claim`, which is one of the two others, may not change.
fn claim_but_for_size(old: &Value, new: &Value, claim: &Value) -> Value {
    let mut spec = claim["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        if old["spec"]["volumeName"].as_str().is_none_or(str::is_empty) {
            fields.remove("volumeName");
        }
        if old["spec"]["storageClassName"].is_null() {
            fields.remove("storageClassName");
        }
        if new["status"]["phase"] == "Bound" {
            fields.remove("volumeAttributesClassName");
            let requests = fields
                .get_mut("resources")
                .and_then(|resources| resources.get_mut("requests"));
            if let Some(requests) = requests.and_then(Value::as_object_mut) {
                requests.remove("storage");
            }
        }
    }
    spec
}
