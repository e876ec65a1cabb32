//! The command against a real hub, whose control plane is an embedded API server.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic like the test")]

mod stage;

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::Api;
use outhaul_hub_resources::{Bundle, Plane};
use outhaul_hub_server::rest::Access;
use outhaul_protocol_wire::token::Token;
use serde_json::{Value, json};
use stage::{ADMIN, Stage, VIEWER, create};

/// Stands in a manifest and must be seen nowhere.
const CONTENT: &str = "content-of-a-manifest";

/// A plane with an enrolment token, and one Bundle for it.
async fn with_a_waiting_bundle(access: Access) -> Stage {
    let stage = Stage::set(access).await;
    let text = stage
        .outhaul(
            Some(ADMIN),
            "plane token eu --for dataplane/default/eu-1 --ttl 2h",
        )
        .await
        .unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("outhaul1."))
        .expect("no token is printed");
    line.parse::<Token>().expect("what is printed is no token");
    assert!(
        text.contains(&format!("\nouthaul-agent --token {line}\n")),
        "{text}"
    );
    let bundle = json!({
        "apiVersion": "outhaul.dev/v1alpha1",
        "kind": "Bundle",
        "metadata": {"name": "cart", "namespace": "default"},
        "spec": {
            "plane": "eu",
            "objects": [{
                "id": "settings",
                "object": {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": "settings", "namespace": "shop"},
                    "data": {"key": CONTENT},
                },
            }],
        },
    });
    create(Api::<Bundle>::namespaced(stage.control(), "default"), bundle).await;
    stage
        .until("status eu", |text| text.contains("Bundle default/cart"))
        .await;
    stage
}

#[tokio::test]
async fn a_token_makes_its_plane_and_admits_who_it_is_for() {
    let stage = with_a_waiting_bundle(Access::Tokens).await;
    let planes = Api::<Plane>::all(stage.control());
    let admits = serde_json::to_value(planes.get("eu").await.unwrap().spec.admits).unwrap();
    let named =
        json!({"kind": admits[0]["kind"], "namespace": admits[0]["namespace"], "name": admits[0]["name"]});
    assert_eq!(
        named,
        json!({"kind": "DataPlane", "namespace": "default", "name": "eu-1"})
    );
    let again = stage
        .outhaul(Some(ADMIN), "plane token eu --ttl 30d")
        .await
        .unwrap_err();
    let text = format!("{again:#}");
    assert!(
        text.contains("7 days") && text.contains("INVALID_INPUT"),
        "{text}"
    );
}

#[tokio::test]
async fn a_restored_hub_says_its_new_epoch_to_who_may_raise_it() {
    let stage = Stage::set(Access::Tokens).await;
    let text = stage.outhaul(Some(ADMIN), "hub restored").await.unwrap();
    let epoch = |text: &str| {
        let rest = text.strip_prefix("The epoch is ").unwrap();
        rest.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let first = epoch(&text);
    assert!(first > 1_700_000_000, "{text}");
    let answer = stage.outhaul(Some(ADMIN), "hub restored -o json").await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["epoch"].as_u64().unwrap() > first, "{answer}");
    let refused = stage.outhaul(Some(VIEWER), "hub restored").await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("may not update planes/epoch"),
        "{refused:#}"
    );
}

#[tokio::test]
async fn a_forgotten_plane_says_what_was_on_it_and_an_unknown_one_is_none() {
    let stage = with_a_waiting_bundle(Access::Tokens).await;
    let text = stage.outhaul(Some(ADMIN), "plane forget eu").await.unwrap();
    assert!(text.contains("\n  Bundle default/cart\n"), "{text}");
    stage
        .until("status", |text| text.contains("\neu     Forgotten"))
        .await;
    let unknown = stage
        .outhaul(Some(ADMIN), "plane forget nowhere")
        .await
        .unwrap_err();
    assert!(format!("{unknown:#}").contains("PLANE_NOT_FOUND"), "{unknown:#}");
    let refused = stage.outhaul(Some(VIEWER), "plane forget eu").await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("may not update planes/forgotten"),
        "{refused:#}"
    );
}

