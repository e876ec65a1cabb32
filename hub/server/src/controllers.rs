//! The task that owns the controllers: what watches tell goes in, what they decide is carried out.
//!
//! It writes only while it holds the Lease, so of several hubs one does. The others know the same and write nothing;
//! where the Lease comes to them they look at everything once, and write what is missing.

mod carrying;
mod election;

use std::sync::Arc;
use std::time::Duration;

use outhaul_hub_core::controllers::{Controllers, Job, News, Next, Outcome, Settings, Step};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::notes::Notes;
use election::{Election, Held};

/// News that wait. Watches wait for theirs to be taken, so this only smooths bursts.
pub(crate) const NEWS: usize = 256;

/// Requests at once. An API server answers these writes in 1 to 5 ms, so this is thousands a second, and leaves it room
/// for what the planes report.
const CONCURRENT: usize = 32;

/// News, answers and looks that one round takes before the task lets others run.
const BATCH: usize = 64;

/// What the writes under way may take when the hub stops.
const STOP_TIME: Duration = Duration::from_secs(5);

/// How the controllers are doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether this hub is the one that writes.
    pub leading: bool,
    /// Whether everything that is known has been looked at and nothing is left to do.
    pub settled: bool,
    /// Requests that were answered well since the start.
    pub written: Written,
}

/// Requests that were answered well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Bindings and Releases that were created.
    pub created: u64,
    /// Bindings and Releases that were written over.
    pub replaced: u64,
    /// Releases that were deleted.
    pub deleted: u64,
    /// Statuses of components and bindings that were written.
    pub statuses: u64,
    /// Statuses of what a platform consists of that were written.
    pub platform: u64,
}

impl Written {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.created + self.replaced + self.deleted + self.statuses + self.platform
    }

    fn count(&mut self, step: &Step) {
        match step {
            Step::Read(_) | Step::Commit(_) => {}
            Step::Create { .. } => self.created += 1,
            Step::Replace { .. } => self.replaced += 1,
            Step::Delete { .. } => self.deleted += 1,
            Step::Status { id, .. } if id.kind.is_platform() => self.platform += 1,
            Step::Status { .. } => self.statuses += 1,
        }
    }
}

/// What the task is made of.
pub(crate) struct ControllersTask {
    pub(crate) client: kube::Client,
    /// The hub's namespace, for the Lease.
    pub(crate) namespace: String,
    pub(crate) settings: Settings,
    pub(crate) news: mpsc::Receiver<News>,
    pub(crate) progress: watch::Sender<Progress>,
}

struct Running {
    client: kube::Client,
    controllers: Controllers,
    clock: Arc<Clock>,
    held: watch::Receiver<Held>,
    running: JoinSet<(Job, Outcome)>,
    notes: Notes,
    written: Written,
    progress: watch::Sender<Progress>,
}

impl ControllersTask {
    /// Runs until `shutdown`, finishes the writes under way, and gives the Lease back.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let clock = Arc::new(Clock::start());
        let (election, held) = Election::new(self.client.clone(), &self.namespace, Arc::clone(&clock));
        let writing_is_over = CancellationToken::new();
        let running = Running {
            client: self.client.clone(),
            controllers: Controllers::new(self.settings),
            clock,
            held,
            running: JoinSet::new(),
            notes: Notes::new(self.client),
            written: Written::default(),
            progress: self.progress,
        };
        let over = writing_is_over.clone();
        let working = async move {
            running.run(self.news, shutdown).await;
            over.cancel();
        };
        tokio::join!(working, election.run(writing_is_over));
    }
}

impl Running {
    async fn run(mut self, mut news: mpsc::Receiver<News>, shutdown: CancellationToken) {
        loop {
            let deadline = self.clock.instant(self.next_deadline());
            // Every arm only receives: dropping it loses nothing.
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = self.running.join_next() => self.ended(ended),
                Some(told) = news.recv() => self.controllers.tell(told),
                Ok(()) = self.held.changed() => {}
                () = self.notes.next() => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
            while self.round(&mut news) {
                tokio::task::yield_now().await;
            }
            self.notes.start(!self.running.is_empty());
            self.tell();
        }
        self.finish().await;
    }

    /// Takes some of everything that waits. Returns whether there is more.
    fn round(&mut self, news: &mut mpsc::Receiver<News>) -> bool {
        for _ in 0..BATCH {
            let Some(ended) = self.running.try_join_next() else {
                break;
            };
            self.ended(ended);
        }
        for _ in 0..BATCH {
            let Ok(told) = news.try_recv() else { break };
            self.controllers.tell(told);
        }
        for _ in 0..BATCH {
            let now = self.clock.now();
            if self.running.len() >= CONCURRENT || !self.leads(now.uptime) {
                return false;
            }
            match self.controllers.next(now) {
                Next::Idle => return !news.is_empty(),
                Next::Looked => {}
                Next::Job(job) => {
                    let client = self.client.clone();
                    self.running.spawn(async move {
                        let outcome = carrying::carry_out(client, &job.step).await;
                        (*job, outcome)
                    });
                }
            }
        }
        true
    }

    /// When something has to be looked at again. Who may not look waits for the Lease, or for an answer.
    fn next_deadline(&self) -> Option<Duration> {
        let may_look = self.running.len() < CONCURRENT && self.leads(self.clock.now().uptime);
        self.controllers.next_deadline().filter(|_| may_look)
    }

    fn leads(&self, uptime: Duration) -> bool {
        self.held.borrow().is_some_and(|until| uptime < until)
    }

    fn ended(&mut self, ended: Result<(Job, Outcome), JoinError>) {
        let (job, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_cancelled) => return,
        };
        let now = self.clock.now();
        if matches!(outcome, Outcome::Written(_) | Outcome::Deleted) {
            self.written.count(&job.step);
            for note in &job.notes {
                self.notes.publish(note.clone(), now.wall);
            }
        }
        if let Some(note) = self.controllers.finished(&job, outcome, now) {
            self.notes.publish(note, now.wall);
        }
    }

    fn tell(&self) {
        let now = Progress {
            leading: self.leads(self.clock.now().uptime),
            settled: self.controllers.is_settled() && self.running.is_empty(),
            written: self.written,
        };
        self.progress.send_if_modified(|progress| {
            if now.leading && !progress.leading {
                info!("This hub makes bindings and Releases");
            }
            let changed = *progress != now;
            *progress = now;
            changed
        });
    }

    async fn finish(mut self) {
        let finishing = async {
            while let Some(ended) = self.running.join_next().await {
                self.ended(ended);
            }
        };
        if timeout(STOP_TIME, finishing).await.is_err() {
            warn!(
                "Stopped before every write of the controllers was answered; the next hub makes them again"
            );
        }
        self.notes.finish().await;
    }
}
