//! The policy of the plane's owner between its ConfigMap, the plane and the store: what could be read last is kept, and
//! what cannot be read is told.

use std::time::Instant;

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::policy::{CONFIG_MAP, Policy};
use outhaul_agent_core::retry::Retry;
use outhaul_protocol_wire::policy::Mode;
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinSet};
use tracing::{info, warn};

use crate::cluster::collection;
use crate::event;
use crate::store::Store;

/// Sees to it that what is in force is kept.
pub(crate) struct Keeper {
    store: Store,
    done: Done,
    /// At most one at a time: the newest is what counts.
    working: JoinSet<Result<Done, Failure>>,
    retry: Retry,
}

/// What is written down, and what was told.
#[derive(Debug, Clone, Default, PartialEq)]
struct Done {
    text: Option<String>,
    problem: Option<String>,
}

impl Store {
    /// What is in force as the cluster has it now, and the one who keeps it.
    pub(crate) async fn policy(&self) -> Result<(Policy, Keeper), Failure> {
        let path = collection("", "v1", "configmaps", self.namespace()).segment(CONFIG_MAP);
        let config_map = match self.cluster().get(&path).await {
            Ok(config_map) => Some(config_map),
            Err(failure) if failure.is_not_found() => None,
            Err(failure) => return Err(failure),
        };
        let last = self.last_policy().await?;
        let policy = Policy::read(self.namespace(), config_map.as_ref(), last.as_deref());
        log(&policy);
        let keeper = Keeper {
            store: self.clone(),
            done: Done {
                text: last,
                problem: None,
            },
            working: JoinSet::new(),
            retry: Retry::default(),
        };
        Ok((policy, keeper))
    }
}

impl Keeper {
    /// What is in force where the cluster has this ConfigMap now and that policy until now. None where it is the same.
    pub(crate) fn changed(&self, config_map: Option<&Value>, known: &Policy) -> Option<Policy> {
        let policy = Policy::read(self.store.namespace(), config_map, known.text());
        (policy != *known).then(|| {
            log(&policy);
            policy
        })
    }

    /// Begins to do what is to be done about the policy that is in force.
    pub(crate) fn progress(&mut self, policy: &Policy, now: Instant) {
        let wanted = Done {
            text: policy.text().map(str::to_owned),
            problem: policy.problem().map(str::to_owned),
        };
        if wanted == self.done || !self.working.is_empty() || self.retry.waits_until(now).is_some() {
            return;
        }
        let (store, done) = (self.store.clone(), self.done.clone());
        self.working.spawn(async move {
            if wanted.text != done.text {
                store.keep_policy(wanted.text.as_deref()).await?;
            }
            if let Some(problem) = wanted
                .problem
                .as_deref()
                .filter(|_| wanted.problem != done.problem)
            {
                let metadata = json!({"name": CONFIG_MAP});
                event::warn(
                    store.cluster(),
                    store.namespace(),
                    ("ConfigMap", &metadata),
                    "PolicyMalformed",
                    problem,
                )
                .await;
            }
            Ok(wanted)
        });
    }

    /// When to try again what failed.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.retry.waits_until(now)
    }

    /// Waits for what was begun; for ever where nothing was.
    ///
    /// # Cancel safety
    /// Safe: what has ended stays in the set until it is taken out.
    pub(crate) async fn next(&mut self) -> Result<Result<Ended, Failure>, JoinError> {
        match self.working.join_next().await {
            Some(ended) => ended.map(|result| result.map(Ended)),
            None => std::future::pending().await,
        }
    }

    /// What was begun has ended so.
    pub(crate) fn ended(&mut self, result: Result<Ended, Failure>) {
        match result {
            Ok(Ended(done)) => {
                self.done = done;
                self.retry.clear();
            }
            Err(failure) => {
                let problem = failure.blocker().message;
                warn!(
                    problem,
                    "Cannot write down the policy of this plane; it is in force all the same"
                );
                self.retry.failed(Instant::now());
            }
        }
    }

    /// Ends what is under way.
    pub(crate) async fn stop(mut self) {
        self.working.shutdown().await;
    }
}

/// What has been done.
pub(crate) struct Ended(Done);

fn log(policy: &Policy) {
    let summary = policy.summary();
    let mode = match summary.mode {
        Mode::Acts => "acts",
        Mode::Observes => "changes nothing",
        Mode::Pauses => "is paused",
    };
    let text = summary
        .digest
        .map(|digest| digest.to_string())
        .unwrap_or_default();
    match policy.problem() {
        Some(problem) => warn!(
            problem,
            mode,
            in_force = text,
            "The policy of this plane cannot be read"
        ),
        None => info!(mode, in_force = text, "The policy of this plane is in force"),
    }
}
