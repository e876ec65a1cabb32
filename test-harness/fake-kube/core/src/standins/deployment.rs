//! Deployments: one ReplicaSet per template, rolled over by the strategy's limits.

mod progress;
mod rollout;
mod status;
mod strategy;

use serde_json::Value;

use super::action::{self, Action};
use super::owned;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;

const CONTROLLER: &str = "deployment-controller";
const HASH_LABEL: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";

/// A Deployment and its ReplicaSets.
struct View<'a> {
    deployment: &'a Value,
    hash: String,
    /// The set of the present template, if it is there.
    current: Option<&'a Value>,
    /// The other sets, the oldest first.
    old: Vec<&'a Value>,
}

pub(super) fn plan(cluster: &Cluster, deployment: &Value, moment: &Moment) -> Vec<Action> {
    let view = View::of(cluster, deployment);
    let mut actions = rollout::steps(&view);
    actions.extend(retire(&view));
    let status = status::of(&view, moment);
    actions.extend(progress::deadline(&view, &status, moment));
    actions.push(Action::SetStatus {
        resource: deployments(),
        key: action::key(deployment),
        status,
    });
    actions
}

impl<'a> View<'a> {
    fn of(cluster: &'a Cluster, deployment: &'a Value) -> Self {
        let sets = owned::all(cluster, deployment, &replica_sets());
        let hash = owned::template_hash(&deployment["spec"]["template"]);
        let (current, mut old): (Vec<&Value>, Vec<&Value>) = sets
            .into_iter()
            .partition(|set| set["metadata"]["labels"][HASH_LABEL] == *hash);
        old.sort_by_key(|set| meta::text(set, "creationTimestamp"));
        Self {
            deployment,
            hash,
            current: current.first().copied(),
            old,
        }
    }

    fn replicas(&self) -> i64 {
        replicas(self.deployment)
    }

    fn sets(&self) -> impl Iterator<Item = &'a Value> {
        self.current.into_iter().chain(self.old.iter().copied())
    }

    fn total(&self, field: &str) -> i64 {
        self.sets().map(|set| owned::in_status(set, field)).sum()
    }

    fn wanted_of_all(&self) -> i64 {
        self.sets().map(replicas).sum()
    }

    fn is_paused(&self) -> bool {
        self.deployment["spec"]["paused"] == true
    }

    fn set_name(&self) -> String {
        format!("{}-{}", meta::name(self.deployment), self.hash)
    }
}

/// Old, empty sets beyond the history limit go, the oldest first.
fn retire(view: &View<'_>) -> Vec<Action> {
    let limit = owned::count(view.deployment, "revisionHistoryLimit", 10);
    let empty: Vec<&Value> = view
        .old
        .iter()
        .filter(|set| replicas(set) == 0 && owned::in_status(set, "replicas") == 0)
        .copied()
        .collect();
    let surplus = empty.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    let delete = |set: &Value| Action::Delete {
        resource: replica_sets(),
        key: action::key(set),
    };
    empty.into_iter().take(surplus).map(delete).collect()
}

/// How many pods a Deployment or a ReplicaSet wants.
fn replicas(object: &Value) -> i64 {
    owned::count(object, "replicas", 1)
}

fn deployments() -> GroupResource {
    GroupResource::new("apps", "deployments")
}

fn replica_sets() -> GroupResource {
    GroupResource::new("apps", "replicasets")
}
