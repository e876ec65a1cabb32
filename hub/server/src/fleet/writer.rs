//! Carries out the fleet's writes and reads, a bounded number at once.
//!
//! What waits is bounded too: the fleet has at most one write to finalizers and one to status under way per resource.
//! Nothing is tried twice here. The fleet decides whether a write is still wanted, and when.

use std::collections::VecDeque;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PatchParams};
use kube::core::{ApiResource, ObjectMeta};
use outhaul_hub_core::bulk::{self, Surroundings};
use outhaul_hub_core::resource::{Around, Reader};
use outhaul_hub_core::{Origin, Outcome, PlaneRecord, Sight, Subject, Write, WriteId, kinds, request};
use outhaul_hub_resources::Stored;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::Epoch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tracing::warn;

use super::outcome::{is_gone, of_failure};
use crate::epoch::Epochs;
use crate::identity::IdentityError;

/// Requests at once. An API server answers these writes in 1 to 5 ms, so this is 10,000 or more a second; beyond it
/// they would only queue there.
const CONCURRENT: usize = 64;

/// A request that takes longer has failed for us; what it did is seen by the watch.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// What the writes under way may take when the hub stops.
const STOP_TIME: Duration = Duration::from_secs(5);

/// Name of our field manager in `metadata.managedFields`.
const MANAGER: &str = "outhaul-hub";

pub(super) struct Writer {
    client: kube::Client,
    epochs: Epochs,
    waiting: VecDeque<Task>,
    running: JoinSet<Finished>,
}

enum Task {
    Write(Write),
    Read(Key),
    LookAround(Key),
    Epoch(Epoch),
}

/// How a task ended.
pub(super) enum Finished {
    /// A write.
    Written(WriteId, Outcome),
    /// A read.
    Read(Sight),
    /// A read without an answer.
    Unread(Key),
    /// A read of what a resource is in; none where it came to no answer.
    LookedAround(Key, Option<Surroundings>),
    /// A read of the stored epoch because of this one; none where it came to no answer.
    Epoch(Epoch, Option<Epoch>),
}

impl Writer {
    pub(super) fn new(client: kube::Client, epochs: Epochs) -> Self {
        Self {
            client,
            epochs,
            waiting: VecDeque::new(),
            running: JoinSet::new(),
        }
    }

    pub(super) fn write(&mut self, write: Write) {
        self.waiting.push_back(Task::Write(write));
    }

    pub(super) fn read(&mut self, key: Key) {
        self.waiting.push_back(Task::Read(key));
    }

    pub(super) fn look_around(&mut self, key: Key) {
        self.waiting.push_back(Task::LookAround(key));
    }

    pub(super) fn read_epoch(&mut self, asked: Epoch) {
        self.waiting.push_back(Task::Epoch(asked));
    }

    /// Starts what there is room for.
    pub(super) fn start(&mut self) {
        while self.running.len() < CONCURRENT
            && let Some(task) = self.waiting.pop_front()
        {
            let client = self.client.clone();
            self.running.spawn(run(client, self.epochs.clone(), task));
        }
    }

    /// Whether something is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// The next to end. Pending while nothing runs.
    ///
    /// # Cancel safety
    /// Safe.
    pub(super) async fn next(&mut self) -> Option<Finished> {
        match self.running.join_next().await {
            Some(ended) => finished(ended),
            None => std::future::pending().await,
        }
    }

    /// One that has ended already.
    pub(super) fn try_next(&mut self) -> Option<Finished> {
        finished(self.running.try_join_next()?)
    }

    /// Finishes what runs and waits, within a bound.
    pub(super) async fn finish(mut self) {
        let finishing = async {
            self.start();
            while self.running.join_next().await.is_some() {
                self.start();
            }
        };
        if timeout(STOP_TIME, finishing).await.is_err() {
            warn!("Stopped before every write was answered; the next start makes them again");
        }
    }
}

fn finished(ended: Result<Finished, JoinError>) -> Option<Finished> {
    match ended {
        Ok(finished) => Some(finished),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_cancelled) => None,
    }
}

