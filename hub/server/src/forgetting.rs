//! Planes that will never return.

use kube::api::{Api, Patch, PatchParams, PostParams};
use outhaul_hub_resources::conditions::{CONNECTED, status};
use outhaul_hub_resources::{Plane, PlaneSpec};
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::json;
use tracing::info;

use crate::conflicts::{is_conflict, retry};

/// A plane was not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// There is no such Plane, and nothing names it.
    #[error("there is no Plane {0}, and no Release or Bundle names it")]
    Unknown(PlaneName),
    /// Its agent has a session.
    #[error(
        "plane {0} is connected, so it has not gone for ever; to end its session, set spec.revoked of its Plane to true"
    )]
    Connected(PlaneName),
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

/// Writes down that a plane will never return. Where its Plane is gone already and `named` says that something still names
/// it, it is made again for that.
pub(crate) async fn forget(client: kube::Client, name: &PlaneName, named: bool) -> Result<(), ForgetError> {
    let planes: Api<Plane> = Api::all(client);
    let attempt = || forget_once(&planes, name, named);
    let written = retry(attempt, ForgetError::is_conflict).await;
    written.inspect(|()| info!(plane = %name, "The plane is forgotten"))
}

async fn forget_once(planes: &Api<Plane>, name: &PlaneName, named: bool) -> Result<(), ForgetError> {
    let found = planes
        .get_opt(name.as_str())
        .await
        .map_err(ForgetError::api("read the Plane"))?;
    let written = match found {
        None if !named => return Err(ForgetError::Unknown(name.clone())),
        None => {
            let spec = PlaneSpec {
                forgotten: true,
                ..PlaneSpec::default()
            };
            planes
                .create(&PostParams::default(), &Plane::new(name.as_str(), spec))
                .await
        }
        Some(plane) if plane.spec.forgotten => return Ok(()),
        Some(plane) if is_connected(&plane) => return Err(ForgetError::Connected(name.clone())),
        Some(plane) => {
            let patch = json!({
                "metadata": {"resourceVersion": plane.metadata.resource_version},
                "spec": {"forgotten": true},
            });
            let patch = Patch::Merge(patch);
            planes.patch(name.as_str(), &PatchParams::default(), &patch).await
        }
    };
    written.map(drop).map_err(ForgetError::api("write the Plane"))
}

/// As its resource says, so that it does not matter which replica is asked. A plane that was lost less than the grace time
/// ago counts as connected.
fn is_connected(plane: &Plane) -> bool {
    let conditions = plane.status.iter().flat_map(|status| &status.conditions);
    let mut connected = conditions.filter(|condition| condition.type_ == CONNECTED);
    connected.any(|condition| condition.status == status::TRUE)
}

impl ForgetError {
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
