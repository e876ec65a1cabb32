//! `Pod`: its phase, and while it runs its containers.

use outhaul_protocol_wire::report::Health::{self, Degraded, Healthy, Progressing, Unknown};
use serde_json::Value;

use super::{boolean, list, text};

/// Reasons of a waiting container that do not go away by waiting.
const FAILING: [&str; 3] = ["CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull"];

/// None if a field that counts has another type than it should.
pub(super) fn health(object: &Value) -> Option<Health> {
    Some(match text(object, "status/phase")? {
        "Pending" => Progressing,
        "Running" => running(list(object, "status/containerStatuses")?)?,
        "Succeeded" => Healthy,
        "Failed" => Degraded,
        _ => Unknown,
    })
}

/// One container that will not start decides, ready or not; then one that is not ready yet.
fn running(containers: &[Value]) -> Option<Health> {
    let mut health = Healthy;
    for container in containers {
        if FAILING.contains(&text(container, "state/waiting/reason")?) {
            return Some(Degraded);
        }
        if !boolean(container, "ready")? {
            health = Progressing;
        }
    }
    Some(health)
}
