//! Tokens, and who gets a certificate for them.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams, Patch, PatchParams};
use outhaul_hub_resources::Plane as PlaneResource;
use outhaul_hub_server::{TokenError, TokenRequest};
use outhaul_protocol_transport::dialer::EnrolError;
use outhaul_protocol_transport::pki::PrivateKey;
use outhaul_protocol_wire::enrolment::Refusal;
use outhaul_protocol_wire::message::{HubMessage, RefusedReason};
use outhaul_protocol_wire::token::Token;
use serde_json::json;

use crate::plane::{Plane, enrol};
use crate::rig::{Rig, token_request, until};

fn refusal(result: Result<impl Sized, EnrolError>) -> Refusal {
    match result {
        Err(EnrolError::Refused(refusal)) => refusal,
        Err(error) => panic!("not refused but failed: {error}"),
        Ok(_) => panic!("enrolled"),
    }
}

fn planes(rig: &Rig) -> Api<PlaneResource> {
    Api::all(rig.client.clone())
}

fn secrets(rig: &Rig) -> Api<Secret> {
    Api::namespaced(rig.client.clone(), "outhaul-system")
}

async fn set_spec(rig: &Rig, plane: &str, spec: serde_json::Value) {
    planes(rig)
        .patch(
            plane,
            &PatchParams::default(),
            &Patch::Merge(json!({"spec": spec})),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_token_makes_the_plane_and_admits_the_data_plane() {
    let rig = Rig::start().await;
    rig.token("eu").await;
    rig.token("eu").await;
    let plane = planes(&rig).get("eu").await.unwrap();
    let [admission] = plane.spec.admits.as_slice() else {
        panic!("expected one admission: {:?}", plane.spec.admits);
    };
    assert_eq!(admission.target_namespaces, ["*"]);
    assert_eq!(admission.cluster_scoped_kinds, ["Namespace"]);
}

#[tokio::test]
async fn the_key_is_recorded_and_the_same_key_may_ask_again() {
    let rig = Rig::start().await;
    let token = rig.token("eu").await.token;
    let key = PrivateKey::generate().unwrap();
    enrol(&token, &key).await.unwrap();
    enrol(&token, &key).await.unwrap();
    let plane = planes(&rig).get("eu").await.unwrap();
    assert_eq!(plane.status.unwrap().key, Some(key.digest().to_string()));
}

#[tokio::test]
async fn another_key_a_wrong_secret_and_an_unknown_token_are_refused() {
    let rig = Rig::start().await;
    let token = rig.token("eu").await.token;
    let key = PrivateKey::generate().unwrap();
    let wrong = Token {
        secret: [0; 32],
        ..token.clone()
    };
    assert_eq!(refusal(enrol(&wrong, &key).await), Refusal::TokenUnknown);
    let unknown = Token {
        id: "0000000000000000".into(),
        ..token.clone()
    };
    assert_eq!(refusal(enrol(&unknown, &key).await), Refusal::TokenUnknown);
    let sly = Token {
        id: "../outhaul-hub".into(),
        ..token.clone()
    };
    assert_eq!(refusal(enrol(&sly, &key).await), Refusal::TokenUnknown);
    enrol(&token, &key).await.unwrap();
    let other = PrivateKey::generate().unwrap();
    assert_eq!(
        refusal(enrol(&token, &other).await),
        Refusal::TokenBoundToAnotherKey
    );
}

#[tokio::test]
async fn of_two_keys_at_once_one_is_enrolled() {
    let rig = Rig::start().await;
    let token = rig.token("eu").await.token;
    let keys = [(); 2].map(|()| PrivateKey::generate().unwrap());
    let (first, second) = tokio::join!(enrol(&token, &keys[0]), enrol(&token, &keys[1]));
    let results = [first.map(drop), second.map(drop)];
    let enrolled = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(enrolled, 1, "{results:?}");
}

#[tokio::test]
async fn an_expired_token_is_refused_and_swept_away_by_the_next() {
    let rig = Rig::start().await;
    let token = rig.token("eu").await.token;
    let name = format!("outhaul-token-{}", token.id);
    let expire = json!({"stringData": {"expires": "2020-01-01T00:00:00Z"}});
    secrets(&rig)
        .patch(&name, &PatchParams::default(), &Patch::Merge(expire))
        .await
        .unwrap();
    let key = PrivateKey::generate().unwrap();
    assert_eq!(refusal(enrol(&token, &key).await), Refusal::TokenExpired);
    rig.token("eu").await;
    assert!(secrets(&rig).get_opt(&name).await.unwrap().is_none());
}

#[tokio::test]
async fn a_revoked_plane_gets_neither_token_nor_certificate_nor_session() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    let token = rig.token("eu").await.token;
    set_spec(&rig, "eu", json!({"revoked": true})).await;
    let closing = session
        .until(|message| matches!(message, HubMessage::Closing(_)))
        .await;
    assert!(format!("{closing:?}").contains("Revoked"), "{closing:?}");
    let key = PrivateKey::generate().unwrap();
    assert_eq!(refusal(enrol(&token, &key).await), Refusal::PlaneRevoked);
    let error = rig
        .hub
        .handle()
        .create_token(token_request("eu"))
        .await
        .unwrap_err();
    assert!(matches!(error, TokenError::PlaneRevoked(_)) && error.is_client_fault());
    let mut session = plane.dial(&rig).await;
    let HubMessage::Refused(refused) = session.hear().await else {
        panic!("a revoked plane has a session");
    };
    assert_eq!(refused.reason, RefusedReason::Revoked);
}

#[tokio::test]
async fn a_plane_that_enrols_again_ends_the_session_of_its_former_key() {
    let rig = Rig::start().await;
    let mut former = Plane::enrol(&rig, "eu").await;
    let mut session = former.connect(&rig).await;
    let mut again = Plane::enrol(&rig, "eu").await;
    session
        .until(|message| matches!(message, HubMessage::Closing(_)))
        .await;
    again.connect(&rig).await;
    let mut session = former.dial(&rig).await;
    let HubMessage::Refused(refused) = session.hear().await else {
        panic!("the former key has a session");
    };
    assert_eq!(refused.reason, RefusedReason::KeyUnknown);
}

#[tokio::test]
async fn an_old_token_does_not_take_the_plane_back_from_a_newer_key() {
    let rig = Rig::start().await;
    let old = rig.token("eu").await.token;
    let former = PrivateKey::generate().unwrap();
    enrol(&old, &former).await.unwrap();
    let new = rig.token("eu").await.token;
    let key = PrivateKey::generate().unwrap();
    enrol(&new, &key).await.unwrap();
    assert_eq!(
        refusal(enrol(&old, &former).await),
        Refusal::TokenBoundToAnotherKey
    );
    enrol(&new, &key).await.unwrap();
    let plane = planes(&rig).get("eu").await.unwrap();
    assert_eq!(plane.status.unwrap().key, Some(key.digest().to_string()));
}

#[tokio::test]
async fn a_token_that_was_bound_before_the_plane_had_its_key_is_completed() {
    let rig = Rig::start().await;
    let old = rig.token("eu").await.token;
    let former = PrivateKey::generate().unwrap();
    enrol(&old, &former).await.unwrap();
    let new = rig.token("eu").await.token;
    let key = PrivateKey::generate().unwrap();
    let bound = json!({"stringData": {
        "key": key.digest().to_string(), "replaces": former.digest().to_string()}});
    secrets(&rig)
        .patch(
            &format!("outhaul-token-{}", new.id),
            &PatchParams::default(),
            &Patch::Merge(bound),
        )
        .await
        .unwrap();
    enrol(&new, &key).await.unwrap();
}

#[tokio::test]
async fn a_token_cannot_be_for_ever() {
    let rig = Rig::start().await;
    for ttl in [Duration::ZERO, Duration::from_secs(8 * 24 * 3600)] {
        let request = TokenRequest {
            ttl: Some(ttl),
            ..token_request("eu")
        };
        let error = rig.hub.handle().create_token(request).await.unwrap_err();
        assert!(matches!(error, TokenError::Ttl), "{error}");
    }
}

#[tokio::test]
async fn nothing_that_is_stored_opens_the_door() {
    let rig = Rig::start().await;
    let token = rig.token("eu").await.token;
    let stored = until("the token is stored", || async {
        let list = secrets(&rig).list(&ListParams::default()).await.unwrap();
        (list.items.len() >= 2).then_some(list.items)
    })
    .await;
    let secret = outhaul_protocol_wire::digest::hex(&token.secret);
    for object in stored {
        for (field, value) in object.data.unwrap_or_default() {
            assert!(value.0 != token.secret, "{field} is the secret");
            let text = String::from_utf8_lossy(&value.0).into_owned();
            assert!(!text.contains(&secret), "{field} holds the secret");
        }
    }
}
