//! Values that the server gave and that an update without them keeps.

use serde_json::{Value, json};

use crate::effects;
use crate::kind::Kind;

/// Keeps what only the server sets.
pub(crate) fn carry(kind: &Kind, old: &Value, new: &mut Value) {
    carry_addresses(kind, old, new);
    effects::tolerate(kind, new);
    carry_priority(kind, old, new);
    effects::forget_traffic(kind, new);
    effects::count_templates(kind, old, new);
}

/// Keeps the priority that admission gave a pod.
fn carry_priority(kind: &Kind, old: &Value, new: &mut Value) {
    if !kind.is("", "Pod") {
        return;
    }
    if new["status"]["qosClass"].is_null() && old["status"]["qosClass"].is_string() {
        new["status"]["qosClass"] = old["status"]["qosClass"].clone();
    }
    for field in ["preemptionPolicy", "priority"] {
        if let Some(value) = old["spec"]
            .get(field)
            .filter(|_| new["spec"].get(field).is_none())
        {
            new["spec"][field] = value.clone();
        }
    }
}

/// Keeps the addresses of a Service that an update leaves out, as one with the original manifest does.
fn carry_addresses(kind: &Kind, old: &Value, new: &mut Value) {
    if !kind.is("", "Service") {
        return;
    }
    if new["spec"]["type"] == "ExternalName" {
        return give_up_addresses(old, new);
    }
    let given = |value: &Value| value.as_str().is_some_and(|ip| !ip.is_empty());
    let spec = &mut new["spec"];
    if given(&old["spec"]["clusterIP"]) && !given(&spec["clusterIP"]) {
        spec["clusterIP"] = old["spec"]["clusterIP"].clone();
    }
    if spec.get("clusterIPs").is_none() && given(&old["spec"]["clusterIPs"][0]) {
        spec["clusterIPs"] = old["spec"]["clusterIPs"].clone();
    }
    // The first of the list and the one alone are the same field under two names.
    let address = spec.get("clusterIP").filter(|address| given(address)).cloned();
    let is_new = address.as_ref() != old["spec"].get("clusterIP");
    if let Some(address) =
        address.filter(|_| is_new && spec.get("clusterIPs") == old["spec"].get("clusterIPs"))
    {
        spec["clusterIPs"] = json!([address]);
    }
    let spec = &mut new["spec"];
    if old["spec"]["type"] == "ExternalName"
        && spec["clusterIP"] != "None"
        && spec.get("ipFamilies").is_none()
    {
        spec["ipFamilies"] = json!(["IPv4"]);
        spec["ipFamilyPolicy"] = "SingleStack".into();
    }
    for field in ["ipFamilies", "ipFamilyPolicy"] {
        if new["spec"][field].is_null() && !old["spec"][field].is_null() {
            new["spec"][field] = old["spec"][field].clone();
        } else if new["spec"][field].is_null() {
            new["spec"].as_object_mut().map(|spec| spec.remove(field));
        }
    }
}

/// A Service that only stands for a name elsewhere has no addresses: those that nobody changed go.
fn give_up_addresses(old: &Value, new: &mut Value) {
    let had = old["spec"]["type"] != "ExternalName";
    for fields in [
        &["clusterIP", "clusterIPs"][..],
        &["ipFamilies"],
        &["ipFamilyPolicy"],
    ] {
        let is_kept = fields
            .iter()
            .all(|field| old["spec"][field] == new["spec"][field]);
        if had
            && is_kept
            && let Some(spec) = new["spec"].as_object_mut()
        {
            spec.retain(|name, _| !fields.contains(&name.as_str()));
        }
    }
    if let Some(address) = new["spec"]
        .get("clusterIP")
        .filter(|address| *address != "")
        .cloned()
        && new["spec"]["clusterIPs"].is_null()
    {
        new["spec"]["clusterIPs"] = json!([address]);
    }
    if let Some(spec) = new["spec"].as_object_mut() {
        spec.retain(|_, value| !value.is_null());
    }
}
