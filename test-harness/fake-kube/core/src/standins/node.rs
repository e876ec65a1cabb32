//! Which pod may run on which node.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::selector::LabelSelector;

/// The kind of nodes.
pub(super) fn resource() -> GroupResource {
    GroupResource::new("", "nodes")
}

/// The first node, in order of name, that fits a pod's spec.
pub(super) fn fitting<'a>(cluster: &'a Cluster, spec: &Value) -> Option<&'a Value> {
    cluster
        .objects(&resource(), None)
        .find(|node| !meta::is_terminating(node) && fits(node, spec))
}

/// Node selectors, cordons and the pins of DaemonSets count; there is room for everything.
fn fits(node: &Value, spec: &Value) -> bool {
    let pinned = pin(spec);
    let may_be_cordoned = pinned.is_some();
    has_labels(node, spec)
        && (may_be_cordoned || node["spec"]["unschedulable"] != true)
        && pinned.is_none_or(|name| name == meta::name(node))
}

/// Whether a node has the labels that a pod's spec selects nodes by.
pub(super) fn has_labels(node: &Value, spec: &Value) -> bool {
    let labels = serde_json::json!({"matchLabels": spec["nodeSelector"]});
    LabelSelector::from_object(&labels).matches(node)
}

/// The node that a DaemonSet made a pod for.
pub(super) fn pin(spec: &Value) -> Option<&str> {
    spec.pointer(PIN)?.as_str()
}

const PIN: &str = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0";
