//! GitCommitRequests, up to the edge of the network.

use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};
use outhaul_hub_resources::GitCommitRequest;
use serde_json::{Value, json};

use crate::rig::{NAMESPACE, Rig, create, until};

async fn ask(rig: &Rig, name: &str, change: &Value) {
    let mut object = json!({
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "GitCommitRequest",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            // Nobody listens there.
            "repoURL": "https://127.0.0.1:1/team.git", "branch": "main", "message": "Deploy cart",
            "files": [{"path": "cart.json", "content": "{}"}],
        },
    });
    object["spec"]
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().unwrap().clone());
    create(&rig.client, Some(NAMESPACE), object).await;
}

/// Reason and words of a request that failed.
async fn failed(rig: &Rig, name: &str) -> (String, String) {
    let requests: Api<GitCommitRequest> = Api::namespaced(rig.client.clone(), NAMESPACE);
    until(&format!("{name} failed"), || async {
        let status = requests.get(name).await.unwrap().status?;
        let ready = status.conditions.last()?;
        assert_eq!((ready.type_.as_str(), ready.status.as_str()), ("Ready", "False"));
        assert_eq!(ready.message, status.message);
        Some((ready.reason.clone(), status.message))
    })
    .await
}

#[tokio::test]
async fn a_commit_that_fails_says_why_in_status_condition_and_event() {
    let rig = Rig::start().await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "half", "namespace": NAMESPACE},
        "stringData": {"username": "ada"},
    });
    create(&rig.client, Some(NAMESPACE), secret).await;
    for (name, change, reason, words) in [
        (
            "silent",
            json!({}),
            "FetchFailed",
            "https://127.0.0.1:1/team.git cannot be reached",
        ),
        (
            "outside",
            json!({"files": [{"path": "../up", "content": "x"}]}),
            "InvalidConfiguration",
            "spec.files[0].path",
        ),
        (
            "local",
            json!({"repoURL": "file:///etc"}),
            "InvalidConfiguration",
            "spec.repoURL",
        ),
        (
            "keyless",
            json!({"authSecretRef": "nothing"}),
            "SecretNotUsable",
            "Secret acme/nothing does not exist",
        ),
        (
            "halfway",
            json!({"authSecretRef": "half"}),
            "SecretNotUsable",
            "Secret acme/half has no password",
        ),
    ] {
        ask(&rig, name, &change).await;
        let said = failed(&rig, name).await;
        assert_eq!(said.0, reason, "{said:?}");
        assert!(said.1.contains(words), "{said:?}");
        let events: Api<Event> = Api::namespaced(rig.client.clone(), NAMESPACE);
        until("an Event says so", || async {
            let all = events.list(&ListParams::default()).await.unwrap();
            let mut about = all.into_iter();
            about.find(|event| {
                event.involved_object.name.as_deref() == Some(name) && event.reason.as_deref() == Some(reason)
            })
        })
        .await;
    }
}
