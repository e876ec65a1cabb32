//! The state behind its lock, and the signals that wake watches.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use outhaul_fake_kube_core::access::{User, Wanted};
use outhaul_fake_kube_core::cluster::Cluster;
use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::moment::Moment;
use outhaul_fake_kube_core::refusal::Refusal;
use outhaul_fake_kube_core::reply::{Outcome, Reply};
use outhaul_fake_kube_core::request::Request;
use outhaul_fake_kube_core::watch::{Polled, Watch};
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::fault::{Decision, Faults};

/// Who sends a request.
#[derive(Debug, Clone, Default)]
pub enum Who {
    /// Nobody known.
    #[default]
    Anonymous,
    /// The bearer of a token.
    Bearer(String),
    /// Somebody this process vouches for.
    Trusted(User),
}

/// One cluster's state, shared by everything that serves it.
#[derive(Debug)]
pub(crate) struct Engine {
    state: Mutex<State>,
    clock: Clock,
    /// Rung after every write: something may be left to do in the background.
    unsettled: Notify,
    /// Whether the API can be reached; watches end when it cannot.
    reachable: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    cluster: Cluster,
    faults: Faults,
    signals: HashMap<GroupResource, watch::Sender<()>>,
}

impl Engine {
    pub(crate) fn new(cluster: Cluster, clock: Clock) -> Self {
        Self {
            state: Mutex::new(State {
                cluster,
                faults: Faults::default(),
                signals: HashMap::new(),
            }),
            clock,
            unsettled: Notify::new(),
            reachable: watch::Sender::new(true),
        }
    }

    /// Answers a request of somebody, with the state so many writes ago if that is a read.
    pub(crate) fn handle(&self, request: &Request, who: &Who, as_whom: &Wanted<'_>, lag: u64) -> Outcome {
        let mut moment = self.clock.moment();
        let mut state = self.lock();
        let outcome = match state.identify(who, as_whom, request, moment.now) {
            Ok(user) if lag > 0 => state.cluster.handle_stale(request, &user, lag, &mut moment),
            Ok(user) => state.cluster.handle(request, &user, &mut moment),
            Err(refusal) => Outcome::Reply(Reply::from(refusal)),
        };
        if request.verb.writes() {
            state.signal();
            self.unsettled.notify_one();
        }
        outcome
    }

    /// Whether a request may be made at all.
    pub(crate) fn admit(&self, request: &Request, who: &Who, as_whom: &Wanted<'_>) -> Result<(), Refusal> {
        let mut state = self.lock();
        let user = state.identify(who, as_whom, request, self.clock.now())?;
        state.cluster.admit(&user, request)
    }

    /// What becomes of a request of somebody.
    pub(crate) fn decide(&self, request: &Request, who: &Who) -> Decision {
        let mut state = self.lock();
        let user = match state.faults.ask_who() {
            true => state.authenticate(who, self.clock.now()).ok(),
            false => None,
        };
        state
            .faults
            .decide(request, user.as_ref().map(|user| user.name.as_str()))
    }

    /// Looks at or changes the faults.
    pub(crate) fn with_faults<R>(&self, f: impl FnOnce(&mut Faults) -> R) -> R {
        f(&mut self.lock().faults)
    }

    /// Looks at or changes the state directly, as the real server's operator might. What that leaves to do in the
    /// background waits for [`Engine::disturb`].
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Cluster, &mut Moment) -> R) -> R {
        let mut moment = self.clock.moment();
        let mut state = self.lock();
        let result = f(&mut state.cluster, &mut moment);
        state.signal();
        result
    }

    /// Lets the background have a look.
    pub(crate) fn disturb(&self) {
        self.unsettled.notify_one();
    }

    /// Waits until something may be left to do in the background.
    pub(crate) async fn disturbed(&self) {
        self.unsettled.notified().await;
    }

    /// Does some of what is left to do; says whether there may be more.
    pub(crate) fn settle(&self) -> bool {
        self.with(|cluster, moment| cluster.settle(moment))
    }

    pub(crate) fn poll_watch(&self, watch: &mut Watch) -> Polled {
        self.lock().cluster.poll_watch(watch, self.clock.now())
    }

    pub(crate) fn bookmark(&self, watch: &Watch) -> Option<Bytes> {
        self.lock().cluster.bookmark(watch)
    }

    /// The resourceVersion of the last write.
    pub(crate) fn version(&self) -> u64 {
        self.lock().cluster.version()
    }

    /// A receiver that changes whenever the kind does.
    pub(crate) fn subscribe(&self, resource: &GroupResource) -> watch::Receiver<()> {
        let mut state = self.lock();
        state
            .signals
            .entry(resource.clone())
            .or_insert_with(|| watch::Sender::new(()))
            .subscribe()
    }

    pub(crate) fn set_reachable(&self, reachable: bool) {
        self.reachable.send_replace(reachable);
    }

    pub(crate) fn reachable(&self) -> watch::Receiver<bool> {
        self.reachable.subscribe()
    }

    /// A panic under the lock is a failed test already, and the state is good enough for whoever asks next: what the
    /// store holds is whole after each of its writes, and a look at the past ends with whoever looks. A request that
    /// wanted several writes, as a deletion of many objects, may have made some of them.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn identify(
        &mut self,
        who: &Who,
        as_whom: &Wanted<'_>,
        request: &Request,
        now: Timestamp,
    ) -> Result<User, Refusal> {
        let user = self.authenticate(who, now)?;
        self.cluster.impersonate(user, as_whom, request)
    }

    fn authenticate(&self, who: &Who, now: Timestamp) -> Result<User, Refusal> {
        match who {
            Who::Anonymous => Ok(User::anonymous()),
            Who::Bearer(token) => self.cluster.authenticate(token, now),
            Who::Trusted(user) => Ok(user.clone()),
        }
    }

    fn signal(&mut self) {
        for resource in self.cluster.take_changed() {
            if let Some(signal) = self.signals.get(&resource) {
                signal.send_replace(());
            }
        }
    }
}
