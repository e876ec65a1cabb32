//! Whether the hub can do its work: one named check each, so that an operator sees which part is missing.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// The parts that must work before planes are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Every kind of resource has been listed once.
    Resources,
    /// The port for agents is open.
    Gateway,
}

/// State of every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Each check, and why it fails.
    pub checks: BTreeMap<Check, Result<(), String>>,
}

/// Where the parts of the hub report.
#[derive(Debug, Clone)]
pub(crate) struct Reporter(watch::Sender<Readiness>);

impl Check {
    /// The check as `/ready` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Gateway => "gateway",
        }
    }
}

impl Readiness {
    /// Whether every check passes.
    pub fn is_ready(&self) -> bool {
        self.checks.values().all(Result::is_ok)
    }
}

impl Reporter {
    /// A reporter whose checks all fail, and its reader.
    pub(crate) fn new() -> (Self, watch::Receiver<Readiness>) {
        let starting = |check| (check, Err("starting".to_owned()));
        let checks = [Check::Resources, Check::Gateway].map(starting).into();
        let (sender, receiver) = watch::channel(Readiness { checks });
        (Self(sender), receiver)
    }

    /// Sets one check.
    pub(crate) fn set(&self, check: Check, state: Result<(), String>) {
        self.0.send_if_modified(|readiness| {
            let changed = readiness.checks.get(&check) != Some(&state);
            readiness.checks.insert(check, state);
            changed
        });
    }
}
