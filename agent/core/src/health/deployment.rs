//! `apps/Deployment`: the first row that fits decides.

use outhaul_protocol_wire::report::Health::{self, Degraded, Healthy, Progressing, Suspended};
use serde_json::Value;

use super::conditions::{self, condition};
use super::{boolean, integer};

/// None if a field that counts has another type than it should.
pub(super) fn health(object: &Value) -> Option<Health> {
    let replicas = Replicas::read(object)?;
    let paused = boolean(object, "spec/paused")?;
    let generation = integer(object, "metadata/generation", 0)?;
    let observed = integer(object, "status/observedGeneration", 0)?;
    let conditions = conditions::of(object)?;
    let progressing = condition(conditions, "Progressing");
    let deadline_exceeded = progressing.is_some_and(|it| it.reason() == "ProgressDeadlineExceeded");
    let is_progressing = progressing.is_some_and(|it| it.is_true());
    let is_true = |kind| condition(conditions, kind).is_some_and(|it| it.is_true());
    let unavailable = condition(conditions, "Available").is_some_and(|it| !it.is_true());
    Some(match () {
        () if paused || replicas.desired == 0 => Suspended,
        () if observed == 0 || observed < generation => Progressing,
        () if deadline_exceeded || is_true("ReplicaFailure") => Degraded,
        () if replicas.all_updated_none_available() && is_progressing => Progressing,
        () if replicas.all_updated_none_available() => Degraded,
        () if unavailable && replicas.some_serve_some_do_not() => Degraded,
        () if replicas.complete() => Healthy,
        () => Progressing,
    })
}

struct Replicas {
    desired: i64,
    updated: i64,
    ready: i64,
    available: i64,
    unavailable: i64,
}

impl Replicas {
    fn read(object: &Value) -> Option<Self> {
        Some(Self {
            desired: integer(object, "spec/replicas", 1)?,
            updated: integer(object, "status/updatedReplicas", 0)?,
            ready: integer(object, "status/readyReplicas", 0)?,
            available: integer(object, "status/availableReplicas", 0)?,
            unavailable: integer(object, "status/unavailableReplicas", 0)?,
        })
    }

    fn all_updated_none_available(&self) -> bool {
        self.desired == self.updated && self.available == 0 && self.desired > 0
    }

    fn some_serve_some_do_not(&self) -> bool {
        self.unavailable > 0 && (self.ready > 0 || self.available > 0)
    }

    fn complete(&self) -> bool {
        let counts = [self.updated, self.ready, self.available];
        counts.iter().all(|count| *count == self.desired) && self.unavailable == 0
    }
}
