//! Values that the server gave and that an update without them keeps.

use serde_json::Value;

use crate::effects;
use crate::kind::Kind;

/// Keeps what only the server sets.
pub(crate) fn carry(kind: &Kind, old: &Value, new: &mut Value) {
    carry_addresses(kind, old, new);
    effects::tolerate(kind, new);
    effects::count_templates(kind, old, new);
    if effects::is_namespace(kind) {
        new["spec"]["finalizers"] = old["spec"]["finalizers"].clone();
    }
}

/// Keeps the addresses of a Service that an update leaves out, as one with the original manifest does.
fn carry_addresses(kind: &Kind, old: &Value, new: &mut Value) {
    if !kind.id.group.is_empty() || &*kind.name != "Service" || new["spec"]["type"] == "ExternalName" {
        return;
    }
    let given = |value: &Value| value.as_str().is_some_and(|ip| !ip.is_empty());
    if given(&old["spec"]["clusterIP"]) && !given(&new["spec"]["clusterIP"]) {
        for field in ["clusterIP", "clusterIPs"] {
            new["spec"][field] = old["spec"][field].clone();
        }
    }
    for field in ["ipFamilies", "ipFamilyPolicy"] {
        if new["spec"][field].is_null() && !old["spec"][field].is_null() {
            new["spec"][field] = old["spec"][field].clone();
        } else if new["spec"][field].is_null() {
            new["spec"].as_object_mut().map(|spec| spec.remove(field));
        }
    }
    // The first of the list and the one alone are the same field under two names.
    let first = new["spec"]["clusterIP"].clone();
    if let Some(slot) = new["spec"]["clusterIPs"].get_mut(0) {
        *slot = first;
    }
}
