//! Watches of the control plane: every kind that decides what planes hold, and every kind that leads there.
//!
//! A kind is watched once, and told to whom it concerns: the fleet, the controllers, or both.
//!
//! Objects come as text and are read one by one: a Release or Bundle whose spec nobody can read is refused by name, any
//! other malformed object is one line in the log, and none stops a list. When every kind has been listed once the
//! fleet is told so; before that it serves nobody. An expired watch is a new list: what is
//! missing in it is told as gone from the control plane, and that takes nothing from a plane. When the epoch was raised,
//! all of this begins again.

use std::collections::BTreeSet;
use std::pin::pin;

use futures::TryStreamExt as _;
use kube::ResourceExt as _;
use kube::api::Api;
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use outhaul_hub_core::controllers::{self, Id, News, Reader, Sight};
use outhaul_hub_core::listing::{Kind, Listing};
use outhaul_hub_resources::Stored;
use outhaul_protocol_wire::ids::Epoch;
use tokio::sync::{mpsc, watch as latest};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::fleet::Signal;

/// Objects in one page of a list. With 1 MiB of spec each, the most they can have, a page takes 100 MiB for a moment.
const PAGE: u32 = 100;

/// The hub is stopping: nobody takes signals any more.
struct Stopped;

/// Watches every kind until `shutdown`. Whenever the epoch is raised everything is read anew.
pub(crate) async fn run(
    client: kube::Client,
    signals: mpsc::Sender<Signal>,
    news: mpsc::Sender<News>,
    mut epoch: latest::Receiver<Epoch>,
    shutdown: CancellationToken,
) {
    loop {
        let (mut watches, lists) = begin(&client, &signals, &news);
        // What is read by halves is read again: dropping it loses nothing.
        tokio::select! {
            () = follow(&mut watches, lists, &signals) => return,
            Ok(()) = epoch.changed() => {}
            () = shutdown.cancelled() => return,
        }
        let raised = *epoch.borrow_and_update();
        // Then nothing that was read before can come after the word.
        watches.shutdown().await;
        if signals.send(Signal::StartOver(raised)).await.is_err() {
            return;
        }
    }
}

/// Watches of every kind, and where each says that it has listed its kind.
fn begin(
    client: &kube::Client,
    signals: &mpsc::Sender<Signal>,
    news: &mpsc::Sender<News>,
) -> (JoinSet<()>, mpsc::Receiver<()>) {
    let mut watches = JoinSet::new();
    let (listed, lists) = mpsc::channel(Kind::ALL.len());
    let mut others: BTreeSet<_> = controllers::Kind::ALL.into_iter().collect();
    for kind in Kind::ALL {
        let resource = kind.resource();
        let also = others.iter().find(|other| other.resource() == resource).copied();
        if let Some(also) = also {
            others.remove(&also);
        }
        let fleet = Fleet {
            kind,
            signals: signals.clone(),
            listed: Some(listed.clone()),
            listing: Listing::new(kind),
        };
        let watch = Watch {
            resource,
            fleet: Some(fleet),
            controllers: also.map(|kind| Follower::new(kind, news)),
        };
        watches.spawn(watch.run(client.clone()));
    }
    for kind in others {
        let watch = Watch {
            resource: kind.resource(),
            fleet: None,
            controllers: Some(Follower::new(kind, news)),
        };
        watches.spawn(watch.run(client.clone()));
    }
    (watches, lists)
}

/// Tells the fleet when all have been listed, and waits for the end.
async fn follow(watches: &mut JoinSet<()>, mut lists: mpsc::Receiver<()>, signals: &mpsc::Sender<Signal>) {
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
}

struct Watch {
    resource: ApiResource,
    fleet: Option<Fleet>,
    controllers: Option<Follower>,
}

/// What tells the fleet.
struct Fleet {
    kind: Kind,
    signals: mpsc::Sender<Signal>,
    listed: Option<mpsc::Sender<()>>,
    listing: Listing,
}

/// What tells the controllers.
struct Follower {
    kind: controllers::Kind,
    reader: Reader,
    news: mpsc::Sender<News>,
}

impl Watch {
    async fn run(mut self, client: kube::Client) {
        let api: Api<Stored> = Api::all_with(client, &self.resource);
        let config = watcher::Config::default().page_size(PAGE);
        let events = watcher(api, config).backoff(watcher::DefaultBackoff::default());
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
                    kind = self.resource.kind,
                    error = &error as &dyn std::error::Error,
                    "Watch failed; trying again"
                ),
            }
        }
    }

    async fn event(&mut self, event: Event<Stored>) -> Result<(), Stopped> {
        if let Some(controllers) = &mut self.controllers {
            controllers.tell(&event).await?;
        }
        match &mut self.fleet {
            Some(fleet) => fleet.tell(event).await,
            None => Ok(()),
        }
    }
}

impl Fleet {
    async fn tell(&mut self, event: Event<Stored>) -> Result<(), Stopped> {
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

impl Follower {
    fn new(kind: controllers::Kind, news: &mpsc::Sender<News>) -> Self {
        Self {
            kind,
            reader: Reader::new(kind),
            news: news.clone(),
        }
    }

    async fn tell(&mut self, event: &Event<Stored>) -> Result<(), Stopped> {
        let news = match event {
            Event::Init => {
                self.reader.forget_all();
                News::Begin(self.kind)
            }
            // Most of what is listed stays as it is: nothing of it is remembered.
            Event::InitApply(object) => News::Listed(told(Sight::read(self.kind, object))),
            Event::InitDone => News::Complete(self.kind),
            Event::Apply(object) => News::Seen(told(self.reader.read(object))),
            Event::Delete(object) => {
                self.reader.forget(object);
                News::Gone {
                    id: Id {
                        kind: self.kind,
                        namespace: object.namespace().unwrap_or_default(),
                        name: object.name_any(),
                    },
                    uid: object.uid().unwrap_or_default(),
                }
            }
        };
        self.news.send(news).await.map_err(|_closed| Stopped)
    }
}

fn told(sight: Sight) -> Box<Sight> {
    if let Err(unread) = &sight.object {
        warn!(id = %sight.id, error = unread.why, "An object cannot be read: nothing is made of it");
    }
    Box::new(sight)
}
