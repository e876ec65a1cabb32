//! Whether this process acts for its plane: the holder of a Lease in the agent's namespace.
//!
//! The Lease is taken before anything is written to the plane but the namespace that it is in. Its holder renews it every
//! ten seconds. Whoever cannot, for example because the API server is away, writes nothing any more from then on, and goes
//! on once it is renewed; whoever finds it in other hands ends all it does, and waits. See
//! [`Candidate`](outhaul_protocol_lease::Candidate) for why two never both believe that they hold it.

use core::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use outhaul_agent_core::blocker::Failure;
use outhaul_protocol_lease::{Candidate, Move, Timing};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cluster::{Cluster, Path, collection};
use crate::store::Store;

/// Name of the Lease.
const NAME: &str = "outhaul-agent";

/// A pod that is made anew takes longer, and one that starts again has its Lease still. What was sent before the holder
/// stopped believing has ten seconds to come to an end.
const TIMING: Timing = Timing {
    duration: Duration::from_secs(30),
    belief: Duration::from_secs(20),
};

/// How often the holder renews it: often enough that one renewal may fail.
const RENEWAL: Duration = Duration::from_secs(10);

/// How often others look whether it is free, and the holder after a renewal that failed.
const LOOK: Duration = Duration::from_secs(2);

/// A request that takes longer has failed.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// Whether this process acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Another does, or nobody yet.
    Out,
    /// It does, until then. After that it may still be found to hold the Lease, if nobody took it.
    In(Instant),
}

/// Takes part in the election.
pub(crate) struct Election {
    cluster: Cluster,
    store: Store,
    candidate: Candidate,
    started: Instant,
    standing: watch::Sender<Standing>,
    /// Whether the last look failed.
    fails: bool,
}

/// What others read of it. Clones read the same.
#[derive(Clone)]
pub(crate) struct Tenure(watch::Receiver<Standing>);

impl Election {
    /// One in which nothing is held yet. `holder` is the name of this process: no two with one name may run at once.
    pub(crate) fn new(store: Store, holder: Option<String>) -> (Self, Tenure) {
        let holder = holder.unwrap_or_else(|| format!("outhaul-agent-{:032x}", rand::random::<u128>()));
        let (standing, tenure) = watch::channel(Standing::Out);
        let election = Self {
            cluster: store.cluster().clone(),
            store,
            candidate: Candidate::new(NAME, holder, TIMING),
            started: Instant::now(),
            standing,
            fails: false,
        };
        (election, Tenure(tenure))
    }

    /// Takes part until `stop`, then gives the Lease back.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // Never dropped in mid request: what was written without our knowing cannot be given back.
            self.look().await;
            let wait = match self.candidate.held_until(self.started.elapsed()) {
                Some(_) if !self.fails => RENEWAL,
                Some(_) | None => LOOK,
            };
            let _stopped = stop.run_until_cancelled(sleep(wait)).await;
        }
        self.give_back().await;
    }

    async fn look(&mut self) {
        let looked = timeout(REQUEST_TIME, self.try_to_hold()).await;
        let looked = looked.unwrap_or_else(|_| Err(Failure::Unreachable("no answer in time".to_owned())));
        if let Err(failure) = &looked
            && !std::mem::replace(&mut self.fails, true)
        {
            // Once, not every two seconds.
            let problem = failure.blocker().message;
            warn!(
                lease = NAME,
                problem, "Cannot read, take or renew the Lease of the agent; trying again"
            );
        }
        self.fails &= looked.is_err();
        let until = self.candidate.held_until(self.started.elapsed());
        match (until, looked) {
            (Some(until), _) => self.tell(Standing::In(self.started + until)),
            (None, Ok(())) => self.tell(Standing::Out),
            // It may still be ours.
            (None, Err(_)) => {}
        }
    }

    async fn try_to_hold(&mut self) -> Result<(), Failure> {
        let begun = self.started.elapsed();
        if let Some(lease) = self.candidate.renewal(begun, Timestamp::now()) {
            match self.replace(&lease).await {
                Err(failure) if failure.is_conflict() || failure.is_not_found() => {}
                written => {
                    self.candidate.written(written?, begun);
                    return Ok(());
                }
            }
        }
        let begun = self.started.elapsed();
        let stored = match self.cluster.get(&self.path()).await {
            Ok(stored) => Some(read(stored)?),
            Err(failure) if failure.is_not_found() => None,
            Err(failure) => return Err(failure),
        };
        let written = match self.candidate.look(stored, begun, Timestamp::now()) {
            Move::Create(lease) => self.create(&lease).await,
            Move::Replace(lease) => self.replace(&lease).await,
            Move::Wait => return Ok(()),
        };
        match written {
            Ok(lease) => self.candidate.written(lease, begun),
            // Another was faster; the next look tells who.
            Err(failure) if failure.is_conflict() => {}
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, Failure> {
        let leases = self.leases();
        match self.cluster.post(&leases, &write(lease)).await {
            Err(failure) if failure.is_not_found() => {
                self.store.prepare().await?;
                read(self.cluster.post(&leases, &write(lease)).await?)
            }
            created => read(created?),
        }
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, Failure> {
        read(self.cluster.put(&self.path(), &write(lease)).await?)
    }

    fn tell(&self, standing: Standing) {
        self.standing.send_if_modified(|known| {
            match (*known, standing) {
                (Standing::Out, Standing::In(_)) => info!(lease = NAME, "This agent acts for the plane"),
                (Standing::In(_), Standing::Out) => warn!(lease = NAME, "Another agent acts for the plane"),
                (Standing::Out, Standing::Out) | (Standing::In(_), Standing::In(_)) => {}
            }
            core::mem::replace(known, standing) != standing
        });
    }

    async fn give_back(mut self) {
        let Some(lease) = self.candidate.release(self.started.elapsed(), Timestamp::now()) else {
            return;
        };
        self.tell(Standing::Out);
        let released = timeout(REQUEST_TIME, self.replace(&lease)).await;
        if !matches!(released, Ok(Ok(_))) {
            warn!(
                lease = NAME,
                "The Lease was not given back: the next agent waits until it has run out"
            );
        }
    }

    fn leases(&self) -> Path {
        collection("coordination.k8s.io", "v1", "leases", self.store.namespace())
    }

    fn path(&self) -> Path {
        self.leases().segment(NAME)
    }
}

impl Tenure {
    /// Waits until this process acts.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn begun(&mut self) {
        let acts = |standing: &Standing| matches!(standing, Standing::In(_));
        if self.0.wait_for(acts).await.is_err() {
            // The election is over, and so is everything soon.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until another acts.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn ended(&mut self) {
        let _election_over = self.0.wait_for(|standing| *standing == Standing::Out).await;
    }

    /// Waits until this process may not write any more; returns at once where it may not now.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn expired(&mut self) {
        loop {
            let standing = *self.0.borrow_and_update();
            let Standing::In(until) = standing else { return };
            if until <= Instant::now() {
                return;
            }
            // Both only wait.
            tokio::select! {
                () = sleep_until(until.into()) => {}
                changed = self.0.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn read(lease: Value) -> Result<Lease, Failure> {
    serde_json::from_value(lease).map_err(|error| Failure::Unreadable(format!("no Lease: {error}")))
}

fn write(lease: &Lease) -> Value {
    serde_json::to_value(lease).expect("a Lease is written to memory and cannot fail")
}
