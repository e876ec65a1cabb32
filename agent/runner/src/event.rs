//! Events in the agent's namespace, for people who look there.

use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::debug;

use crate::cluster::{Cluster, collection};

/// An object of the agent's namespace: its kind and its metadata, as far as they are known.
pub(crate) type About<'a> = (&'static str, &'a Value);

/// Publishes a warning about an object.
pub(crate) async fn warn(cluster: &Cluster, namespace: &str, about: About<'_>, reason: &str, message: &str) {
    let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    let event = event(namespace, about, reason, message, now);
    if let Err(failure) = cluster
        .post(&collection("", "v1", "events", namespace), &event)
        .await
    {
        debug!(?failure, "Cannot write an Event");
    }
}

fn event(namespace: &str, (kind, metadata): About<'_>, reason: &str, message: &str, now: Timestamp) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": reason, "message": message,
        "metadata": {"generateName": "outhaul-agent-", "namespace": namespace},
        "involvedObject": {
            "apiVersion": "v1", "kind": kind, "namespace": namespace,
            "name": metadata["name"], "uid": metadata["uid"],
        },
        "source": {"component": "outhaul-agent"},
        "firstTimestamp": seconds(now), "lastTimestamp": seconds(now), "count": 1,
    })
}

/// Times of Events have no fractions.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
