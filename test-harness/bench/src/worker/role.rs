//! What a worker can be, and where each starts.

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;

use crate::crowd::planes;
use crate::floor::{apply, quic_clients, quic_server, relay};
use crate::programs::{agent, hub};
use crate::worker::owner::Owner;

/// A role of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// The hub.
    Hub,
    /// The agent of one plane.
    Agent,
    /// Many planes without clusters behind them.
    Planes,
    /// The bare relay.
    Relay,
    /// The bare loop of server-side applies.
    Apply,
    /// A bare QUIC server.
    QuicServer,
    /// Clients of the bare QUIC server.
    QuicClients,
}

impl Role {
    /// Plays the role until the owner wants no more.
    ///
    /// # Errors
    /// It failed.
    pub async fn play(self) -> Result<()> {
        let owner = Owner::new();
        match self {
            Self::Hub => hub::play(owner).await,
            Self::Agent => agent::play(owner).await,
            Self::Planes => planes::play(owner).await,
            Self::Relay => relay::play(owner).await,
            Self::Apply => apply::play(owner).await,
            Self::QuicServer => quic_server::play(owner).await,
            Self::QuicClients => quic_clients::play(owner).await,
        }
    }
}

/// Its name on the command line.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no role is skipped");
        f.write_str(value.get_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_started_by_the_name_that_the_command_line_knows() {
        for role in Role::value_variants() {
            assert_eq!(Role::from_str(&role.to_string(), false), Ok(*role));
        }
    }
}
