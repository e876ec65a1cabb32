//! The floor of connections: a bare QUIC server and its clients, as two processes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::certificates::Certificates;
use super::quic_clients::{self, Order};
use super::quic_server;
use crate::worker::{Role, Worker};

/// Both ends.
pub struct BareQuic {
    /// Accepts and holds.
    pub server: Worker,
    /// Connect and hold.
    pub clients: Worker,
}

impl BareQuic {
    /// Starts both, not connected yet.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start() -> Result<Self> {
        let setup = quic_server::Setup {
            certificates: Certificates::generate()?,
        };
        let (server, address) = Worker::start::<SocketAddr>(Role::QuicServer, &setup).await?;
        let setup = quic_clients::Setup {
            certificates: setup.certificates,
            server: address,
        };
        let (clients, ()) = Worker::start(Role::QuicClients, &setup).await?;
        Ok(Self { server, clients })
    }

    /// Makes `count` connections. Returns how long their handshakes took.
    ///
    /// # Errors
    /// One does not come to be.
    pub async fn connect(&mut self, count: usize) -> Result<Duration> {
        let start = Instant::now();
        let () = self.clients.ask(&Order::Connect(count)).await?;
        Ok(start.elapsed())
    }

    /// Gives up all connections.
    ///
    /// # Errors
    /// The clients failed.
    pub async fn close(&mut self) -> Result<()> {
        self.clients.ask(&Order::Close).await
    }

    /// Ends both.
    ///
    /// # Errors
    /// One failed.
    pub async fn finish(self) -> Result<()> {
        self.clients.finish().await?;
        self.server.finish().await
    }
}
