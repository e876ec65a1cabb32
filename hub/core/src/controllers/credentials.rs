//! Credentials of clusters that an older installation has stored. Nobody here needs them, so they are not even kept in
//! memory; that they are there is said.

use std::collections::BTreeMap;

use kube::core::ObjectMeta;
use outhaul_hub_resources::KubernetesCluster;
use serde_json::{Value, json};

/// Where `kubectl apply` keeps what it last applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Leaves out of a DataPlane or BuildPlane what opens its cluster, also in what `kubectl apply` noted. No other annotation
/// is kept.
pub(super) fn leave_out(metadata: &mut ObjectMeta, cluster: Option<&mut KubernetesCluster>) {
    if let Some(cluster) = cluster {
        cluster.redact();
    }
    metadata.annotations = applied(metadata).map(|mut applied| {
        applied.redact();
        let note = json!({"spec": {"kubernetesCluster": applied}});
        BTreeMap::from([(LAST_APPLIED.to_owned(), note.to_string())])
    });
}

/// Where a DataPlane or BuildPlane holds how its cluster was dialled, in words; none where it does not.
pub(super) fn places(metadata: &ObjectMeta, cluster: Option<&KubernetesCluster>) -> Option<String> {
    let fields = cluster.map(KubernetesCluster::filled).unwrap_or_default();
    let fields = fields
        .into_iter()
        .map(|field| format!("spec.kubernetesCluster.{field}"));
    let note = applied(metadata).map(|_| format!("annotation {LAST_APPLIED}"));
    let places: Vec<_> = fields.chain(note).collect();
    (!places.is_empty()).then(|| places.join(", "))
}

/// What `kubectl apply` noted of a cluster, where it holds anything.
fn applied(metadata: &ObjectMeta) -> Option<KubernetesCluster> {
    let note = metadata.annotations.as_ref()?.get(LAST_APPLIED)?;
    let note: Value = serde_json::from_str(note).ok()?;
    let cluster = note.pointer("/spec/kubernetesCluster")?.clone();
    let cluster: KubernetesCluster = serde_json::from_value(cluster).ok()?;
    (!cluster.filled().is_empty()).then_some(cluster)
}
