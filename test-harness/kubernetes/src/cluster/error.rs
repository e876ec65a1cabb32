//! Why there is no cluster.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::{Missing, Program};

/// Why a cluster did not start, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program or file is not on this machine.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The cluster's folder cannot be made or written.
    #[error("preparing the folder of the cluster")]
    Folder(#[source] io::Error),
    /// No ports.
    #[error("choosing ports on loopback")]
    Ports(#[source] io::Error),
    /// A key or certificate cannot be made.
    #[error("making keys and certificates")]
    Keys(#[from] rcgen::Error),
    /// A program cannot be started.
    #[error("starting {program}")]
    Spawn {
        /// The program.
        program: Program,
        /// Why not.
        source: io::Error,
    },
    /// A program ended by itself.
    #[error("{program} ended by itself ({status}); the end of its log:\n{log}")]
    Ended {
        /// The program.
        program: Program,
        /// How it ended.
        status: ExitStatus,
        /// The last lines it wrote.
        log: String,
    },
    /// The program was not asked for when the cluster was started.
    #[error("the cluster was started without {program}: ask for it in its options")]
    NotPartOfCluster {
        /// The program.
        program: Program,
    },
    /// Something did not happen in time.
    #[error("{what} not ready within {} s: {last}", limit.as_secs())]
    NotReady {
        /// What was waited for.
        what: String,
        /// For how long.
        limit: Duration,
        /// What the last look at it said.
        last: String,
    },
    /// Our own kubeconfig is not understood.
    #[error("reading the kubeconfig of the cluster")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// No client from our own kubeconfig.
    #[error("making a client for the cluster")]
    Client(#[source] kube::Error),
    /// A file of definitions cannot be read.
    #[error("reading {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of definitions is not what it should be.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The API server refused an object.
    #[error("applying {object}")]
    Apply {
        /// Its kind and name.
        object: String,
        /// Why.
        source: Box<kube::Error>,
    },
}

impl Error {
    /// Whether other ports are worth a try.
    pub(super) fn is_port_taken(&self) -> bool {
        matches!(self, Self::Ended { log, .. } if log.contains("address already in use"))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn ended(log: &str) -> Error {
        let status = Command::new("false").status().unwrap();
        Error::Ended {
            program: Program::ApiServer,
            status,
            log: log.to_owned(),
        }
    }

    #[test]
    fn only_a_taken_port_is_worth_another_try() {
        assert!(
            ended("failed to listen on 127.0.0.1:1: listen tcp 127.0.0.1:1: bind: address already in use")
                .is_port_taken()
        );
        assert!(!ended("Error: unknown flag: --no-such-flag").is_port_taken());
    }
}
