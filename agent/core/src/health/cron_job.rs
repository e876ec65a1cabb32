//! `batch/CronJob`: progressing until its first run and while a job runs.

use outhaul_protocol_wire::report::Health::{self, Healthy, Progressing, Suspended};
use serde_json::Value;

use super::{boolean, list, text};

/// None if a field that counts has another type than it should.
pub(super) fn health(object: &Value) -> Option<Health> {
    let suspended = boolean(object, "spec/suspend")?;
    let active = !list(object, "status/active")?.is_empty();
    let has_run = !text(object, "status/lastScheduleTime")?.is_empty();
    Some(match () {
        () if suspended => Suspended,
        () if active => Progressing,
        () if has_run => Healthy,
        () => Progressing,
    })
}
