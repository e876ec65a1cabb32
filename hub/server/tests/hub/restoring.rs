//! Hubs that are told that the control plane went back to a backup.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use outhaul_protocol_wire::ids::Epoch;
use outhaul_protocol_wire::message::{ClosingReason, HubMessage};
use serde_json::json;

use crate::plane::{Plane, Session};
use crate::rig::{Rig, free_port, start_hub, until};

/// Later than any epoch that is counted up by hand.
const TODAY: Epoch = Epoch(1_700_000_000);

/// Dials until a hub has read everything again, and returns its epoch.
async fn welcomed(plane: &mut Plane, rig: &Rig) -> (Session, Epoch) {
    let deadline = std::time::Instant::now() + crate::rig::PATIENCE;
    loop {
        let mut session = plane.dial(rig).await;
        match session.hear().await {
            HubMessage::Welcome(welcome) => return (session, welcome.epoch),
            refused if std::time::Instant::now() > deadline => panic!("never welcomed: {refused:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_replica_reads_everything_again_and_announces_with_the_raised_epoch() {
    let rig = Rig::start().await;
    let replica = start_hub(&rig.client, free_port()).await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    let head = plane.take(&mut session, "cart").await;
    assert_eq!(head.version.epoch, Epoch(1));

    // Whichever replica is asked, the others notice.
    let raised = replica.handle().restored().await.unwrap();
    assert!(raised > TODAY, "{raised:?}");
    let closing = session
        .until(|message| matches!(message, HubMessage::Closing(_)))
        .await;
    let HubMessage::Closing(closing) = closing else {
        unreachable!("it was waited for")
    };
    assert_eq!(closing.reason, ClosingReason::Restarting);
    let (mut session, epoch) = welcomed(&mut plane, &rig).await;
    assert_eq!(epoch, raised);
    assert_eq!(plane.take(&mut session, "cart").await.version.epoch, raised);

    let again = replica.handle().restored().await.unwrap();
    assert!(again > raised, "{again:?}");
}

#[tokio::test]
async fn an_epoch_that_is_raised_by_hand_counts_as_well_and_a_lower_one_does_not() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    let secrets: Api<Secret> = Api::namespaced(rig.client.clone(), "outhaul-system");
    let write = async |epoch: &[u8]| {
        let patch = json!({"data": {"epoch": k8s_openapi::ByteString(epoch.to_vec())}});
        secrets
            .patch("outhaul-hub", &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    };
    write(b"7").await;
    session
        .until(|message| matches!(message, HubMessage::Closing(_)))
        .await;
    let (mut session, epoch) = welcomed(&mut plane, &rig).await;
    assert_eq!(epoch, Epoch(7));

    write(b"3").await;
    rig.release("cart", "dev").await;
    assert_eq!(plane.take(&mut session, "cart").await.version.epoch, Epoch(7));
    let raised = rig.hub.handle().restored().await.unwrap();
    let stored = until("the epoch is stored", || async {
        let secret = secrets.get("outhaul-hub").await.unwrap();
        secret.data.unwrap().remove("epoch")
    });
    assert_eq!(stored.await.0, raised.0.to_string().as_bytes());
}
