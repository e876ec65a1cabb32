//! Controllers that stand in for the real ones: they make workloads progress, in status only.
//!
//! There is no kubelet and no container. Deployments get ReplicaSets, those get Pods, Pods become ready or fail as
//! the annotation [`RESULT`] on them asks; Services get endpoints, claims get volumes, CronJobs fire; Workflows and
//! routes of the Gateway API progress where those kinds are served ([`ARGO_WORKFLOWS`]). All of them say in Events
//! what they do, in the words of the real ones. Like any controller these look at the world, compare and act, so doing it
//! twice changes nothing; what wakes them is the same history that watches read. Time is an argument: a driver calls
//! [`StandIns::observe`] when something changed and [`StandIns::act`] when [`StandIns::next_due`] has come.

mod action;
mod claim;
pub(crate) mod condition;
mod cron_job;
mod daemon_set;
mod deployment;
mod gateway;
mod job;
mod node;
mod note;
mod owned;
mod pod;
mod related;
mod replica_set;
mod revisions;
mod service;
mod stateful_set;
mod workflow;

pub use action::Action;
pub use note::Note;
pub use workflow::{OUTPUTS, STEP_SECONDS, WITHHELD};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::store::{Address, Key};

/// What becomes of a pod: `fail` ends its containers with an error (again and again where they are restarted), `run`
/// keeps them running even where they would complete, `stuck` never starts them, `unready` runs them without their
/// being ready. Read from the pod, so pod templates carry it; an image of such a name says the same.
pub const RESULT: &str = "outhaul.dev/test-result";
/// What `kubectl logs` shows of a pod.
pub use crate::verbs::LOG_ANNOTATION as LOG;

/// Definitions of the Argo Workflows kinds, for clusters whose Workflows should progress.
pub const ARGO_WORKFLOWS: &str = include_str!("../schemas/argo-workflows.yaml");

/// How long a controller takes to notice.
const CONTROLLER_DELAY: Duration = Duration::from_millis(2);
/// How long a pod takes for one step: to be scheduled, to start, to complete.
const POD_DELAY: Duration = Duration::from_millis(20);
/// Objects acted on in one call, so that nobody waits long for the state behind a large rollout.
const MAX_ACTS: usize = 64;

type Plan = fn(&Cluster, &Value, &Moment) -> Vec<Action>;

/// Kinds, who acts on them, and how long that takes.
const CONTROLLERS: [(&str, &str, Plan, Duration); 14] = [
    ("apps", "deployments", deployment::plan, CONTROLLER_DELAY),
    ("apps", "replicasets", replica_set::plan, CONTROLLER_DELAY),
    ("apps", "statefulsets", stateful_set::plan, CONTROLLER_DELAY),
    ("apps", "daemonsets", daemon_set::plan, CONTROLLER_DELAY),
    ("batch", "jobs", job::plan, CONTROLLER_DELAY),
    ("batch", "cronjobs", cron_job::plan, CONTROLLER_DELAY),
    ("", "services", service::plan, CONTROLLER_DELAY),
    ("", "endpoints", service::plan_endpoints, CONTROLLER_DELAY),
    ("", "persistentvolumeclaims", claim::plan, POD_DELAY),
    ("", "persistentvolumes", claim::plan_volume, POD_DELAY),
    ("", "pods", pod::plan, POD_DELAY),
    (workflow::GROUP, "workflows", workflow::plan, CONTROLLER_DELAY),
    (gateway::GROUP, "gateways", gateway::plan, CONTROLLER_DELAY),
    (
        gateway::GROUP,
        "httproutes",
        gateway::plan_route,
        CONTROLLER_DELAY,
    ),
];

/// The stand-ins of one cluster: how far each has read, and what is due when.
#[derive(Debug, Default)]
pub struct StandIns {
    read: BTreeMap<GroupResource, u64>,
    due: BTreeSet<(Duration, Address)>,
    waiting: BTreeMap<Address, Duration>,
    notes: note::Notes,
}

