//! The task that owns the fleet.
//!
//! Everything that happens comes to it as a [`Signal`]; questions of REST come as [`Request`]s beside them. It never
//! waits for anybody: messages to agents go where there is room, writes and reads run in the background, and their
//! outcomes come back to it. So no two parts of the hub can wait for each other.

mod outbox;
mod outcome;
mod signal;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use outhaul_hub_core::view::{BundleName, BundleView, Found, OrphanView, PlaneView};
use outhaul_hub_core::{Fleet, Output, SessionId};
use outhaul_protocol_wire::ids::PlaneName;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::epoch::Epochs;
use crate::handle::FleetEvent;
use crate::notes::Notes;
use crate::readiness::{Check, Reporter};
use writer::{Finished, Writer};

pub(crate) use outbox::{Ending, Outbox, Receiving, outbox};
pub(crate) use signal::{Opening, Signal};

/// Signals that wait. Each sender waits for its own to be taken, so this only smooths bursts.
pub(crate) const SIGNALS: usize = 1_024;

/// Questions that wait.
pub(crate) const REQUESTS: usize = 64;

/// Signals, and answers of the API server, that one round takes: enough to merge a burst, few enough to answer at once.
const BATCH: usize = 64;

/// Questions that one round answers: each may show the whole fleet.
const ANSWERS: usize = 4;

/// A question about the fleet, and where to answer it.
pub(crate) enum Request {
    /// All planes.
    Planes(oneshot::Sender<Vec<PlaneView>>),
    /// One plane.
    Plane(PlaneName, oneshot::Sender<Option<PlaneView>>),
    /// What is on a plane, whether or not there is a Plane of that name.
    On(PlaneName, oneshot::Sender<Vec<BundleName>>),
    /// What a plane holds and the hub does not know.
    Orphans(PlaneName, oneshot::Sender<Option<Vec<OrphanView>>>),
    /// What is meant for a plane.
    Bundles(PlaneName, oneshot::Sender<Option<Vec<BundleView>>>),
    /// One resource, wherever it is meant to go.
    Find(BundleName, oneshot::Sender<Option<Found>>),
    /// One resource on a plane.
    Bundle(PlaneName, BundleName, oneshot::Sender<Option<BundleView>>),
}

/// What the task is made of.
pub(crate) struct FleetTask {
    pub(crate) fleet: Fleet,
    pub(crate) client: kube::Client,
    pub(crate) epochs: Epochs,
    pub(crate) signals: mpsc::Receiver<Signal>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) events: broadcast::Sender<FleetEvent>,
    pub(crate) readiness: Reporter,
    /// Cancelled once planes may be served.
    pub(crate) synced: CancellationToken,
}

struct Running {
    fleet: Fleet,
    clock: Clock,
    writer: Writer,
    notes: Notes,
    sessions: BTreeMap<SessionId, Outbox>,
    events: broadcast::Sender<FleetEvent>,
    readiness: Reporter,
    synced: CancellationToken,
}

impl FleetTask {
    /// Runs until `shutdown`, says goodbye to every agent, and finishes the writes under way.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let Self {
            fleet,
            client,
            epochs,
            mut signals,
            mut requests,
            events,
            readiness,
            synced,
        } = self;
        let mut running = Running {
            fleet,
            clock: Clock::start(),
            writer: Writer::new(client.clone(), epochs),
            notes: Notes::new(client),
            sessions: BTreeMap::new(),
            events,
            readiness,
            synced,
        };
        loop {
            let deadline = running.clock.instant(running.fleet.next_deadline());
            // Every arm only receives: dropping it loses nothing.
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(signal) = signals.recv() => running.take(signal),
                Some(finished) = running.writer.next() => running.finished(finished),
                () = running.notes.next() => {}
                () = tokio::time::sleep_until(deadline) => {}
                Some(request) = requests.recv() => running.answer(request),
            }
            running.round(&mut signals, &mut requests);
            running.flush();
        }
        // Nobody takes signals any more: whoever still sends one learns so instead of waiting.
        drop((signals, requests));
        running.stop().await;
    }
}

impl Running {
    /// Takes some of everything that waits. Whatever one agent says without end, all others have their turn.
    fn round(&mut self, signals: &mut mpsc::Receiver<Signal>, requests: &mut mpsc::Receiver<Request>) {
        for _ in 0..BATCH {
            let Ok(signal) = signals.try_recv() else { break };
            self.take(signal);
        }
        for _ in 0..BATCH {
            let Some(finished) = self.writer.try_next() else {
                break;
            };
            self.finished(finished);
        }
        self.fleet.tick(self.clock.now());
        for _ in 0..ANSWERS {
            let Ok(request) = requests.try_recv() else { break };
            self.answer(request);
        }
    }

