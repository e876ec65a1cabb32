//! Watches on what the agent manages, one task each, all owned here.
//!
//! Each task lists, says so, and then passes changes on; after an interruption it goes on where it was, or lists again.
//! They push into one bounded channel: a plane that is slow to look makes the watches wait, never the memory grow.

mod changes;
mod definitions;
mod pauses;
mod policy;
mod stream;

use std::collections::{BTreeMap, BTreeSet};

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::kinds::Watched;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;

/// Events on their way to the plane.
const EVENTS: usize = 256;

/// What a watch shows.
#[derive(Debug)]
pub(crate) enum WatchEvent {
    /// A list of these objects begins.
    Listing(Watched),
    /// An object, in a list or after it.
    Seen(Watched, Value),
    /// An object that is not there any more.
    Vanished(Watched, Value),
    /// The list is complete.
    Listed(Watched),
    /// It does not work; it is tried again.
    Failed(Watched, Failure),
    /// Definitions of kinds in this group changed.
    Definitions(String),
    /// The policy of the plane's owner, as it is now.
    Policy(Option<Value>),
}

/// All watches.
pub(crate) struct Watches {
    cluster: Cluster,
    events: mpsc::Sender<(u64, WatchEvent)>,
    incoming: mpsc::Receiver<(u64, WatchEvent)>,
    running: BTreeMap<Watched, Running>,
    tasks: JoinSet<()>,
    next: u64,
    /// Grows when kinds were defined: watches of kinds that were unknown try again.
    definitions: watch::Sender<u64>,
    shutdown: CancellationToken,
}

struct Running {
    id: u64,
    stop: CancellationToken,
}

/// The number of the watches that are there for as long as the agent.
const UNNUMBERED: u64 = 0;

impl Watches {
    /// No watches yet, but the ones on definitions and on the policy in the agent's namespace.
    pub(crate) fn new(cluster: Cluster, namespace: &str) -> Self {
        let (events, incoming) = mpsc::channel(EVENTS);
        let (definitions, _) = watch::channel(0);
        let mut watches = Self {
            cluster,
            events,
            incoming,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            next: UNNUMBERED + 1,
            definitions,
            shutdown: CancellationToken::new(),
        };
        let task = definitions::watch(
            watches.cluster.clone(),
            watches.definitions.clone(),
            watches.events.clone(),
        );
        watches.spawn(watches.shutdown.child_token(), task);
        let task = policy::watch(
            watches.cluster.clone(),
            namespace.to_owned(),
            watches.events.clone(),
        );
        watches.spawn(watches.shutdown.child_token(), task);
        watches
    }

    /// Watches exactly these from now on.
    pub(crate) fn set<'a>(&mut self, wanted: impl Iterator<Item = &'a Watched>) {
        let wanted: BTreeSet<&Watched> = wanted.collect();
        self.running.retain(|watched, running| {
            let stays = wanted.contains(watched);
            if !stays {
                running.stop.cancel();
            }
            stays
        });
        for watched in wanted {
            if !self.running.contains_key(watched) {
                self.start(watched.clone());
            }
        }
        // Those that were stopped before are through by now.
        while self.tasks.try_join_next().is_some() {}
    }

    /// The next event of a watch that still is one.
    ///
    /// # Cancel safety
    /// Safe: an event is either returned or still in the channel.
    pub(crate) async fn next(&mut self) -> WatchEvent {
        loop {
            let received = self.incoming.recv().await;
            let (id, event) = received.expect("the sender is in the same struct");
            if self.is_current(id, &event) {
                return event;
            }
        }
    }

    /// The next event, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<WatchEvent> {
        while let Ok((id, event)) = self.incoming.try_recv() {
            if self.is_current(id, &event) {
                return Some(event);
            }
        }
        None
    }

    /// Ends all watches.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        // A task that waits for room in the channel ends as well.
        self.incoming.close();
        while self.tasks.join_next().await.is_some() {}
    }

    fn start(&mut self, watched: Watched) {
        let id = self.next;
        self.next += 1;
        let stop = self.shutdown.child_token();
        let task = stream::watch(
            self.cluster.clone(),
            watched.clone(),
            id,
            self.events.clone(),
            self.definitions.subscribe(),
        );
        self.spawn(stop.clone(), task);
        self.running.insert(watched, Running { id, stop });
    }

    fn spawn(&mut self, stop: CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// A watch that was stopped may have left events in the channel, and the same kind may be watched anew since.
    fn is_current(&self, id: u64, event: &WatchEvent) -> bool {
        match event {
            WatchEvent::Definitions(_) | WatchEvent::Policy(_) => true,
            WatchEvent::Listing(watched)
            | WatchEvent::Seen(watched, _)
            | WatchEvent::Vanished(watched, _)
            | WatchEvent::Listed(watched)
            | WatchEvent::Failed(watched, _) => self.running.get(watched).is_some_and(|it| it.id == id),
        }
    }
}
