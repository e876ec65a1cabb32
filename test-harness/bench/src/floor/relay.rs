//! The floor of deliveries: a bare relay from one API server to another.
//!
//! It does the durable writes that Outhaul must do, and nothing else: it watches a kind, records finalizer and plane
//! as two concurrent patches, stores the spec in one Secret of the plane, applies the objects and patches the status
//! back, one step after the other. It has no network in between, no queue and no safety. Nothing that moves desired
//! state between two clusters and remembers it can do less.
//!
//! Where a measure asks for it, it also watches the objects: it applies a ConfigMap again whose data are not those of
//! the manifest, and patches the status back when that of a Deployment changes.

mod steps;

use std::collections::HashMap;
use std::convert::Infallible;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use futures::stream::{BoxStream, SelectAll};
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, WatchEvent};
use kube::config::Kubeconfig;
use outhaul_scenarios::cluster;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;

use self::steps::Steps;
use crate::sample::{self, Carrier};
use crate::watching;
use crate::worker::owner::Owner;

/// What it is started with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Where desired state comes from.
    pub control: Kubeconfig,
    /// Where it goes.
    pub plane: Kubeconfig,
    /// Samples that are relayed at once.
    pub concurrency: usize,
    /// Namespace of the objects in the plane, if they are watched as well.
    pub watched: Option<String>,
}

/// Relays every [`Carrier::Relayed`] created from now on.
///
/// # Errors
/// The watch ends or a request fails: a floor with failures in it is none.
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let setup: Setup = owner.setup().await?;
    let relay = Relay::start(&setup).await?;
    owner.answer(&())?;
    tokio::select! {
        failed = relay.run() => match failed? {},
        () = owner.gone() => Ok(()),
    }
}

struct Relay {
    steps: Steps,
    events: SelectAll<BoxStream<'static, Result<Event>>>,
    concurrency: usize,
    jobs: JoinSet<Result<Option<Relayed>>>,
    /// Manifests by kind and name.
    desired: HashMap<(String, String), Value>,
    /// What the status of each sample says.
    told: HashMap<String, Vec<Value>>,
}

/// A sample that was relayed, and its status.
struct Relayed(String, Vec<Value>);

enum Event {
    Sample(DynamicObject),
    Changed(DynamicObject),
}

impl Relay {
    async fn start(setup: &Setup) -> Result<Self> {
        let control = cluster::client(&setup.control).await?;
        let plane = cluster::client(&setup.plane).await?;
        let mut events = SelectAll::new();
        let created = |event| match event {
            WatchEvent::Added(object) => Some(Event::Sample(object)),
            _ => None,
        };
        events.push(follow(Carrier::Relayed.api(&control), created).await?);
        if let Some(target) = &setup.watched {
            for objects in sample::target_kinds(&plane, target) {
                let changed = |event| match event {
                    WatchEvent::Modified(object) => Some(Event::Changed(object)),
                    _ => None,
                };
                events.push(follow(objects, changed).await?);
            }
        }
        Ok(Self {
            steps: Steps::new(&control, &plane),
            events,
            concurrency: setup.concurrency,
            jobs: JoinSet::new(),
            desired: HashMap::new(),
            told: HashMap::new(),
        })
    }

    async fn run(mut self) -> Result<Infallible> {
        loop {
            // Both arms only receive: dropping one loses nothing.
            tokio::select! {
                event = self.events.next(), if self.jobs.len() < self.concurrency => match event {
                    Some(event) => self.take(event?),
                    None => bail!("the relay's watches have ended; run again"),
                },
                Some(done) = self.jobs.join_next() => {
                    if let Some(Relayed(sample, told)) = done?? {
                        self.told.insert(sample, told);
                    }
                }
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Sample(sample) => self.sample(sample),
            Event::Changed(object) => self.changed(&object),
        }
    }

    fn sample(&mut self, sample: DynamicObject) {
        for entry in sample.data["spec"]["resources"].as_array().into_iter().flatten() {
            let manifest = &entry["object"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let key = (text(&manifest["kind"]), text(&manifest["metadata"]["name"]));
            self.desired.insert(key, manifest.clone());
        }
        let steps = self.steps.clone();
        self.jobs.spawn(async move {
            let told = steps.relay(&sample).await?;
            Ok(Some(Relayed(sample.name_any(), told)))
        });
    }

    fn changed(&mut self, object: &DynamicObject) {
        let kind = object
            .types
            .as_ref()
            .map(|types| types.kind.clone())
            .unwrap_or_default();
        let name = object.name_any();
        match self.desired.get(&(kind.clone(), name.clone())) {
            Some(manifest) if kind == "ConfigMap" && manifest["data"] != object.data["data"] => {
                let (steps, manifest) = (self.steps.clone(), manifest.clone());
                self.jobs.spawn(async move {
                    steps.apply(&manifest).await.context("repair an object")?;
                    Ok(None)
                });
            }
            Some(_) if kind == "Deployment" => self.status_changed(name, object),
            Some(_) | None => {}
        }
    }

    /// The objects of a sample have its name.
    fn status_changed(&mut self, sample: String, object: &DynamicObject) {
        let Some(told) = self.told.get_mut(&sample) else {
            return;
        };
        let Some(entry) = told.iter_mut().find(|entry| entry["kind"] == "Deployment") else {
            return;
        };
        let status = object.data.get("status").cloned().unwrap_or_default();
        if entry["status"] != status {
            entry["status"] = status;
            let (steps, told) = (self.steps.clone(), told.clone());
            self.jobs.spawn(async move {
                steps.tell(&sample, &told).await?;
                Ok(None)
            });
        }
    }
}

/// The events of a watch from now on, as far as `of` wants them.
async fn follow(
    api: Api<DynamicObject>,
    of: impl Fn(WatchEvent<DynamicObject>) -> Option<Event> + Send + Sync + 'static,
) -> Result<BoxStream<'static, Result<Event>>> {
    let stream = watching::from_now(api).await?;
    let wanted = stream.filter_map(move |event| {
        let event = event.map(&of).transpose();
        async move { event }
    });
    Ok(wanted.boxed())
}
