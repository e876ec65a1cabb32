//! What kind of cluster is wanted.

use crate::Program;

/// Which programs run besides etcd and the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// None: the API alone. No garbage collection, no default service accounts, namespaces never go.
    ApiOnly,
    /// The controllers. Workloads get their pods, and the pods stay pending.
    Controllers,
    /// Controllers, scheduler and kwok: pods get a node and become ready, those that should end, end.
    Workloads,
}

impl With {
    /// In the order in which they are started.
    pub(super) fn programs(self) -> &'static [Program] {
        match self {
            Self::ApiOnly => &[],
            Self::Controllers => &[Program::ControllerManager],
            Self::Workloads => &[Program::ControllerManager, Program::Scheduler, Program::Kwok],
        }
    }
}

/// What kind of cluster is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The programs that run.
    pub with: With,
    /// How many nodes kwok keeps, where it runs.
    pub nodes: usize,
    /// More flags for the API server; a later one overrides an earlier one and ours.
    pub api_server_flags: Vec<String>,
}

impl Options {
    /// etcd and the API server.
    pub fn api_only() -> Self {
        Self {
            with: With::ApiOnly,
            nodes: 0,
            api_server_flags: Vec::new(),
        }
    }

    /// With the controllers: what most tests want.
    pub fn controllers() -> Self {
        Self {
            with: With::Controllers,
            ..Self::api_only()
        }
    }

    /// With everything, and one node.
    pub fn workloads() -> Self {
        Self {
            with: With::Workloads,
            nodes: 1,
            ..Self::api_only()
        }
    }
}
