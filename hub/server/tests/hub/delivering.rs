//! A Release on its way to a plane and back.

use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, DeleteParams, ListParams};
use outhaul_hub_server::FleetEvent;
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use outhaul_protocol_wire::report::Health;
use serde_json::json;

use crate::plane::{Plane, held};
use crate::rig::{NAMESPACE, Rig, spec, until};

#[tokio::test]
async fn a_release_reaches_its_plane_and_its_status_comes_back() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    let mut changes = rig.hub.handle().subscribe();

    rig.release("cart", "dev").await;
    let head = plane.take(&mut session, "cart").await;
    let recorded = rig.releases().get("cart").await.unwrap();
    assert_eq!(
        recorded.metadata.finalizers.as_deref(),
        Some(&["openchoreo.dev/dataplane-cleanup".to_owned()][..]),
        "recorded before it was written"
    );
    assert_eq!(recorded.status.unwrap().plane.as_deref(), Some("eu"));

    plane.report(&mut session, &head, Health::Healthy).await;
    let release = rig
        .until("cart", "its status says healthy", |release| {
            let status = release.status.as_ref();
            status.is_some_and(|status| status.resources.len() == 1)
        })
        .await;
    let status = release.status.unwrap();
    assert_eq!(status.resources[0].health_status.as_deref(), Some("Healthy"));
    assert_eq!(status.conditions[0].reason, "AllHealthy");
    assert_eq!(status.inventory[0].uid, "live");

    let changed = changes.recv().await.unwrap();
    assert!(matches!(changed, FleetEvent::Bundle(..)), "{changed:?}");
    let view = rig.hub.handle().bundles(PlaneName::new("eu").unwrap()).await;
    assert_eq!(view.unwrap().unwrap()[0].objects[0].health, "Healthy");
}

#[tokio::test]
async fn events_on_a_release_say_what_happened() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    rig.release("lost", "nowhere").await;
    let head = plane.take(&mut session, "cart").await;
    plane.report(&mut session, &head, Health::Healthy).await;
    let events: Api<Event> = Api::namespaced(rig.client.clone(), NAMESPACE);
    let said = |name: &'static str, reason: &'static str| {
        let events = &events;
        let what = format!("Event {reason} on {name}");
        async move {
            until(&what, || async {
                let list = events.list(&ListParams::default()).await.unwrap();
                list.into_iter().find(|event| {
                    event.involved_object.name.as_deref() == Some(name)
                        && event.reason.as_deref() == Some(reason)
                })
            })
            .await
        }
    };
    said("cart", "Delivered").await;
    said("cart", "Ready").await;
    let warning = said("lost", "NoPlane").await;
    assert_eq!(warning.type_.as_deref(), Some("Warning"));
    assert_eq!(warning.involved_object.kind.as_deref(), Some("Release"));
}

#[tokio::test]
async fn a_deleted_release_goes_when_its_plane_says_gone() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    let head = plane.take(&mut session, "cart").await;
    plane.report(&mut session, &head, Health::Healthy).await;

    rig.releases()
        .delete("cart", &DeleteParams::default())
        .await
        .unwrap();
    let head = plane.take(&mut session, "cart").await;
    assert_eq!(head.state, HeadState::Removed);
    rig.until("cart", "it says that it is being cleaned up", |release| {
        let conditions = &release.status.as_ref().unwrap().conditions;
        conditions.iter().any(|condition| condition.type_ == "Finalizing")
    })
    .await;
    session.say(AgentMessage::Gone(held(&head))).await;
    let settled = HubMessage::Settled(held(&head));
    session.until(|message| *message == settled).await;
    assert!(rig.releases().get_opt("cart").await.unwrap().is_none());
}

#[tokio::test]
async fn planes_hear_of_their_own_releases_only_and_fetch_no_others() {
    let rig = Rig::start().await;
    let (mut eu, mut us) = (Plane::enrol(&rig, "eu").await, Plane::enrol(&rig, "us").await);
    let (mut in_eu, mut in_us) = (eu.connect(&rig).await, us.connect(&rig).await);
    rig.release("cart", "dev").await;
    rig.release("till", "prod").await;
    let cart = eu.take(&mut in_eu, "cart").await;
    us.take(&mut in_us, "till").await;
    assert_eq!((eu.heads.len(), us.heads.len()), (1, 1));
    assert!(matches!(
        in_eu.link.fetch(cart.digest).await.unwrap(),
        Fetched::Content(_)
    ));
    assert_eq!(in_us.link.fetch(cart.digest).await.unwrap(), Fetched::NotQueued);
}

#[tokio::test]
async fn an_edit_is_announced_and_content_is_the_canonical_spec() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    plane.take(&mut session, "cart").await;
    let mut edited = spec("cart", "dev");
    edited["resources"][0]["object"]["data"]["key"] = json!("other");
    rig.patch("cart", json!({"spec": edited.clone()})).await;
    let head = plane.take(&mut session, "cart").await;
    assert_eq!(head.version.generation.0, 2);
    let canonical = outhaul_protocol_wire::canonical::to_vec(&edited);
    assert_eq!(head.digest, outhaul_protocol_wire::digest::Digest::of(&canonical));
}
