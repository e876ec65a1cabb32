//! What happens by itself: garbage collection, namespaces, workloads.

use anyhow::Result;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ServiceAccount};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use outhaul_fake_kube_server::{FakeKube, Options};
use serde_json::json;

use crate::support::{cluster, code, config_map, deployment, eventually};

#[tokio::test]
async fn dependents_follow_their_owner() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    for policy in [DeleteParams::background(), DeleteParams::foreground()] {
        let owner = maps
            .create(&PostParams::default(), &config_map("owner", json!({})))
            .await?;
        let mut owned = config_map("owned", json!({}));
        owned.metadata.owner_references = Some(vec![serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid().unwrap(),
            "blockOwnerDeletion": true,
        }))?]);
        maps.create(&PostParams::default(), &owned).await?;
        maps.delete("owner", &policy).await?;
        eventually("both are gone", || async {
            maps.list(&ListParams::default()).await.unwrap().items.is_empty()
        })
        .await;
    }
    Ok(())
}

#[tokio::test]
async fn a_namespace_takes_its_content_with_it() -> Result<()> {
    let kube = cluster().await;
    let namespaces: Api<Namespace> = Api::all(kube.client());
    let missing: Api<ConfigMap> = Api::namespaced(kube.client(), "shop");
    assert_eq!(
        code(
            missing
                .create(&PostParams::default(), &config_map("a", json!({})))
                .await
        )
        .0,
        404
    );
    let shop: Namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}}))?;
    namespaces.create(&PostParams::default(), &shop).await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(kube.client(), "shop");
    eventually("the default account", || async {
        accounts.get("default").await.is_ok()
    })
    .await;
    let mut held = config_map("a", json!({}));
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    missing.create(&PostParams::default(), &held).await?;
    namespaces.delete("shop", &DeleteParams::default()).await?;
    let refused = code(
        missing
            .create(&PostParams::default(), &config_map("b", json!({})))
            .await,
    );
    assert_eq!(refused, (403, "Forbidden".to_owned()));
    eventually("the content is terminating", || async {
        missing
            .get("a")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_some()
    })
    .await;
    let none = json!({"metadata": {"finalizers": null}});
    missing
        .patch("a", &PatchParams::default(), &Patch::Merge(none))
        .await?;
    eventually("the namespace is gone", || async {
        namespaces.get_opt("shop").await.unwrap().is_none()
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn with_standins_a_deployment_becomes_available_and_repairs_itself() -> Result<()> {
    let kube = FakeKube::start(Options {
        standins: true,
        ..Options::default()
    })
    .await?;
    let deployments: Api<Deployment> = Api::default_namespaced(kube.client());
    deployments
        .create(&PostParams::default(), &deployment("web", 3))
        .await?;
    let available = async || {
        deployments
            .get("web")
            .await
            .unwrap()
            .status
            .and_then(|s| s.available_replicas)
    };
    eventually("three pods are available", || async {
        available().await == Some(3)
    })
    .await;
    let pods: Api<Pod> = Api::default_namespaced(kube.client());
    let first = pods.list(&ListParams::default()).await?.items.remove(0);
    pods.delete(&first.name_any(), &DeleteParams::default()).await?;
    eventually("another pod takes its place", || async {
        let names: Vec<_> = pods
            .list(&ListParams::default())
            .await
            .unwrap()
            .iter()
            .map(|p| p.name_any())
            .collect();
        names.len() == 3 && !names.contains(&first.name_any()) && available().await == Some(3)
    })
    .await;
    Ok(())
}
