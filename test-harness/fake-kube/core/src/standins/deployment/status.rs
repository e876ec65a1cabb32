//! The status of a Deployment: what its sets add up to.

use serde_json::{Value, json};

use super::{View, progress, strategy};
use crate::moment::Moment;
use crate::standins::{condition, owned};

pub(super) fn of(view: &View<'_>, moment: &Moment) -> Value {
    let updated = view.current.map_or(0, |set| owned::in_status(set, "replicas"));
    let available = view.total("availableReplicas");
    let mut status = json!({
        "observedGeneration": view.deployment["metadata"]["generation"], "terminatingReplicas": 0,
    });
    owned::put_counts(
        &mut status,
        &[
            ("replicas", view.total("replicas")),
            ("updatedReplicas", updated),
            ("readyReplicas", view.total("readyReplicas")),
            ("availableReplicas", available),
            ("unavailableReplicas", (view.wanted_of_all() - available).max(0)),
        ],
    );
    if let Some(conditions) = view.deployment["status"].get("conditions") {
        status["conditions"] = conditions.clone();
    }
    if view.current.is_none() && !view.is_paused() {
        progress::created(view, &mut status, moment);
    }
    set_available(view, &mut status, available, moment);
    progress::update(view, &mut status, moment);
    status
}

fn set_available(view: &View<'_>, status: &mut Value, available: i64, moment: &Moment) {
    let enough = available >= view.replicas() - strategy::max_unavailable(view.deployment);
    let (reason, message) = if enough {
        ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        (
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    condition::append(
        status,
        condition::of_deployment("Available", enough, reason, message, moment),
    );
}
