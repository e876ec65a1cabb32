//! The owner of the agent's state. Everything that happens comes here, one after the other: what the hub says, what
//! watches show, how requests and writes end, and time. The [`Plane`] decides, and what it decides is carried out by
//! tasks that answer back here.
//!
//! Nothing waits in here: a step is a few computations, and then the next event. Tasks are in `JoinSet`s and end with
//! the agent; their number is bounded by the plane's pace, the store's writes and the session's fetches.

mod connected;

use core::time::Duration;
use std::time::{Instant, SystemTime};

use outhaul_agent_core::blocker::{Course, Failure};
use outhaul_agent_core::clock::Clock;
use outhaul_agent_core::plane::{Answer, Plane, RequestId, Write};
use outhaul_protocol_session::agent::{self, Event};
use outhaul_protocol_transport::close::Close;
use outhaul_protocol_wire::head::Key;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::connected::{Connected, FetchDone};
use crate::cluster::Cluster;
use crate::policy::Keeper;
use crate::store::Store;
use crate::uplink::{LinkEvent, Opened};
use crate::watches::{WatchEvent, Watches};

/// Events of watches that are taken in one go, before the hub hears of them: enough for a list page, few enough to
/// report the first in a millisecond.
const BATCH: usize = 64;

/// How long the last writes may take when the agent stops.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// When there is nothing to wait for.
const LONG: Duration = Duration::from_secs(3600);

/// The agent's state and what is under way for it.
pub(crate) struct Agent {
    plane: Plane,
    connected: Option<Connected>,
    cluster: Cluster,
    store: Store,
    keeper: Keeper,
    watches: Watches,
    watch_revision: Option<u64>,
    requests: JoinSet<(RequestId, Answer, Duration)>,
    writes: JoinSet<(Key, Result<(), Failure>)>,
    /// The write of the control plane that the hub speaks for; the plane begins one at a time.
    pins: JoinSet<Result<(), Failure>>,
    fetches: JoinSet<FetchDone>,
}

impl Agent {
    pub(crate) fn new(plane: Plane, keeper: Keeper, cluster: Cluster, store: Store) -> Self {
        Self {
            plane,
            connected: None,
            keeper,
            watches: Watches::new(cluster.clone(), store.namespace()),
            watch_revision: None,
            cluster,
            store,
            requests: JoinSet::new(),
            writes: JoinSet::new(),
            pins: JoinSet::new(),
            fetches: JoinSet::new(),
        }
    }

