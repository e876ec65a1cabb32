//! What becomes of orphans: written down in the Plane, where the fleet reads it.

use kube::api::{Api, Patch, PatchParams};
use outhaul_hub_resources::{OrphanDecision, Plane};
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::json;
use tracing::info;

use crate::conflicts::{is_conflict, retry};

/// A decision was not written down.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such Plane.
    #[error("there is no Plane {0}")]
    NoPlane(PlaneName),
    /// Something else was decided before.
    #[error("it was decided otherwise before; take that off spec.decisions of the Plane first")]
    Otherwise,
    /// The control plane's API server refused.
    #[error("cannot {action}")]
    Api {
        /// What was tried.
        action: &'static str,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Writes a decision into a Plane. One that stands there already is no error.
pub(crate) async fn decide(
    client: kube::Client,
    name: &PlaneName,
    decision: &OrphanDecision,
) -> Result<(), DecideError> {
    let planes: Api<Plane> = Api::all(client);
    let attempt = || decide_once(&planes, name, decision);
    let written = retry(attempt, DecideError::is_conflict).await;
    written.inspect(|()| info!(plane = %name, ?decision, "An orphan was decided about"))
}

async fn decide_once(
    planes: &Api<Plane>,
    name: &PlaneName,
    decision: &OrphanDecision,
) -> Result<(), DecideError> {
    let found = planes
        .get_opt(name.as_str())
        .await
        .map_err(DecideError::api("read the Plane"))?;
    let plane = found.ok_or_else(|| DecideError::NoPlane(name.clone()))?;
    let mut decisions = plane.spec.decisions;
    let about = |known: &&OrphanDecision| {
        (known.kind, &known.namespace, &known.name, &known.uid)
            == (decision.kind, &decision.namespace, &decision.name, &decision.uid)
    };
    match decisions.iter().find(about) {
        Some(known) if known.decision == decision.decision => return Ok(()),
        Some(_) => return Err(DecideError::Otherwise),
        None => decisions.push(decision.clone()),
    }
    let patch = json!({
        "metadata": {"resourceVersion": plane.metadata.resource_version},
        "spec": {"decisions": decisions},
    });
    planes
        .patch(name.as_str(), &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
        .map_err(DecideError::api("write the Plane"))
}

impl DecideError {
    fn api(action: &'static str) -> impl Fn(kube::Error) -> Self {
        move |source| Self::Api {
            action,
            source: Box::new(source),
        }
    }

    fn is_conflict(&self) -> bool {
        matches!(self, Self::Api { source, .. } if is_conflict(source))
    }
}
