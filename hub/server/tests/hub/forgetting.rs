//! Planes that are deleted while something is on them, and planes that will never return.

use kube::api::{Api, DeleteParams, Patch, PatchParams};
use outhaul_hub_resources::Plane as PlaneResource;
use outhaul_hub_server::ForgetError;
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::json;

use crate::plane::Plane;
use crate::rig::{Rig, until};

/// The message of a condition that is True.
fn says(plane: &PlaneResource, r#type: &str) -> Option<String> {
    let conditions = &plane.status.as_ref()?.conditions;
    let mut named = conditions
        .iter()
        .filter(|one| one.type_ == r#type && one.status == "True");
    named.next().map(|condition| condition.message.clone())
}

#[tokio::test]
async fn a_deleted_plane_says_what_is_on_it_and_waits_for_nothing_once_it_is_forgotten() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    plane.take(&mut session, "cart").await;
    let planes: Api<PlaneResource> = Api::all(rig.client.clone());
    until("it is connected", || async {
        says(&planes.get("eu").await.unwrap(), "Connected")
    })
    .await;
    let eu = PlaneName::new("eu").unwrap();
    let refused = rig.hub.handle().forget(&eu, true).await.unwrap_err();
    assert!(matches!(refused, ForgetError::Connected(_)), "{refused}");

    planes.delete("eu", &DeleteParams::default()).await.unwrap();
    let said = until("it says what is on it", || async {
        says(&planes.get("eu").await.unwrap(), "Finalizing")
    })
    .await;
    assert!(said.starts_with("1 still on it: Release acme/cart;"), "{said}");
    rig.releases()
        .delete("cart", &DeleteParams::default())
        .await
        .unwrap();
    drop(session);
    // As after the grace time, which is longer than a test should wait.
    let lost = Patch::Merge(json!({"status": {"conditions": [{
        "type": "Connected", "status": "False", "reason": "SessionLost", "message": "",
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    }]}}));
    until("it is forgotten", || async {
        let params = PatchParams::default();
        planes.patch_status("eu", &params, &lost).await.unwrap();
        rig.hub.handle().forget(&eu, true).await.ok()
    })
    .await;
    until("cart waits no longer", || async {
        let cart = rig.releases().get_opt("cart").await.unwrap();
        cart.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_plane_that_nobody_names_is_not_made_to_be_forgotten() {
    let rig = Rig::start().await;
    let nowhere = PlaneName::new("nowhere").unwrap();
    let refused = rig.hub.handle().forget(&nowhere, false).await.unwrap_err();
    assert!(matches!(refused, ForgetError::Unknown(_)), "{refused}");
    let planes: Api<PlaneResource> = Api::all(rig.client.clone());
    assert!(planes.get_opt("nowhere").await.unwrap().is_none());
    rig.hub.handle().forget(&nowhere, true).await.unwrap();
    assert!(planes.get("nowhere").await.unwrap().spec.forgotten);
}
