//! Who gets a certificate with a token, and who does not.

use anyhow::ensure;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use outhaul_protocol_wire::token::Token;
use outhaul_scenarios::cluster::{Cluster, Role};
use outhaul_scenarios::running::Running;
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::json;

use crate::support;

/// Where agents keep who they are.
const IDENTITY: &str = "outhaul-agent";

/// An agent with a key of its own: each in another namespace of one cluster.
fn agent(stage: &Stage, cluster: &Cluster, namespace: &str, token: &str) -> Running {
    stage::agent(cluster, namespace, Some(token), stage.agents(), None).unwrap()
}

/// Why an agent ended by itself.
async fn last_words(agent: Running) -> String {
    let ended = tokio::time::timeout(stage::PATIENCE, agent.ended()).await;
    format!("{:#}", ended.expect("a refused agent ends").unwrap_err())
}

/// Waits until an agent of `namespace` has a certificate, and returns its key.
async fn enrolled(cluster: &Cluster, namespace: &str) -> Vec<u8> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client().await.unwrap(), namespace);
    let look = || async {
        let documents = secrets.get(IDENTITY).await?.data.unwrap_or_default();
        ensure!(
            documents.contains_key("chain.pem"),
            "it has {:?}",
            documents.keys()
        );
        Ok(documents["key.pem"].0.clone())
    };
    poll::until("the agent has a certificate", stage::PATIENCE, look)
        .await
        .unwrap()
}

/// Takes the certificate away and leaves the key, as if the hub's answer had never arrived.
async fn lose_certificate(cluster: &Cluster, namespace: &str) {
    let secrets: Api<Secret> = Api::namespaced(cluster.client().await.unwrap(), namespace);
    let change = Patch::Merge(json!({ "data": { "chain.pem": null } }));
    secrets
        .patch(IDENTITY, &PatchParams::default(), &change)
        .await
        .unwrap();
}

/// Moves the end of a token's life into the past.
async fn expire(stage: &Stage, token: &str) {
    let token: Token = token.parse().unwrap();
    let secrets: Api<Secret> = Api::namespaced(stage.control.client().await.unwrap(), stage::SYSTEM);
    let name = format!("outhaul-token-{}", token.id);
    let change = Patch::Merge(json!({ "stringData": { "expires": "2020-01-01T00:00:00Z" } }));
    secrets
        .patch(&name, &PatchParams::default(), &change)
        .await
        .unwrap();
}

/// A token is worth one certificate: for the first key that shows it, until it expires.
async fn a_token_enrols_one_key_until_it_expires(ground: Ground) {
    let stage = Stage::start_bare(&ground, &[]).await.unwrap();
    let cluster = Cluster::start(&ground, Role::BarePlane).await.unwrap();
    stage.operator().declare("eu").await.unwrap();
    let token = stage.operator().token("eu").await.unwrap();
    let parsed: Token = token.parse().unwrap();

    let wrong = Token {
        secret: [0; 32],
        ..parsed.clone()
    }
    .to_string();
    let unknown = Token {
        id: "0000000000000000".to_owned(),
        ..parsed
    }
    .to_string();
    for (namespace, token) in [("wrong", &wrong), ("unknown", &unknown)] {
        let words = last_words(agent(&stage, &cluster, namespace, token)).await;
        assert!(words.contains("enrol") && words.contains("token"), "{words}");
    }

    let first = agent(&stage, &cluster, "first", &token);
    stage.connected("eu", true).await.unwrap();
    let key = enrolled(&cluster, "first").await;
    first.stop().await.unwrap();
    stage.connected("eu", false).await.unwrap();

    let words = last_words(agent(&stage, &cluster, "second", &token)).await;
    assert!(words.contains("another key"), "{words}");

    lose_certificate(&cluster, "first").await;
    let first = agent(&stage, &cluster, "first", &token);
    stage.connected("eu", true).await.unwrap();
    assert!(enrolled(&cluster, "first").await == key, "the key must stay");
    first.stop().await.unwrap();

    let late = stage.operator().token("eu").await.unwrap();
    expire(&stage, &late).await;
    let words = last_words(agent(&stage, &cluster, "late", &late)).await;
    assert!(words.contains("expired"), "{words}");
    stage.end().await.unwrap();
}

support::on_both_grounds!(a_token_enrols_one_key_until_it_expires);
