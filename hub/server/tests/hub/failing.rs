//! Bad resources, and an API server that fails.

use kube::api::PostParams;
use outhaul_fake_kube_server::{Fault, FaultRule, Verb};
use outhaul_hub_resources::{crds, to_yaml};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::report::Health;
use serde_json::json;

use crate::plane::Plane;
use crate::rig::{Rig, control_plane, create, spec};

/// The Ready condition of a Release: reason and message.
fn ready(release: &outhaul_hub_resources::Release) -> Option<(String, String)> {
    let status = release.status.as_ref()?;
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "Ready")?;
    Some((ready.reason.clone(), ready.message.clone()))
}

#[tokio::test]
async fn malformed_resources_stop_nothing() {
    // Definitions that check nothing, as somebody may have installed them.
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let mut definitions = crds();
    for crd in &mut definitions {
        for version in &mut crd.spec.versions {
            version.schema = serde_json::from_value(json!({"openAPIV3Schema": open})).unwrap();
        }
    }
    let kube = control_plane(&to_yaml(&definitions)).await;
    let plane = json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "Plane",
        "metadata": {"name": "odd"}, "spec": {"keys": 7}});
    create(&kube.client(), None, plane).await;
    for (index, spec) in [
        json!(7),
        json!({"resources": "none"}),
        json!({"resources": [7]}),
        json!({"environmentName": {}}),
    ]
    .into_iter()
    .enumerate()
    {
        let release = json!({"apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
            "metadata": {"name": format!("odd-{index}"), "namespace": "acme"}, "spec": spec});
        create(&kube.client(), Some("acme"), release).await;
    }
    let client = kube.client();
    let rig = Rig::over(kube, client).await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    plane.take(&mut session, "cart").await;
    assert_eq!(plane.heads.len(), 1);
}

#[tokio::test]
async fn a_spec_that_is_too_large_is_named_and_its_neighbour_is_delivered() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    let mut large = spec("large", "dev");
    large["resources"][0]["object"]["data"]["key"] = json!("x".repeat(limits::SPEC_BYTES));
    rig.release_with("large", &large).await;
    rig.release("cart", "dev").await;
    plane.take(&mut session, "cart").await;
    let release = rig
        .until("large", "it says what is wrong", |release| {
            ready(release).is_some()
        })
        .await;
    let (reason, message) = ready(&release).unwrap();
    assert_eq!(reason, "InvalidSpec");
    assert!(message.contains("split it"), "{message}");
}

#[tokio::test]
async fn writes_that_fail_are_made_again() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    let failing = FaultRule::always(Fault::InternalError)
        .on_verb(Verb::Patch)
        .on_resource("openchoreo.dev", "releases")
        .times(5);
    rig.kube.inject(failing);
    rig.release("cart", "dev").await;
    let head = plane.take(&mut session, "cart").await;
    plane.report(&mut session, &head, Health::Healthy).await;
    rig.until("cart", "it is ready", |release| {
        ready(release).is_some_and(|(reason, _)| reason == "AllHealthy")
    })
    .await;
}

#[tokio::test]
async fn an_api_server_that_was_away_is_caught_up_with() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    let head = plane.take(&mut session, "cart").await;
    rig.kube.stop_listening().await;
    plane.report(&mut session, &head, Health::Healthy).await;
    rig.kube.resume_listening().await.unwrap();
    rig.until("cart", "it is ready", |release| {
        ready(release).is_some_and(|(reason, _)| reason == "AllHealthy")
    })
    .await;
    rig.release("till", "dev").await;
    plane.take(&mut session, "till").await;
}

#[tokio::test]
async fn finalizers_that_others_add_meanwhile_stay() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    let failing = FaultRule::always(Fault::InternalError)
        .on_verb(Verb::Patch)
        .on_resource("openchoreo.dev", "releases")
        .times(4);
    rig.kube.inject(failing);
    rig.release("cart", "dev").await;
    // An update, which the fault does not hit.
    let mut release = rig.releases().get("cart").await.unwrap();
    release.metadata.finalizers = Some(vec!["example.org/audit".to_owned()]);
    rig.releases()
        .replace("cart", &PostParams::default(), &release)
        .await
        .unwrap();
    plane.take(&mut session, "cart").await;
    let finalizers = rig.releases().get("cart").await.unwrap().metadata.finalizers;
    let finalizers = finalizers.unwrap();
    assert_eq!(finalizers.len(), 2, "{finalizers:?}");
    assert!(finalizers.iter().any(|name| name == "example.org/audit"));
}

#[tokio::test]
async fn an_expired_watch_removes_nothing() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    rig.release("cart", "dev").await;
    let cart = plane.take(&mut session, "cart").await;
    rig.kube.expire_watches("openchoreo.dev", "releases");
    rig.release("till", "dev").await;
    let till = plane.take(&mut session, "till").await;
    let held = [&cart, &till].map(|head| plane.heads.get(&head.key) == Some(head));
    assert_eq!(held, [true, true]);
}