    /// Runs until `shutdown`. Then nothing of it runs any more, and what was learned is written down.
    pub(crate) async fn run(mut self, mut link: mpsc::Receiver<LinkEvent>, shutdown: CancellationToken) {
        loop {
            self.progress();
            let deadline = self.deadline();
            let room = Connected::room(self.connected.as_ref());
            tokio::select! {
                // Nothing is taken from anywhere by waiting for it.
                () = shutdown.cancelled() => break,
                // Receivers and join sets: what is not received stays in them.
                Some(event) = link.recv() => self.link_event(event),
                event = self.watches.next() => {
                    self.watch_event(event);
                    self.watch_events();
                }
                Some(done) = self.requests.join_next() => {
                    let (id, answer, took) = finished(done);
                    self.plane.answered(id, answer, took, Instant::now());
                    self.other_answers();
                }
                Some(done) = self.writes.join_next() => {
                    let (key, result) = finished(done);
                    self.written(&key, result);
                }
                Some(done) = self.pins.join_next() => self.pinned(finished(done)),
                done = self.keeper.next() => self.keeper.ended(finished(done)),
                Some(done) = self.fetches.join_next() => self.fetched(finished(done)),
                // A permit that is not used is given back.
                () = room => {}
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
        self.stop().await;
    }

    /// Carries out all that can be done now.
    fn progress(&mut self) {
        let clock = clock();
        let now = clock.now;
        self.plane.set_clock(clock);
        loop {
            self.plane.advance(now);
            let mut busy = false;
            while let Some(write) = self.plane.poll_write(now) {
                busy = true;
                self.write(write);
            }
            while let Some(request) = self.plane.poll_request(now) {
                busy = true;
                let cluster = self.cluster.clone();
                self.requests.spawn(async move {
                    let sent = Instant::now();
                    let answer = cluster.execute(&request.action).await;
                    (request.id, answer, sent.elapsed())
                });
            }
            if !busy {
                break;
            }
        }
        if let Some(witness) = self.plane.poll_pin(now) {
            let store = self.store.clone();
            self.pins
                .spawn(async move { store.keep_control_plane(witness).await });
        }
        self.keeper.progress(self.plane.policy(), now);
        if self.watch_revision != Some(self.plane.watch_revision()) {
            self.watch_revision = Some(self.plane.watch_revision());
            self.watches.set(self.plane.watched());
        }
        if let Some((at, waits_for)) = self.connected.as_ref().and_then(|it| it.session.deadline())
            && at <= now
        {
            self.disconnect(Close::TooSlow, &format!("no sign of {waits_for}"));
        }
        let news = self.plane.news();
        if let Some(connected) = &mut self.connected {
            connected.tell(news);
            connected.fetch(&mut self.fetches);
            connected.transmit(&self.plane);
        }
    }

    fn deadline(&self) -> Instant {
        let session = self.connected.as_ref().and_then(Connected::deadline);
        let keeper = self.keeper.deadline(Instant::now());
        let next = [self.plane.deadline().map(|(at, _)| at), session, keeper];
        let next = next.into_iter().flatten().min();
        next.unwrap_or_else(|| Instant::now() + LONG)
    }

    fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Opened(opened) => self.opened(opened),
            LinkEvent::Message(session, message) => {
                let Some(connected) = self.connected.as_mut().filter(|it| it.id == session) else {
                    return;
                };
                match connected.session.handle(message, &self.plane) {
                    Ok(events) => self.session_events(events),
                    Err(violation) => self.disconnect(Close::Violation, &violation.to_string()),
                }
            }
            LinkEvent::Ended(session) => {
                if self.connected.as_ref().is_some_and(|it| it.id == session) {
                    self.connected = None;
                }
            }
        }
    }

    fn opened(&mut self, opened: Opened) {
        let now = Instant::now();
        // The hello tells the newest state.
        self.plane.advance(now);
        self.connected = Some(Connected::open(opened, &self.plane, now));
    }

    fn session_events(&mut self, events: Vec<Event>) {
        let now = Instant::now();
        for event in events {
            match event {
                Event::Welcomed(welcome) => {
                    info!(
                        epoch = welcome.epoch.0,
                        converged = welcome.converged,
                        "The hub takes this session"
                    );
                }
                Event::Store(store) => {
                    let key = store.head.key.clone();
                    debug!(%key, version = %store.head.version, state = ?store.head.state, "Taking a head");
                    if let Err(error) = self.plane.take(store) {
                        warn!(%key, %error, "The hub sent damaged content");
                        self.disconnect(Close::Violation, &error.to_string());
                        return;
                    }
                }
                Event::Recorded(held) => self.plane.recorded(&held, now),
                Event::Orphaned(keys) => {
                    warn!(
                        count = keys.len(),
                        "The hub does not know resources that this plane holds; they are kept"
                    );
                    self.plane.orphaned(&keys, now);
                }
                Event::Settled(held) => self.plane.settled(&held, clock().unix, now),
                Event::Vouched(vouched) => {
                    self.plane.vouched(vouched);
                    if agent::Plane::is_unconfirmed(&self.plane) {
                        warn!(
                            witness = %vouched.witness,
                            "The hub speaks for another control plane than this plane knows; what that one lets go waits"
                        );
                    }
                }
                // The uplink has heard it as well, and dials again as it says.
                Event::Refused(_) | Event::Closing(_) => self.connected = None,
            }
        }
    }

    fn watch_events(&mut self) {
        for _ in 1..BATCH {
            let Some(event) = self.watches.try_next() else {
                return;
            };
            self.watch_event(event);
        }
    }

