//! StatefulSets: pods with ordinals, one after the other, with their claims.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::note::Note;
use super::{owned, revisions};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::store::Key;

const CONTROLLER: &str = "statefulset-controller";

pub(super) fn plan(cluster: &Cluster, set: &Value, moment: &Moment) -> Vec<Action> {
    let hash = owned::template_hash(&set["spec"]["template"]);
    let revision = format!("{}-{hash}", meta::name(set));
    let pods = owned::all(cluster, set, &owned::pods());
    let mut actions = revisions::keep(cluster, set, &hash, &pods);
    actions.extend(next_step(cluster, set, &pods, &revision));
    let (available, later) = owned::available(set, &pods, moment);
    actions.extend(later);
    actions.push(Action::SetStatus {
        resource: GroupResource::new("apps", "statefulsets"),
        key: action::key(set),
        status: status(cluster, set, &pods, &revision, available),
    });
    actions
}

/// Creates the first missing pod once those before it are ready, then takes away what is too many from the end, then
/// replaces outdated ones from the last to the first; all at once where the policy is Parallel.
fn next_step(cluster: &Cluster, set: &Value, pods: &[&Value], revision: &str) -> Vec<Action> {
    let parallel = set["spec"]["podManagementPolicy"] == "Parallel";
    let wanted = usize::try_from(owned::count(set, "replicas", 1)).unwrap_or(0);
    let names: Vec<String> = (0..wanted)
        .map(|ordinal| format!("{}-{ordinal}", meta::name(set)))
        .collect();
    let find = |name: &String| pods.iter().find(|pod| meta::name(pod) == name).copied();
    let mut actions = Vec::new();
    for (ordinal, name) in names.iter().enumerate() {
        match find(name) {
            Some(pod) if owned::is_finished(pod) => return delete(set, pod),
            Some(pod) if owned::is_ready(pod) || parallel => {}
            Some(pod) => return broken_and_outdated(set, pod, revision),
            None => {
                actions.extend(create(cluster, set, ordinal, name, revision));
                if !parallel {
                    return actions;
                }
            }
        }
    }
    let mut extra: Vec<&Value> = pods
        .iter()
        .filter(|pod| !names.iter().any(|name| name == meta::name(pod)))
        .copied()
        .collect();
    extra.sort_by_key(|pod| ordinal(pod));
    if !extra.is_empty() {
        let count = if parallel { extra.len() } else { 1 };
        let last = extra.into_iter().rev().take(count);
        return actions
            .into_iter()
            .chain(last.flat_map(|pod| delete(set, pod)))
            .collect();
    }
    if actions.is_empty() && set["spec"]["updateStrategy"]["type"] != "OnDelete" {
        let partition = set["spec"]["updateStrategy"]["rollingUpdate"]["partition"].as_u64();
        let from = usize::try_from(partition.unwrap_or(0)).unwrap_or(0);
        let outdated = names.iter().skip(from).rev().filter_map(find);
        let next = outdated.into_iter().find(|pod| is_outdated(pod, revision));
        actions.extend(next.into_iter().flat_map(|pod| delete(set, pod)));
    }
    actions
}

/// A pod that does not become ready holds the rest up, unless another template may mend it.
fn broken_and_outdated(set: &Value, pod: &Value, revision: &str) -> Vec<Action> {
    let rolls = set["spec"]["updateStrategy"]["type"] != "OnDelete";
    if rolls && is_outdated(pod, revision) && pod["status"]["phase"] != "Pending" {
        return delete(set, pod);
    }
    Vec::new()
}

fn is_outdated(pod: &Value, revision: &str) -> bool {
    pod["metadata"]["labels"][revisions::LABEL] != *revision
}

fn ordinal(pod: &Value) -> usize {
    let number = meta::name(pod).rsplit_once('-').map(|(_, number)| number.parse());
    number.and_then(Result::ok).unwrap_or(0)
}

fn create(cluster: &Cluster, set: &Value, ordinal: usize, name: &str, revision: &str) -> Vec<Action> {
    let mut actions = claims(cluster, set, name);
    let labels = [
        (revisions::LABEL, revision),
        ("statefulset.kubernetes.io/pod-name", name),
        ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
    ];
    let mut pod = owned::pod(set, ("name", name), &labels);
    pod["spec"]["hostname"] = name.into();
    pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
    for template in templates(set) {
        let claim = format!("{}-{name}", meta::name(template));
        let volume = json!({"name": meta::name(template), "persistentVolumeClaim": {"claimName": claim}});
        match pod["spec"]["volumes"].as_array_mut() {
            Some(volumes) => volumes.push(volume),
            None => pod["spec"]["volumes"] = json!([volume]),
        }
    }
    let message = format!("Create Pod {name} in StatefulSet {} successful", meta::name(set));
    actions.push(Action::Create {
        resource: owned::pods(),
        object: pod,
        note: None,
    });
    actions.push(say(set, "SuccessfulCreate", message));
    actions
}

fn delete(set: &Value, pod: &Value) -> Vec<Action> {
    let message = format!(
        "Delete Pod {} in StatefulSet {} successful",
        meta::name(pod),
        meta::name(set)
    );
    vec![
        Action::Delete {
            resource: owned::pods(),
            key: action::key(pod),
        },
        say(set, "SuccessfulDelete", message),
    ]
}

fn say(set: &Value, reason: &'static str, message: String) -> Action {
    Action::Say(Note::normal(set, CONTROLLER, reason, message))
}

fn templates(set: &Value) -> impl Iterator<Item = &Value> {
    let templates = set["spec"]["volumeClaimTemplates"].as_array();
    templates.into_iter().flatten()
}

fn claims(cluster: &Cluster, set: &Value, pod: &str) -> Vec<Action> {
    let claims = GroupResource::new("", "persistentvolumeclaims");
    let is_missing = |name: &str| {
        let key = Key::new(meta::namespace(set), name);
        cluster.store.get(&claims, &key).is_none()
    };
    let mut actions = Vec::new();
    for template in templates(set) {
        let name = format!("{}-{pod}", meta::name(template));
        if !is_missing(&name) {
            continue;
        }
        let object = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": template["spec"],
            "metadata": {
                "name": name, "namespace": meta::namespace(set), "labels": set["spec"]["selector"]["matchLabels"],
            },
        });
        actions.push(Action::Create {
            resource: claims.clone(),
            object,
            note: None,
        });
        let message = format!(
            "Create Claim {name} Pod {pod} in StatefulSet {} success",
            meta::name(set)
        );
        actions.push(say(set, "SuccessfulCreate", message));
    }
    actions
}

fn status(cluster: &Cluster, set: &Value, pods: &[&Value], revision: &str, available: usize) -> Value {
    let count = |test: &dyn Fn(&Value) -> bool| owned::number(pods.iter().filter(|pod| test(pod)).count());
    let ready = count(&|pod| owned::is_ready(pod));
    let updated = count(&|pod| !is_outdated(pod, revision));
    let rolled_out = updated == owned::count(set, "replicas", 1) && ready == updated;
    // What the set rolls from, as long as that is remembered.
    let current = match set["status"]["currentRevision"].as_str() {
        Some(current) if !rolled_out && revisions::exists(cluster, set, current) => current,
        _ => revision,
    };
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": pods.len(), "availableReplicas": available,
        "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    let current = count(&|pod| !is_outdated(pod, current));
    owned::put_counts(
        &mut status,
        &[
            ("readyReplicas", ready),
            ("currentReplicas", current),
            ("updatedReplicas", updated),
        ],
    );
    status
}
