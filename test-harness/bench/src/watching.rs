//! When something was seen: arrival times of objects, by watches that do not care who wrote them.
//!
//! Ours and the floor are timed by the same watches on the same API servers, so what the watches themselves cost
//! is in both.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use futures::TryStreamExt as _;
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::sample::{self, Carrier};

/// More than the events of a few samples; a full channel would only delay watches, never lose an event.
const EVENTS: usize = 1_024;

/// Longer than any sample that is not a failure.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// When a sample had arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The last of its objects was in the plane.
    pub applied: Instant,
    /// Its status told of all objects, in the control plane.
    pub status: Instant,
}

/// Watches over one namespace of the control plane and one of the plane.
pub struct Watches {
    events: mpsc::Receiver<Event>,
    /// Kept so that the watches end with their owner.
    _tasks: JoinSet<()>,
}

struct Event {
    sample: String,
    what: Seen,
    at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Object,
    Status,
}

impl Watches {
    /// Starts watching the samples in the control plane, and their objects in the namespace `target` of the plane.
    ///
    /// # Errors
    /// An API server refuses a list.
    pub async fn start(control: &Client, plane: &Client, target: &str) -> Result<Self> {
        let (sender, events) = mpsc::channel(EVENTS);
        let mut tasks = JoinSet::new();
        for carrier in [Carrier::Release, Carrier::Relayed] {
            tasks.spawn(watch(from_now(carrier.api(control)).await?, sender.clone(), told));
        }
        for objects in sample::target_kinds(plane, target) {
            tasks.spawn(watch(from_now(objects).await?, sender.clone(), appeared));
        }
        Ok(Self {
            events,
            _tasks: tasks,
        })
    }

    /// Waits until all objects of `sample` and its status were seen.
    ///
    /// # Errors
    /// A watch ended, or the sample does not arrive.
    pub async fn wait(&mut self, sample: &str) -> Result<Arrival> {
        let arrival = tokio::time::timeout(PATIENCE, self.arrival(sample)).await;
        arrival.with_context(|| format!("{sample} has not arrived after {PATIENCE:?}"))?
    }

    async fn arrival(&mut self, sample: &str) -> Result<Arrival> {
        let mut objects = Vec::with_capacity(sample::OBJECTS);
        let mut status = None;
        loop {
            let Some(event) = self.events.recv().await else {
                bail!("a watch has ended; run again");
            };
            if event.sample == sample {
                match event.what {
                    Seen::Object => objects.push(event.at),
                    Seen::Status => status = status.or(Some(event.at)),
                }
            }
            if let (sample::OBJECTS, Some(applied), Some(status)) = (objects.len(), objects.last(), status) {
                return Ok(Arrival {
                    applied: *applied,
                    status,
                });
            }
        }
    }
}

fn told(event: &WatchEvent<DynamicObject>) -> Option<Seen> {
    let (WatchEvent::Added(sample) | WatchEvent::Modified(sample)) = event else {
        return None;
    };
    sample::has_status(sample).then_some(Seen::Status)
}

fn appeared(event: &WatchEvent<DynamicObject>) -> Option<Seen> {
    matches!(event, WatchEvent::Added(_)).then_some(Seen::Object)
}

/// A kind and where its watch starts.
type Start = (Api<DynamicObject>, String);

async fn from_now(objects: Api<DynamicObject>) -> Result<Start> {
    let list = objects.list_metadata(&ListParams::default().limit(1)).await?;
    let version = list
        .metadata
        .resource_version
        .context("a list without resourceVersion")?;
    Ok((objects, version))
}

/// Ends with its watch; the reader then finds the channel closed or waits in vain, and says so.
async fn watch(
    (objects, version): Start,
    events: mpsc::Sender<Event>,
    seen: fn(&WatchEvent<DynamicObject>) -> Option<Seen>,
) {
    let Ok(watch) = objects.watch(&WatchParams::default(), &version).await else {
        return;
    };
    let mut watch = std::pin::pin!(watch);
    while let Ok(Some(event)) = watch.try_next().await {
        let at = Instant::now();
        let Some(what) = seen(&event) else { continue };
        if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
            let event = Event {
                sample: object.name_any(),
                what,
                at,
            };
            if events.send(event).await.is_err() {
                return;
            }
        }
    }
}
