//! Which control plane a plane is to take for the one that it knew: written down in the Plane, where the fleet reads it.

use kube::api::{Api, Patch, PatchParams};
use outhaul_hub_resources::Plane;
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::json;
use tracing::info;

use crate::handle::{HubHandle, HubStopped};

/// The control plane was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// There is no such Plane.
    #[error("there is no Plane {0}")]
    NoPlane(PlaneName),
    /// The plane waits for no confirmation, or for that of another control plane.
    #[error("the plane does not wait for this control plane to be confirmed: look at it again")]
    NotWaiting,
    /// The hub is shutting down.
    #[error(transparent)]
    Stopped(#[from] HubStopped),
    /// The control plane's API server refused.
    #[error("cannot write the Plane")]
    Api(#[source] Box<kube::Error>),
}

impl HubHandle {
    /// Confirms this control plane to a plane that knew another one. `witness` is what the plane waits for.
    ///
    /// # Errors
    /// The plane waits for no such thing, or the control plane's API server refused.
    pub async fn confirm_control_plane(&self, name: PlaneName, witness: &str) -> Result<(), PinError> {
        let view = self.plane(name.clone()).await?;
        let view = view.ok_or_else(|| PinError::NoPlane(name.clone()))?;
        if view.unconfirmed.as_deref() != Some(witness) {
            return Err(PinError::NotWaiting);
        }
        let planes: Api<Plane> = Api::all(self.client());
        let patch = Patch::Merge(json!({"spec": {"controlPlane": witness}}));
        let written = planes.patch(name.as_str(), &PatchParams::default(), &patch).await;
        written.map_err(|error| match error {
            kube::Error::Api(status) if status.is_not_found() => PinError::NoPlane(name.clone()),
            error => PinError::Api(Box::new(error)),
        })?;
        info!(plane = %name, witness, "The control plane is confirmed to the plane");
        Ok(())
    }
}