    fn watch_event(&mut self, event: WatchEvent) {
        let now = Instant::now();
        match event {
            WatchEvent::Listing(watched) => self.plane.listing(&watched),
            WatchEvent::Seen(watched, object) => self.plane.seen(&watched, &object, now),
            WatchEvent::Vanished(watched, object) => self.plane.vanished(&watched, &object, now),
            WatchEvent::Listed(watched) => self.plane.listed(&watched, now),
            WatchEvent::Failed(watched, failure) => self.plane.unwatched(&watched, failure),
            WatchEvent::Definitions(group) => self.plane.kinds_changed(&group),
            WatchEvent::Policy(config_map) => {
                if let Some(policy) = self.keeper.changed(config_map.as_ref(), self.plane.policy()) {
                    self.plane.govern(policy);
                }
            }
        }
    }

    /// Answers that came together are told together.
    fn other_answers(&mut self) {
        while let Some(done) = self.requests.try_join_next() {
            let (id, answer, took) = finished(done);
            self.plane.answered(id, answer, took, Instant::now());
        }
    }

    fn write(&mut self, write: Write) {
        let store = self.store.clone();
        self.writes.spawn(async move {
            let result = store.write(&write).await;
            (write.key, result)
        });
    }

    fn written(&mut self, key: &Key, result: Result<(), Failure>) {
        if let Err(failure) = &result {
            let problem = failure.blocker().message;
            match failure.course() {
                // The pace and the watches say that as well, once and not for each resource.
                Course::Server | Course::Overload(_) => {
                    debug!(%key, problem, "Cannot write a resource down yet")
                }
                Course::Object | Course::MakeNamespace => {
                    warn!(%key, problem, "Cannot write a resource down; nothing of it is applied before");
                }
            }
        }
        self.plane.written(key, result, Instant::now());
    }

    fn pinned(&mut self, result: Result<(), Failure>) {
        if let Err(failure) = &result {
            let problem = failure.blocker().message;
            warn!(
                problem,
                "Cannot write down which control plane the hub speaks for yet"
            );
        }
        self.plane.pin_written(result.is_ok(), Instant::now());
    }

    fn fetched(&mut self, done: FetchDone) {
        let FetchDone {
            session,
            digest,
            result,
        } = done;
        let Some(connected) = self.connected.as_mut().filter(|it| it.id == session) else {
            return;
        };
        match result {
            Ok(answer) => {
                let events = connected.session.fetched(&digest, answer);
                self.session_events(events);
            }
            Err(error) => {
                debug!(%digest, error, "A fetch failed");
                connected.session.fetch_failed(&digest);
            }
        }
    }

    fn disconnect(&mut self, why: Close, text: &str) {
        if let Some(connected) = self.connected.take() {
            warn!(text, "Giving up the session");
            connected.link.close(why, text);
        }
    }

    /// Ends what is under way. Requests may have done their work; the next start looks.
    async fn stop(mut self) {
        self.connected = None;
        self.watches.stop().await;
        self.keeper.stop().await;
        self.pins.shutdown().await;
        self.fetches.shutdown().await;
        self.requests.shutdown().await;
        let writing = async {
            loop {
                while let Some(write) = self.plane.poll_last_write() {
                    let store = self.store.clone();
                    self.writes.spawn(async move {
                        let result = store.write(&write).await;
                        (write.key, result)
                    });
                }
                let Some(done) = self.writes.join_next().await else {
                    return;
                };
                let (key, result) = finished(done);
                self.plane.written(&key, result, Instant::now());
            }
        };
        if tokio::time::timeout(LAST_WRITES, writing).await.is_err() {
            info!("Stopped before everything learned was written down; the next start looks again");
        }
        self.writes.shutdown().await;
    }
}

/// What a task returned. A panic in it is one of ours.
fn finished<T>(done: Result<T, tokio::task::JoinError>) -> T {
    match done {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => unreachable!("tasks are aborted only when the agent stops"),
        },
    }
}

/// Both clocks, now.
pub(crate) fn clock() -> Clock {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Clock {
        now: Instant::now(),
        unix: unix.unwrap_or_default().as_secs(),
    }
}
