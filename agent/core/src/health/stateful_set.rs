//! `apps/StatefulSet`: never suspended or degraded; without replicas it is healthy.

use outhaul_protocol_wire::report::Health::{self, Healthy, Progressing};
use serde_json::Value;

use super::{integer, text};

/// None if a field that counts has another type than it should.
pub(super) fn health(object: &Value) -> Option<Health> {
    let generation = integer(object, "metadata/generation", 0)?;
    let observed = integer(object, "status/observedGeneration", 0)?;
    let current = text(object, "status/currentRevision")?;
    let update = text(object, "status/updateRevision")?;
    let desired = integer(object, "spec/replicas", 1)?;
    let counts = ["readyReplicas", "availableReplicas", "updatedReplicas"];
    let mut all_there = true;
    for count in counts {
        all_there &= integer(object, &format!("status/{count}"), 0)? == desired;
    }
    Some(match () {
        () if observed == 0 || observed < generation => Progressing,
        () if current != update => Progressing,
        () if all_there => Healthy,
        () => Progressing,
    })
}