async fn run(client: kube::Client, epochs: Epochs, task: Task) -> Finished {
    match task {
        Task::Write(write) => {
            let outcome = timeout(REQUEST_TIME, apply(client, &write))
                .await
                .unwrap_or(Outcome::Failed { retry_after: None });
            Finished::Written(write.id, outcome)
        }
        Task::Read(key) => timeout(REQUEST_TIME, read(client, &key))
            .await
            .ok()
            .flatten()
            .map_or(Finished::Unread(key), Finished::Read),
        Task::LookAround(key) => {
            let read = timeout(REQUEST_TIME, look_around(client, &key)).await;
            Finished::LookedAround(key, read.ok().flatten())
        }
        Task::Epoch(asked) => Finished::Epoch(asked, read_epoch(&epochs).await),
    }
}

async fn read_epoch(epochs: &Epochs) -> Option<Epoch> {
    let read = timeout(REQUEST_TIME, epochs.read()).await.ok()?;
    let failed = |error: &IdentityError| {
        warn!(
            error = error as &dyn std::error::Error,
            "Could not read the epoch"
        );
    };
    read.inspect_err(failed).ok()
}

/// Reads without a resourceVersion are answered by a quorum.
async fn look_around(client: kube::Client, key: &Key) -> Option<Surroundings> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let definitions: Api<CustomResourceDefinition> = Api::all(client);
    let reads = tokio::try_join!(
        namespaces.get_metadata_opt(&key.namespace),
        definitions.get_metadata_opt(bulk::definition(key.kind)),
    );
    let failed = |error: &kube::Error| {
        warn!(resource = %key, error = error as &dyn std::error::Error, "Could not read what a resource is in: until then its plane does not hear that it is deleted");
    };
    let (namespace, definition) = reads.inspect_err(failed).ok()?;
    let since = |metadata: ObjectMeta| metadata.deletion_timestamp.map(|time| time.0);
    Some(Surroundings {
        namespace: namespace.and_then(|it| since(it.metadata)),
        definition: definition.and_then(|it| since(it.metadata)),
    })
}

async fn apply(client: kube::Client, write: &Write) -> Outcome {
    let result = match &write.subject {
        Subject::Bundle(key) => patch_bundle(client, key, write).await,
        Subject::Plane(name, _) => patch_plane(client, name.as_str(), write).await,
    };
    result.unwrap_or_else(|error| of_failure(write, &error))
}

async fn patch_bundle(client: kube::Client, key: &Key, write: &Write) -> kube::Result<Outcome> {
    let api = api(client, key);
    let Some(request) = request::of_bundle(key, &write.change).map_err(kube::Error::SerdeError)? else {
        return Ok(Outcome::Outdated);
    };
    let object = match request.status {
        true => api.patch_status(&key.name, &params(), &request.patch).await?,
        false => api.patch(&key.name, &params(), &request.patch).await?,
    };
    Ok(Outcome::Done(Box::new(Around::read(&object))))
}

async fn patch_plane(client: kube::Client, name: &str, write: &Write) -> kube::Result<Outcome> {
    let api: Api<outhaul_hub_resources::Plane> = Api::all(client);
    let Some(request) = request::of_plane(&write.subject, &write.change) else {
        return Ok(Outcome::Outdated);
    };
    let plane = match request.status {
        true => api.patch_status(name, &params(), &request.patch).await?,
        false => api.patch(name, &params(), &request.patch).await?,
    };
    Ok(PlaneRecord::read(plane).map_or(Outcome::Outdated, |record| Outcome::PlaneDone(Box::new(record))))
}

async fn read(client: kube::Client, key: &Key) -> Option<Sight> {
    let object = match api(client, key).get(&key.name).await {
        Ok(object) => object,
        Err(error) if is_gone(&error, &key.name) => return Some(Sight::ResourceGone(key.clone())),
        Err(error) => {
            warn!(resource = %key, error = &error as &dyn std::error::Error, "Could not read a resource");
            return None;
        }
    };
    let resource = Reader::new(key.kind).read(&object).ok()?;
    match resource.key == *key {
        true => Some(Sight::Resource(resource, Origin::Read)),
        // Created again under the same name; the watch brings the new one.
        false => Some(Sight::ResourceGone(key.clone())),
    }
}

fn params() -> PatchParams {
    PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

fn api(client: kube::Client, key: &Key) -> Api<Stored> {
    let resource: ApiResource = kinds::bundle(key.kind);
    Api::namespaced_with(client, &key.namespace, &resource)
}