    fn take(&mut self, signal: Signal) {
        let now = self.clock.now();
        match signal {
            Signal::Seen(sight) => sight.tell(&mut self.fleet, now),
            Signal::Synced => {
                info!("Every resource has been read");
                self.fleet.synced(now);
                self.readiness.set(Check::Resources, Ok(()));
                self.synced.cancel();
            }
            Signal::StartOver(epoch) => {
                info!(epoch = epoch.0, "The epoch was raised: everything is read again");
                self.readiness
                    .set(Check::Resources, Err("reading again after a restore".to_owned()));
                self.fleet.start_over(epoch, now);
            }
            Signal::Open(opening) => self.open(*opening),
            Signal::Message(session, message) => {
                if let Err(violation) = self.fleet.message(session, message, now) {
                    self.end(session, Ending::Violation(violation.to_string()));
                    self.fleet.closed(session, now);
                }
            }
            Signal::Room(session) => self.pump(session),
            Signal::Fetch(session, digest, answer) => {
                // The asking stream may have been closed: then nobody waits for it.
                let _closed = answer.send(self.fleet.fetch(session, digest, now));
            }
            Signal::Closed(session) => {
                self.sessions.remove(&session);
                self.fleet.closed(session, now);
            }
        }
    }

    fn open(&mut self, opening: Opening) {
        let Opening {
            dialer,
            hello,
            outbox,
            answer,
        } = opening;
        let plane = dialer.plane.clone();
        let opened = self.fleet.open(dialer, &hello, self.clock.now());
        match &opened {
            Ok(session) => {
                info!(%plane, %session, term = %hello.term, "Session opened");
                self.sessions.insert(*session, outbox);
            }
            Err(refused) => warn!(%plane, reason = ?refused.reason, "Session refused: {}", refused.message),
        }
        if let (Err(_gone), Ok(session)) = (answer.send(opened.clone()), opened) {
            self.sessions.remove(&session);
            self.fleet.closed(session, self.clock.now());
        }
    }

    fn finished(&mut self, finished: Finished) {
        let now = self.clock.now();
        match finished {
            Finished::Written(id, outcome) => self.fleet.written(id, outcome, now),
            Finished::Read(sight) => sight.tell(&mut self.fleet, now),
            Finished::Unread(key) => self.fleet.unread(&key),
            Finished::LookedAround(key, read) => self.fleet.surroundings(&key, read, now),
            Finished::Epoch(asked, read) => self.fleet.epoch_read(asked, read),
        }
    }

    fn answer(&self, request: Request) {
        let now = self.clock.now();
        // Whoever asked may be gone by now: then nobody waits for the answer.
        match request {
            Request::Planes(answer) => drop(answer.send(self.fleet.planes(now))),
            Request::Plane(name, answer) => drop(answer.send(self.fleet.plane_view(&name, now))),
            Request::On(plane, answer) => drop(answer.send(self.fleet.on(&plane))),
            Request::Orphans(plane, answer) => drop(answer.send(self.fleet.orphans(&plane))),
            Request::Bundles(plane, answer) => drop(answer.send(self.fleet.bundles(&plane))),
            Request::Find(name, answer) => drop(answer.send(self.fleet.find(&name))),
            Request::Bundle(plane, name, answer) => drop(answer.send(self.fleet.bundle(&plane, &name))),
        }
    }

    /// Carries out what the fleet decided. Messages to agents go first: nothing else waits for a round trip.
    fn flush(&mut self) {
        for session in self.fleet.take_talking() {
            self.pump(session);
        }
        while let Some(output) = self.fleet.poll_output() {
            self.carry_out(output);
        }
        self.writer.start();
        self.notes.start(self.writer.is_busy());
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Write(write) => self.writer.write(write),
            Output::Read(key) => self.writer.read(key),
            Output::LookAround(key) => self.writer.look_around(key),
            Output::ReadEpoch(asked) => self.writer.read_epoch(asked),
            Output::Goodbye(session, closing) => self.end(session, Ending::Goodbye(closing)),
            Output::Note(note) => self.notes.publish(note, self.clock.now().wall),
            Output::Changed(plane, bundle) => {
                let event = match bundle {
                    None => FleetEvent::Plane(plane),
                    Some(bundle) => FleetEvent::Bundle(plane, bundle),
                };
                // Without a reader there is nobody to tell.
                let _unheard = self.events.send(event);
            }
        }
    }

    fn pump(&mut self, session: SessionId) {
        if let Some(outbox) = self.sessions.get(&session) {
            outbox.fill(|| self.fleet.poll_transmit(session));
        }
    }

    fn end(&mut self, session: SessionId, ending: Ending) {
        if let Some(outbox) = self.sessions.remove(&session) {
            outbox.end(ending);
        }
    }

    async fn stop(mut self) {
        self.fleet.close_all(self.clock.now());
        self.flush();
        self.writer.finish().await;
        self.notes.finish().await;
    }
}
