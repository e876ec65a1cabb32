//! What a refused request means, as the log tells it.

use kube::core::Status;
use outhaul_hub_core::{Outcome, Write, answer};
use tracing::{debug, warn};

/// Whether the API server itself says that this very object does not exist.
pub(super) fn is_gone(error: &kube::Error, name: &str) -> bool {
    answer::is_gone(api(error), name)
}

/// What became of a write that failed.
pub(super) fn of_failure(write: &Write, error: &kube::Error) -> Outcome {
    let outcome = answer::outcome(write, api(error));
    let (subject, error) = (&write.subject, error as &dyn std::error::Error);
    match outcome {
        Outcome::Outdated | Outcome::Gone => debug!(%subject, error, "Write was outdated"),
        _ => warn!(%subject, error, "Write failed"),
    }
    outcome
}

fn api(error: &kube::Error) -> Option<&Status> {
    match error {
        kube::Error::Api(status) => Some(status),
        _ => None,
    }
}
