//! Confirmations of what planes hold: written on the resource, from where they go to the plane with its head.

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use outhaul_hub_core::confirmation::ANNOTATION;
use outhaul_hub_core::kinds;
use outhaul_hub_core::view::{BundleName, BundleView};
use outhaul_protocol_wire::confirmation::Confirmation;
use outhaul_protocol_wire::head::{BundleKind, Confirmed};
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::report::BlockerReason;
use serde_json::json;

use crate::handle::{HubHandle, HubStopped};

/// Nothing was confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The plane has no such resource.
    #[error("the plane has no such resource")]
    NotThere,
    /// Its plane holds nothing of it.
    #[error("the plane holds nothing of it that waits to be confirmed")]
    NothingHeld,
    /// Its plane takes no word of the hub for it.
    #[error(
        "only the owner of the plane can let it go, and the plane says how; `leave` leaves it there and forgets it"
    )]
    NotOurs,
    /// The plane takes no word of this control plane for it.
    #[error(
        "the plane knew another control plane: run `outhaul plane confirm {0}` first, if this one is right"
    )]
    ControlPlane(String),
    /// It was edited meanwhile.
    #[error("it is at generation {0} by now: look at what is held, and confirm that")]
    Edited(u64),
    /// The hub is shutting down.
    #[error(transparent)]
    Stopped(#[from] HubStopped),
    /// The control plane's API server refused.
    #[error("cannot write the confirmation")]
    Api(#[source] Box<kube::Error>),
}

impl HubHandle {
    /// Confirms what a plane holds of a resource.
    ///
    /// # Errors
    /// Nothing of that generation is held there, or the control plane's API server refused.
    pub async fn confirm(
        &self,
        plane: PlaneName,
        bundle: BundleName,
        confirmation: Confirmation,
    ) -> Result<(), ConfirmError> {
        let view = self.bundle(plane, bundle).await?;
        let view = view.ok_or(ConfirmError::NotThere)?;
        if !view.is_held() {
            return Err(ConfirmError::NothingHeld);
        }
        if view.is_held_for(&[BlockerReason::ControlPlaneChanged]) {
            return Err(ConfirmError::ControlPlane(view.plane));
        }
        let ours: Vec<BlockerReason> = BlockerReason::HELD
            .into_iter()
            .filter(|reason| !reason.awaits_owner())
            .collect();
        let ours = view.is_held_for(&ours) || view.is_deleted_in_bulk();
        if confirmation.confirmed == Confirmed::Remove && !ours {
            return Err(ConfirmError::NotOurs);
        }
        if view.version.generation != confirmation.generation.0 {
            return Err(ConfirmError::Edited(view.version.generation));
        }
        let written = write(self.client(), &view, confirmation).await;
        written.map_err(|error| match error {
            kube::Error::Api(status) if status.is_not_found() => ConfirmError::NotThere,
            error => ConfirmError::Api(Box::new(error)),
        })
    }
}

/// The uid is a precondition: a resource that was made again under the name is another one.
async fn write(client: kube::Client, view: &BundleView, confirmation: Confirmation) -> kube::Result<()> {
    let BundleName {
        kind,
        namespace,
        name,
    } = &view.bundle;
    let kind = BundleKind::from(*kind);
    let resources: Api<DynamicObject> = Api::namespaced_with(client, namespace, &kinds::bundle(kind));
    let annotations = json!({ANNOTATION: confirmation.to_string()});
    let patch = json!({"metadata": {"uid": view.uid, "annotations": annotations}});
    let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
    resources.patch_metadata(name, &params, &patch).await.map(drop)
}
