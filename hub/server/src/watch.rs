//! Watches of the control plane: every kind that decides what planes hold.
//!
//! Objects come as text and are read one by one: a Release or Bundle whose spec nobody can read is refused by name, any
//! other malformed object is one line in the log, and none stops a list. When every kind has been listed once the
//! fleet is told so; before that it serves nobody. An expired watch is a new list: what is
//! missing in it is told as gone from the control plane, and that takes nothing from a plane.

use std::pin::pin;

use futures::TryStreamExt as _;
use kube::api::Api;
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use outhaul_hub_core::listing::{Kind, Listing};
use outhaul_hub_resources::Stored;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::fleet::Signal;

/// Objects in one page of a list. With 1 MiB of spec each, the most they can have, a page takes 100 MiB for a moment.
const PAGE: u32 = 100;

/// The hub is stopping: nobody takes signals any more.
struct Stopped;

/// Watches every kind until `shutdown`. The fleet is told when all have been listed.
pub(crate) async fn run(client: kube::Client, signals: mpsc::Sender<Signal>, shutdown: CancellationToken) {
    let mut watches = JoinSet::new();
    let (listed, mut lists) = mpsc::channel(Kind::ALL.len());
    for kind in Kind::ALL {
        let watch = Watch {
            kind,
            api: Api::all_with(client.clone(), &kind.resource()),
            signals: signals.clone(),
            listed: Some(listed.clone()),
            listing: Listing::new(kind),
        };
        watches.spawn(watch.run());
    }
    drop(listed);
    let reading = async {
        for _ in Kind::ALL {
            if lists.recv().await.is_none() {
                return;
            }
        }
        // The fleet may be gone by now: then nobody needs to know.
        let _stopped = signals.send(Signal::Synced).await;
        while let Some(ended) = watches.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    };
    // Dropping the reading half drops its watches with it.
    tokio::select! {
        () = reading => {}
        () = shutdown.cancelled() => {}
    }
}

struct Watch {
    kind: Kind,
    api: Api<Stored>,
    signals: mpsc::Sender<Signal>,
    listed: Option<mpsc::Sender<()>>,
    listing: Listing,
}

impl Watch {
    async fn run(mut self) {
        let resource: ApiResource = self.kind.resource();
        let config = watcher::Config::default().page_size(PAGE);
        let events = watcher(self.api.clone(), config).backoff(watcher::DefaultBackoff::default());
        let mut events = pin!(events);
        loop {
            match events.try_next().await {
                Ok(Some(event)) => {
                    if self.event(event).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => warn!(
                    kind = resource.kind,
                    error = &error as &dyn std::error::Error,
                    "Watch failed; trying again"
                ),
            }
        }
    }

    async fn event(&mut self, event: Event<Stored>) -> Result<(), Stopped> {
        let sights = match event {
            Event::Init => {
                self.listing.begin();
                Vec::new()
            }
            Event::InitApply(object) => self.listing.listed(&object),
            Event::InitDone => self.listing.done(),
            Event::Apply(object) => self.listing.applied(&object),
            Event::Delete(object) => self.listing.deleted(&object),
        };
        for sight in sights {
            self.signals
                .send(Signal::Seen(sight))
                .await
                .map_err(|_closed| Stopped)?;
        }
        if self.listing.is_complete()
            && let Some(listed) = self.listed.take()
        {
            debug!(kind = ?self.kind, "Listed");
            listed.send(()).await.map_err(|_closed| Stopped)?;
        }
        Ok(())
    }
}
