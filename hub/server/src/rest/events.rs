//! The fleet as it changes, as server-sent events.
//!
//! An event holds the thing as it is when the event is sent, so a reader that is slow or was away gets the newest
//! state of each thing once, not every state it went through. One [`Feed`] numbers the changes of the whole hub
//! and remembers the last of them; each reader has a position in it. So a reader costs its position, whatever it
//! does: who falls behind further than is remembered gets `reset`, and reads everything again.

mod log;
mod reader;

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures::Stream;
use http::HeaderMap;
use outhaul_hub_core::view::{BundleName, BundleView, PlaneView};
use outhaul_protocol_wire::ids::PlaneName;
use serde::Serialize;
use tokio::sync::{broadcast, watch};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Rest;
use super::access::Pass;
use super::envelope::Failure;
use super::extract::PlaneQuery;
use crate::handle::FleetEvent;
use log::{Log, Position, REMEMBERED, Since};
use reader::Reader;

/// The data of an event, by the event's name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Change {
    /// `plane`: a plane as it is now.
    Plane(PlaneView),
    /// `bundle`: a resource on a plane as it is now.
    Bundle(BundleView),
    /// `gone`: there is no such thing any more.
    Gone(Gone),
    /// `reset`: the reader missed changes; it reads everything again.
    Reset {},
}

/// A plane that is gone, or a resource that is not on the plane any more.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gone {
    plane: String,
    #[serde(flatten)]
    bundle: Option<BundleName>,
}

/// What changed, by name. Ordered: a plane comes before what is on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Thing {
    plane: PlaneName,
    bundle: Option<BundleName>,
}

/// The numbered changes of this process.
pub(super) struct Feed {
    /// Tells positions of this process from those of another.
    instance: Uuid,
    // Written by one task, read by every reader for the length of a copy.
    log: Mutex<Log<Thing>>,
    newest: watch::Sender<Position>,
}

/// Changes of planes and of what is on them, as server-sent events: `plane`, `bundle`, `gone` and `reset`.
///
/// Read the lists after the stream has begun, then follow it. A client that reconnects sends `Last-Event-ID` and
/// hears what it missed, or `reset`. A comment comes every 15 seconds.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "followEvents",
    tag = "fleet",
    params(
        ("plane" = Option<String>, Query, description = "Only this plane and what is on it."),
        ("Last-Event-ID" = Option<String>, Header, description = "Where an earlier stream ended."),
    ),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream", body = Change),
        (status = "default", description = "Why not.", body = Failure),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn stream(
    State(rest): State<Rest>,
    Extension(pass): Extension<Pass>,
    query: PlaneQuery,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let position = rest
        .feed
        .start(headers.get("last-event-id").map(http::HeaderValue::as_bytes));
    Sse::new(Reader::new(rest, pass, query.plane, position).into_stream())
}

impl Feed {
    pub(super) fn new(instance: Uuid) -> Self {
        Self {
            instance,
            log: Mutex::new(Log::new(REMEMBERED)),
            newest: watch::Sender::new(Position::default()),
        }
    }

    /// Numbers changes as they come, until the hub stops.
    pub(super) async fn record(&self, mut changes: broadcast::Receiver<FleetEvent>) {
        loop {
            let newest = match changes.recv().await {
                Ok(change) => self.write(|log| log.record(change.into())),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::debug!(
                        missed,
                        "Changes came faster than they were numbered; readers start anew"
                    );
                    self.write(Log::interrupt)
                }
                Err(broadcast::error::RecvError::Closed) => return,
            };
            self.newest.send_replace(newest);
        }
    }

    fn now(&self) -> Position {
        self.read(Log::last)
    }

    /// Where a reader begins: after the event that it names, else now. `None`: it missed changes.
    fn start(&self, last_event_id: Option<&[u8]>) -> Option<Position> {
        let Some(id) = last_event_id else {
            return Some(self.now());
        };
        let text = std::str::from_utf8(id).ok()?;
        let (instance, position) = text.split_once('.')?;
        (instance == self.instance.simple().to_string()).then_some(())?;
        position.parse().ok().map(Position)
    }

    fn id(&self, position: Position) -> String {
        format!("{}.{}", self.instance.simple(), position.0)
    }

    fn since(&self, position: Position) -> Since<Thing> {
        self.read(|log| log.since(position))
    }

    fn follow(&self) -> watch::Receiver<Position> {
        self.newest.subscribe()
    }

    fn read<T>(&self, read: impl FnOnce(&Log<Thing>) -> T) -> T {
        read(&self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, write: impl FnOnce(&mut Log<Thing>)) -> Position {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut log);
        log.last()
    }
}

impl From<FleetEvent> for Thing {
    fn from(event: FleetEvent) -> Self {
        match event {
            FleetEvent::Plane(plane) => Self { plane, bundle: None },
            FleetEvent::Bundle(plane, bundle) => Self {
                plane,
                bundle: Some(bundle),
            },
        }
    }
}

impl Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Plane(_) => "plane",
            Self::Bundle(_) => "bundle",
            Self::Gone(_) => "gone",
            Self::Reset {} => "reset",
        }
    }
}
