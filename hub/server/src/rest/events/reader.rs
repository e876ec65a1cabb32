//! One reader of events: its position, and what it still has to be told.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::Event;
use futures::{FutureExt as _, Stream, stream};
use outhaul_protocol_wire::ids::PlaneName;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{Change, Gone, Position, Since, Thing};
use crate::handle::HubStopped;
use crate::rest::Rest;
use crate::rest::access::Pass;
use crate::rest::blockers::with_blockers;
use crate::rest::error::Code;

/// Shorter than the half minute after which common proxies take a silent connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// When a client that lost its connection should come back.
const RETRY: Duration = Duration::from_secs(2);

pub(super) struct Reader {
    rest: Rest,
    pass: Pass,
    /// Only this plane.
    plane: Option<PlaneName>,
    /// Everything up to here was told, but for `pending`.
    told: Position,
    /// Once `pending` is told, everything up to here was.
    reached: Position,
    pending: BTreeSet<Thing>,
    greeting: Option<Greeting>,
    newest: watch::Receiver<Position>,
    heartbeat: Interval,
}

/// What a stream begins with: an id, so that a client that comes back was somewhere before; and `reset` for one
/// that did come back, and missed changes.
enum Greeting {
    Welcome,
    Reset,
}

/// How a reader stands to the newest change.
enum CaughtUp {
    /// Something is to be told.
    Pending,
    /// It missed changes.
    Missed,
    /// There is nothing more.
    Done,
}

/// What made a waiting reader go on.
enum Wake {
    Changes,
    Heartbeat,
    Closing,
}

impl Reader {
    /// `position`: where to go on; `None` where that is not known any more.
    pub(super) fn new(rest: Rest, pass: Pass, plane: Option<PlaneName>, position: Option<Position>) -> Self {
        let newest = rest.feed.follow();
        let start = position.unwrap_or_else(|| rest.feed.now());
        let greeting = position.map_or(Greeting::Reset, |_| Greeting::Welcome);
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        Self {
            rest,
            pass,
            plane,
            told: start,
            reached: start,
            pending: BTreeSet::new(),
            greeting: Some(greeting),
            newest,
            heartbeat,
        }
    }

    /// Ends when the hub stops, or when the caller lost the right.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut reader| async move {
            let event = reader.next().await?;
            Some((Ok(event), reader))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if let Some(greeting) = self.greeting.take() {
            return Some(self.greet(&greeting));
        }
        loop {
            // Also while there is always something to tell.
            if self.heartbeat.tick().now_or_never().is_some() {
                return self.beat().await;
            }
            if let Some(thing) = self.pending.pop_first() {
                let change = self.current(thing).await.ok()?;
                if self.pending.is_empty() {
                    self.told = self.reached;
                }
                return Some(self.event(&change));
            }
            match self.catch_up() {
                CaughtUp::Pending => continue,
                CaughtUp::Missed => return Some(self.event(&Change::Reset {})),
                CaughtUp::Done => {}
            }
            match self.wait().await {
                Wake::Changes => {}
                Wake::Closing => return None,
                Wake::Heartbeat => return self.beat().await,
            }
        }
    }

    fn greet(&self, greeting: &Greeting) -> Event {
        match greeting {
            Greeting::Welcome => Event::default().id(self.rest.feed.id(self.told)).retry(RETRY),
            Greeting::Reset => self.event(&Change::Reset {}).retry(RETRY),
        }
    }

    /// Takes in what changed since, until some of it is to be told.
    fn catch_up(&mut self) -> CaughtUp {
        loop {
            match self.rest.feed.since(self.reached) {
                Since::Nothing => return CaughtUp::Done,
                Since::Reset { until } => {
                    self.reached = until;
                    self.told = until;
                    return CaughtUp::Missed;
                }
                Since::Changed { things, until } => {
                    let wanted =
                        |thing: &Thing| self.plane.as_ref().is_none_or(|plane| thing.plane == *plane);
                    self.pending = things.into_iter().filter(wanted).collect();
                    self.reached = until;
                    if !self.pending.is_empty() {
                        return CaughtUp::Pending;
                    }
                    self.told = until;
                }
            }
        }
    }

    async fn wait(&mut self) -> Wake {
        // All three can be dropped: the mark of what was seen, the next tick and the token stay as they are.
        tokio::select! {
            changed = self.newest.changed() => changed.map_or(Wake::Closing, |()| Wake::Changes),
            _ = self.heartbeat.tick() => Wake::Heartbeat,
            () = self.rest.closing.cancelled() => Wake::Closing,
        }
    }

    /// A sign of life, for whoever still has the right. While nobody can tell, a stream that was granted goes on.
    async fn beat(&self) -> Option<Event> {
        match self.pass.check().await {
            Err(error) if error.code() != Code::Unavailable => None,
            Ok(()) | Err(_) => Some(Event::default().comment("")),
        }
    }

    async fn current(&self, thing: Thing) -> Result<Change, HubStopped> {
        let hub = &self.rest.hub;
        let plane = hub.plane(thing.plane.clone()).await?;
        let Some(bundle) = thing.bundle.clone() else {
            return Ok(plane.map_or_else(|| gone(thing), Change::Plane));
        };
        let view = hub.bundle(thing.plane.clone(), bundle).await?;
        Ok(match (plane, view) {
            (Some(plane), Some(view)) => Change::Bundle(with_blockers(view, &plane)),
            _ => gone(thing),
        })
    }

    /// Until the last event of what was pending is out, the id is the one before it: who loses the connection in
    /// between hears of all of it again.
    fn event(&self, change: &Change) -> Event {
        Event::default()
            .event(change.name())
            .id(self.rest.feed.id(self.told))
            .json_data(change)
            .expect("views have string keys only")
    }
}

fn gone(thing: Thing) -> Change {
    Change::Gone(Gone {
        plane: thing.plane.to_string(),
        bundle: thing.bundle,
    })
}
