//! A connection to the hub and its session.

use std::time::Instant;

use outhaul_agent_core::plane::{News, Plane};
use outhaul_protocol_session::agent::Session;
use outhaul_protocol_transport::link::HubLink;
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::message::AgentMessage;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::cluster::chain;
use crate::uplink::{Opened, SessionId};

/// A connection to the hub.
pub(super) struct Connected {
    pub(super) id: SessionId,
    pub(super) session: Session,
    pub(super) link: HubLink,
    outgoing: mpsc::Sender<AgentMessage>,
    /// There was more to say than the link had room for.
    full: bool,
}

/// How a fetch ended.
pub(super) struct FetchDone {
    pub(super) session: SessionId,
    pub(super) digest: Digest,
    pub(super) result: Result<Fetched, String>,
}

impl Connected {
    pub(super) fn open(opened: Opened, plane: &Plane, now: Instant) -> Self {
        let Opened {
            session,
            dial,
            link,
            outgoing,
        } = opened;
        Self {
            id: session,
            session: Session::open(dial, plane, now),
            link,
            outgoing,
            full: false,
        }
    }

    /// Tells the session what happened on the plane.
    pub(super) fn tell(&mut self, news: Vec<News>) {
        for news in news {
            news.tell(&mut self.session);
        }
    }

    /// Fetches what the session lacks.
    pub(super) fn fetch(&mut self, fetches: &mut JoinSet<FetchDone>) {
        while let Some(digest) = self.session.poll_fetch() {
            let (link, session) = (self.link.clone(), self.id);
            fetches.spawn(async move {
                let result = link.fetch(digest).await.map_err(|error| chain(&error));
                FetchDone {
                    session,
                    digest,
                    result,
                }
            });
        }
    }

    /// Sends what there is to say, while there is room.
    pub(super) fn transmit(&mut self, plane: &Plane) {
        self.full = false;
        loop {
            let Ok(permit) = self.outgoing.try_reserve() else {
                // Full, or closed: then the uplink says that the connection has ended.
                self.full = !self.outgoing.is_closed();
                return;
            };
            match self.session.poll_transmit(plane) {
                Some(message) => permit.send(message),
                None => return,
            }
        }
    }

    /// When to give up waiting for the hub.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.session.deadline().map(|(at, _)| at)
    }

    /// Waits until there is room again for something that could not be sent; for ever if nothing waits.
    pub(super) fn room(connected: Option<&Self>) -> impl Future<Output = ()> + use<> {
        let outgoing = connected.filter(|it| it.full).map(|it| it.outgoing.clone());
        async move {
            match outgoing {
                Some(outgoing) => {
                    // Closed counts as room: the next attempt finds out.
                    outgoing.reserve().await.map(drop).ok();
                }
                None => std::future::pending().await,
            }
        }
    }
}
