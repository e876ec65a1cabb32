//! An authenticated peer and the connection to it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::close::{self, Close, Lost};
use crate::identity::{HubIdentity, PlaneIdentity};

/// A connection to a peer whose identity is proven. Streams on it are in [`crate::control`] and [`crate::fetch`].
///
/// Cheap to clone. The connection ends with [`Link::close`], or when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Link<P> {
    pub(crate) connection: quinn::Connection,
    peer: P,
}

/// The hub's link to an agent.
pub type PlaneLink = Link<PlaneIdentity>;

/// The agent's link to a hub.
pub type HubLink = Link<HubIdentity>;

impl<P> Link<P> {
    pub(crate) fn new(connection: quinn::Connection, peer: P) -> Self {
        Self { connection, peer }
    }

    /// Who is on the other end.
    pub fn peer(&self) -> &P {
        &self.peer
    }

    /// Where its datagrams come from.
    pub fn remote_address(&self) -> SocketAddr {
        self.connection.remote_address()
    }

    /// Smoothed time of a round trip.
    pub fn round_trip(&self) -> Duration {
        self.connection.rtt()
    }

    /// Closes the connection with a code, and a text for the operator of the other end. What is not delivered yet
    /// may be lost.
    pub fn close(&self, why: Close, text: &str) {
        close::close(&self.connection, why, text);
    }

    /// Waits for the end of the connection.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn closed(&self) -> Lost {
        self.connection.closed().await.into()
    }
}
