//! StatefulSets: pods with ordinals, one after the other, with their claims.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::owned;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::store::Key;

const REVISION_LABEL: &str = "controller-revision-hash";

pub(super) fn plan(cluster: &Cluster, set: &Value, _: &Moment) -> Vec<Action> {
    let revision = format!(
        "{}-{}",
        meta::name(set),
        owned::template_hash(&set["spec"]["template"])
    );
    let pods = owned::all(cluster, set, &owned::pods());
    let wanted = usize::try_from(owned::count(set, "replicas", 1)).unwrap_or(0);
    let names: Vec<String> = (0..wanted)
        .map(|ordinal| format!("{}-{ordinal}", meta::name(set)))
        .collect();
    let mut actions = Vec::new();
    let extra = pods
        .iter()
        .filter(|pod| !names.iter().any(|name| name == meta::name(pod)));
    actions.extend(extra.map(|pod| owned::delete_pod(pod)));
    if actions.is_empty() {
        actions.extend(next_step(cluster, set, &names, &pods, &revision));
    }
    actions.push(Action::SetStatus {
        resource: GroupResource::new("apps", "statefulsets"),
        key: action::key(set),
        status: status(set, &pods, &revision),
    });
    actions
}

/// Creates the first missing pod once those before it are ready (all at once where the policy is Parallel), then
/// replaces outdated ones from the last to the first.
fn next_step(
    cluster: &Cluster,
    set: &Value,
    names: &[String],
    pods: &[&Value],
    revision: &str,
) -> Vec<Action> {
    let parallel = set["spec"]["podManagementPolicy"] == "Parallel";
    let find = |name: &String| pods.iter().find(|pod| meta::name(pod) == name);
    let mut actions = Vec::new();
    for (ordinal, name) in names.iter().enumerate() {
        match find(name) {
            Some(pod) if owned::is_ready(pod) || parallel => {}
            Some(_) => return actions,
            None => {
                actions.extend(missing_claims(cluster, set, name));
                let labels = [
                    (REVISION_LABEL, revision),
                    ("statefulset.kubernetes.io/pod-name", name),
                    ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
                ];
                actions.push(owned::new_pod(set, ("name", name), &labels));
                if !parallel {
                    return actions;
                }
            }
        }
    }
    let outdated = names
        .iter()
        .rev()
        .filter_map(find)
        .find(|pod| pod["metadata"]["labels"][REVISION_LABEL] != *revision);
    if set["spec"]["updateStrategy"]["type"] != "OnDelete" {
        actions.extend(outdated.map(|pod| owned::delete_pod(pod)));
    }
    actions
}

fn missing_claims(cluster: &Cluster, set: &Value, pod: &str) -> Vec<Action> {
    let claims = GroupResource::new("", "persistentvolumeclaims");
    let templates = set["spec"]["volumeClaimTemplates"].as_array();
    templates
        .into_iter()
        .flatten()
        .map(|template| (format!("{}-{pod}", meta::name(template)), template))
        .filter(|(name, _)| {
            cluster
                .store
                .get(&claims, &Key::new(meta::namespace(set), name))
                .is_none()
        })
        .map(|(name, template)| {
            let object = json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": template["spec"],
                "metadata": {
                    "name": name, "namespace": meta::namespace(set),
                    "labels": set["spec"]["selector"]["matchLabels"],
                },
            });
            Action::Create {
                resource: claims.clone(),
                object,
            }
        })
        .collect()
}

fn status(set: &Value, pods: &[&Value], revision: &str) -> Value {
    let count = |test: &dyn Fn(&Value) -> bool| owned::number(pods.iter().filter(|pod| test(pod)).count());
    let ready = count(&|pod| owned::is_ready(pod));
    let updated = count(&|pod| pod["metadata"]["labels"][REVISION_LABEL] == *revision);
    let rolled_out = updated == owned::count(set, "replicas", 1) && ready == updated;
    let current = match set["status"]["currentRevision"].as_str() {
        Some(current) if !rolled_out => current,
        _ => revision,
    };
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": pods.len(), "availableReplicas": ready,
        "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    let current = count(&|pod| pod["metadata"]["labels"][REVISION_LABEL] == *current);
    for (field, value) in [
        ("readyReplicas", ready),
        ("currentReplicas", current),
        ("updatedReplicas", updated),
    ] {
        if value != 0 {
            status[field] = value.into();
        }
    }
    status
}