impl StandIns {
    /// The kinds whose changes should wake the driver.
    pub fn resources() -> impl Iterator<Item = GroupResource> {
        let theirs = CONTROLLERS
            .iter()
            .map(|(group, resource, ..)| GroupResource::new(group, resource));
        theirs.chain(related::resources())
    }

    /// Reads what happened since the last call; `at` is the time on the driver's clock.
    pub fn observe(&mut self, cluster: &Cluster, at: Duration) {
        for (group, resource, _, delay) in CONTROLLERS {
            self.observe_kind(
                cluster,
                &GroupResource::new(group, resource),
                Some(at + delay),
                at,
            );
        }
        for resource in related::resources() {
            self.observe_kind(cluster, &resource, None, at);
        }
    }

    /// Wakes who has to do with the changed objects of a kind: themselves at `own`, their owners, the rest.
    fn observe_kind(
        &mut self,
        cluster: &Cluster,
        resource: &GroupResource,
        own: Option<Duration>,
        at: Duration,
    ) {
        let from = self.read.insert(resource.clone(), cluster.version()).unwrap_or(0);
        if from == cluster.version() {
            return;
        }
        for object in changed(cluster, resource, from) {
            if let Some(own) = own {
                let address = Address {
                    resource: resource.clone(),
                    key: Key::of(object),
                };
                self.wake(address, own);
            }
            let owners = meta::owners(object).filter_map(|owner| cluster.find_by_uid(owner.uid).cloned());
            for address in owners.chain(related::to(cluster, resource, object)) {
                self.wake(address, at + CONTROLLER_DELAY);
            }
        }
    }

    /// When there is something to do next, on the driver's clock.
    pub fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Does what is due at `at`, as far as one call goes; returns what the API refused, which a later event may mend.
    pub fn act(
        &mut self,
        cluster: &mut Cluster,
        at: Duration,
        moment: &mut Moment,
    ) -> Vec<(Address, Refusal)> {
        let mut refused = Vec::new();
        for _ in 0..MAX_ACTS {
            let Some(address) = self.take_due(at) else { break };
            for action in plan(cluster, &address, moment) {
                if let Action::LookAgain(after) = action {
                    self.wake(address.clone(), at + after);
                } else if let Err(refusal) = action.perform(cluster, &mut self.notes, moment) {
                    refused.push((address.clone(), refusal));
                }
            }
        }
        refused
    }

    /// An object that waits already keeps its time, or takes an earlier one: a busy one must not be put off for ever.
    fn wake(&mut self, address: Address, at: Duration) {
        if let Some(known) = self.waiting.get(&address).copied() {
            if known <= at {
                return;
            }
            self.due.remove(&(known, address.clone()));
        }
        self.waiting.insert(address.clone(), at);
        self.due.insert((at, address));
    }

    fn take_due(&mut self, at: Duration) -> Option<Address> {
        if self.next_due()? > at {
            return None;
        }
        let (_, address) = self.due.pop_first()?;
        self.waiting.remove(&address);
        Some(address)
    }
}

/// Objects written after a version; all of them when the history does not reach back.
fn changed<'a>(cluster: &'a Cluster, resource: &'a GroupResource, from: u64) -> Vec<&'a Value> {
    match cluster.store.events_after(resource, from) {
        Ok(events) => events.map(|event| event.object.value()).collect(),
        Err(_) => cluster.objects(resource, None).collect(),
    }
}

fn plan(cluster: &Cluster, address: &Address, moment: &Moment) -> Vec<Action> {
    let Some(object) = cluster.store.get(&address.resource, &address.key) else {
        return Vec::new();
    };
    if meta::is_terminating(object.value()) {
        return Vec::new();
    }
    let controller = CONTROLLERS.iter().find(|(group, resource, ..)| {
        *group == &*address.resource.group && *resource == &*address.resource.resource
    });
    controller
        .map(|(_, _, plan, _)| plan(cluster, object.value(), moment))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
