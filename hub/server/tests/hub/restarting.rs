//! Hubs that stop, start, and start at once.

use outhaul_protocol_wire::message::{ClosingReason, HubMessage};
use outhaul_protocol_wire::report::Health;

use crate::plane::Plane;
use crate::rig::{Rig, free_port, start_hub, token_request};

#[tokio::test]
async fn a_stopping_hub_says_that_it_restarts() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    let (stopped, closing) = tokio::join!(
        rig.hub.stop(),
        session.until(|message| matches!(message, HubMessage::Closing(_)))
    );
    stopped.unwrap();
    let HubMessage::Closing(closing) = closing else {
        unreachable!("it was waited for")
    };
    assert_eq!(closing.reason, ClosingReason::Restarting);
}

#[tokio::test]
async fn a_converged_plane_comes_back_to_a_new_hub_and_nothing_is_written() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    for name in ["cart", "till"] {
        rig.release(name, "dev").await;
        let head = plane.take(&mut session, name).await;
        plane.report(&mut session, &head, Health::Healthy).await;
        rig.until(name, "its status is written", |release| {
            release
                .status
                .as_ref()
                .is_some_and(|status| status.observed.is_some())
        })
        .await;
    }
    let before = versions(&rig).await;
    let rig = rig.restart_hub().await;
    let mut session = plane.dial(&rig).await;
    let HubMessage::Welcome(welcome) = session.hear().await else {
        panic!("no welcome");
    };
    assert!(welcome.converged);
    assert!(matches!(session.hear().await, HubMessage::Vouched(_)));
    // What is said next comes after everything that the welcome could have caused.
    rig.release("pay", "dev").await;
    let HubMessage::Announce(announce) = session.hear().await else {
        panic!("more than a greeting");
    };
    assert_eq!(announce.heads.len(), 1);
    let after = versions(&rig).await;
    assert_eq!(before, after[..2]);
}

#[tokio::test]
async fn hubs_that_start_at_once_are_the_same_hub() {
    let rig = Rig::start().await;
    rig.hub.stop().await.unwrap();
    let kube =
        crate::rig::control_plane(&outhaul_hub_resources::to_yaml(&outhaul_hub_resources::crds())).await;
    let client = kube.client();
    let (one, two) = tokio::join!(start_hub(&client, free_port()), start_hub(&client, free_port()));
    let first = one.handle().create_token(token_request("eu")).await.unwrap();
    let second = two.handle().create_token(token_request("eu")).await.unwrap();
    assert_eq!(first.token.authority, second.token.authority);
}

/// Names and resourceVersions of the first Releases.
async fn versions(rig: &Rig) -> Vec<(String, String)> {
    let mut list: Vec<_> = rig
        .releases()
        .list(&Default::default())
        .await
        .unwrap()
        .into_iter()
        .map(|release| {
            (
                release.metadata.name.unwrap(),
                release.metadata.resource_version.unwrap(),
            )
        })
        .collect();
    list.sort_by_key(|(name, _)| (name == "pay", name.clone()));
    list
}