#[tokio::test]
async fn status_says_what_waits_for_whom_and_what_to_do() {
    let stage = with_a_waiting_bundle(Access::Tokens).await;
    let fleet = stage.outhaul(Some(ADMIN), "status").await.unwrap();
    assert!(fleet.contains("\neu     NotEnrolled"), "{fleet}");
    let plane = stage.outhaul(Some(ADMIN), "status eu").await.unwrap();
    let line = plane
        .lines()
        .find(|line| line.starts_with("Bundle default/cart"))
        .unwrap();
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>(),
        ["Bundle", "default/cart", "Queued", "-", "PlaneNotEnrolled"]
    );
    let bundle = stage
        .outhaul(Some(ADMIN), "status eu bundle/default/cart")
        .await
        .unwrap();
    assert!(
        bundle.contains("Blocked by PlaneNotEnrolled: No agent has enrolled."),
        "{bundle}"
    );
    assert!(bundle.contains("`outhaul plane token eu`"), "{bundle}");
}

#[tokio::test]
async fn programs_get_the_hub_s_own_answer_without_manifests() {
    let stage = with_a_waiting_bundle(Access::Tokens).await;
    for (line, pointer, expected) in [
        ("status -o json", "/items/0/name", "eu"),
        ("status eu -o json", "/items/0/name", "cart"),
        ("status eu bundle/default/cart -o json", "/state", "Queued"),
    ] {
        let text = stage.outhaul(Some(ADMIN), line).await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer.pointer(pointer), Some(&json!(expected)), "{line}: {text}");
        assert!(!text.contains(CONTENT), "{line} shows a manifest");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be() {
    let stage = with_a_waiting_bundle(Access::Tokens).await;
    for (line, code) in [
        ("confirm eu bundle/default/cart remove", "CONFLICT"),
        ("confirm eu bundle/default/none leave", "BUNDLE_NOT_FOUND"),
        ("status us", "PLANE_NOT_FOUND"),
        ("status ../health", "PLANE_NOT_FOUND"),
        ("status eu release/default/cart", "BUNDLE_NOT_FOUND"),
    ] {
        let error = stage.outhaul(Some(ADMIN), line).await.unwrap_err();
        assert!(format!("{error:#}").contains(code), "{line}: {error:#}");
    }
}

#[tokio::test]
async fn rights_are_those_of_the_control_plane() {
    let stage = Stage::set(Access::Tokens).await;
    let stranger = stage.outhaul(None, "status").await.unwrap_err();
    assert!(format!("{stranger:#}").contains("--token-file"), "{stranger:#}");
    let viewer = stage.outhaul(Some(VIEWER), "status").await.unwrap_err();
    assert!(
        format!("{viewer:#}").contains("viewer may not list planes in outhaul.dev"),
        "{viewer:#}"
    );

    // Another hub, since this one remembers for seconds that the viewer lacks the right.
    let stage = Stage::set(Access::Tokens).await;
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "fleet-viewer"},
        "rules": [{"apiGroups": ["outhaul.dev"], "resources": ["planes"], "verbs": ["get", "list", "watch"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "fleet-viewer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "fleet-viewer"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "viewer"}],
    });
    create(Api::<ClusterRole>::all(stage.control()), role).await;
    create(Api::<ClusterRoleBinding>::all(stage.control()), binding).await;
    stage.outhaul(Some(VIEWER), "status").await.unwrap();
    let token = stage.outhaul(Some(VIEWER), "plane token eu").await.unwrap_err();
    assert!(
        format!("{token:#}").contains("may not create planes/tokens"),
        "{token:#}"
    );
}

#[tokio::test]
async fn an_anonymous_hub_shows_everything_and_makes_no_token() {
    let stage = with_a_waiting_bundle(Access::Anonymous).await;
    for line in ["status", "status eu", "status eu bundle/default/cart"] {
        stage.outhaul(None, line).await.unwrap();
    }
    let refused = stage.outhaul(None, "plane token eu").await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("answers questions only"),
        "{refused:#}"
    );
}

#[tokio::test]
async fn who_is_no_hub_is_said_to_be_none() {
    let nobody = stage::run("http://127.0.0.1:1", Some(ADMIN), "status")
        .await
        .unwrap_err();
    let text = format!("{nobody:#}");
    assert!(
        text.contains("cannot reach the hub at http://127.0.0.1:1/") && text.contains("OUTHAUL_HUB"),
        "{text}"
    );
    let stage = Stage::set(Access::Anonymous).await;
    let deeper = format!("{}/somewhere", stage.address());
    let other = stage::run(&deeper, None, "status").await.unwrap_err();
    assert!(format!("{other:#}").contains("not as a hub does"), "{other:#}");
}
