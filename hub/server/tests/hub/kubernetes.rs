//! The same on a real API server: what its rules make of our writes.

use std::path::Path;

use kube::api::DeleteParams;
use outhaul_kubernetes::{Cluster, Options, require_or_skip};
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use outhaul_protocol_wire::report::Health;

use crate::plane::{Plane, held};
use crate::rig::{Rig, set_up};

const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/outhaul-hub/crds");

#[tokio::test]
async fn a_release_lives_and_dies_on_a_real_api_server() {
    let Some(programs) = require_or_skip() else { return };
    let cluster = Cluster::start(&programs, Options::controllers()).await.unwrap();
    cluster.install(Path::new(DEFINITIONS)).await.unwrap();
    let client = cluster.client().await.unwrap();
    set_up(&client).await;
    let rig = Rig::over(cluster, client).await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;

    rig.release("cart", "dev").await;
    let head = plane.take(&mut session, "cart").await;
    plane.report(&mut session, &head, Health::Healthy).await;
    let release = rig
        .until("cart", "its status says healthy", |release| {
            let status = release.status.as_ref();
            status.is_some_and(|status| status.observed.is_some())
        })
        .await;
    let status = release.status.unwrap();
    assert_eq!(status.conditions[0].reason, "AllHealthy");
    assert_eq!(
        release.metadata.finalizers.map(|finalizers| finalizers.len()),
        Some(1)
    );

    let rig = rig.restart_hub().await;
    let mut session = plane.dial(&rig).await;
    let welcome = session.hear().await;
    assert!(
        matches!(&welcome, HubMessage::Welcome(welcome) if welcome.converged),
        "{welcome:?}"
    );

    rig.releases()
        .delete("cart", &DeleteParams::default())
        .await
        .unwrap();
    let head = plane.take(&mut session, "cart").await;
    session.say(AgentMessage::Gone(held(&head))).await;
    let settled = HubMessage::Settled(held(&head));
    session.until(|message| *message == settled).await;
    assert!(rig.releases().get_opt("cart").await.unwrap().is_none());
}

#[tokio::test]
async fn a_service_comes_and_goes_on_a_real_api_server() {
    let Some(programs) = require_or_skip() else { return };
    let cluster = Cluster::start(&programs, Options::controllers()).await.unwrap();
    cluster.install(Path::new(DEFINITIONS)).await.unwrap();
    let client = cluster.client().await.unwrap();
    set_up(&client).await;
    crate::controllers::comes_goes_and_comes_back(Rig::over(cluster, client).await).await;
}
