//! Objects are created, read, changed and deleted by the rules.

use anyhow::Result;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::{cluster, code, config_map, deployment};

#[tokio::test]
async fn objects_are_created_read_listed_and_deleted() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let created = maps
        .create(&PostParams::default(), &config_map("a", json!({"k": "v"})))
        .await?;
    assert!(created.uid().is_some() && created.creation_timestamp().is_some());
    assert_eq!(created.namespace().as_deref(), Some("default"));
    let again = config_map("a", json!({}));
    assert_eq!(code(maps.create(&PostParams::default(), &again).await).0, 409);
    assert_eq!(maps.get("a").await?.data, created.data);
    assert_eq!(maps.list(&ListParams::default()).await?.items.len(), 1);
    maps.delete("a", &DeleteParams::default()).await?;
    assert_eq!(code(maps.get("a").await), (404, "NotFound".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_stale_update_is_a_conflict() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let first = maps
        .create(&PostParams::default(), &config_map("a", json!({"k": "1"})))
        .await?;
    let mut second = first.clone();
    second.data = Some([("k".to_owned(), "2".to_owned())].into());
    maps.replace("a", &PostParams::default(), &second).await?;
    let error = maps
        .replace("a", &PostParams::default(), &first)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the object has been modified; please apply your changes to the latest version")
    );
    Ok(())
}

#[tokio::test]
async fn server_side_apply_owns_fields_and_reports_conflicts() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let apply = |manager: &str, value: &str| {
        let patch =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": value}});
        (PatchParams::apply(manager), Patch::Apply(patch))
    };
    let (params, patch) = apply("one", "1");
    let first = maps.patch("a", &params, &patch).await?;
    let again = maps.patch("a", &params, &patch).await?;
    assert_eq!(
        first.resource_version(),
        again.resource_version(),
        "an apply that changes nothing writes nothing"
    );
    let (params, patch) = apply("two", "2");
    let error = maps.patch("a", &params, &patch).await.unwrap_err();
    assert!(
        error.to_string().contains("conflict with \"one\": .data.k"),
        "{error}"
    );
    let taken = maps.patch("a", &params.force(), &patch).await?;
    assert_eq!(taken.data.unwrap()["k"], "2");
    Ok(())
}

#[tokio::test]
async fn finalizers_hold_an_object_until_they_are_gone() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let mut held = config_map("a", json!({}));
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    maps.create(&PostParams::default(), &held).await?;
    maps.delete("a", &DeleteParams::default()).await?;
    let waiting = maps.get("a").await?;
    assert!(waiting.metadata.deletion_timestamp.is_some());
    let more = json!({"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}});
    assert_eq!(
        code(
            maps.patch("a", &PatchParams::default(), &Patch::Merge(more))
                .await
        )
        .0,
        422
    );
    let none = json!({"metadata": {"finalizers": null}});
    maps.patch("a", &PatchParams::default(), &Patch::Merge(none))
        .await?;
    assert_eq!(code(maps.get("a").await).0, 404);
    Ok(())
}

#[tokio::test]
async fn generation_counts_spec_and_deletion_but_not_status_or_labels() -> Result<()> {
    let kube = cluster().await;
    let deployments: Api<Deployment> = Api::default_namespaced(kube.client());
    deployments
        .create(&PostParams::default(), &deployment("web", 1))
        .await?;
    let generation = async || deployments.get("web").await.unwrap().metadata.generation.unwrap();
    let params = PatchParams::default();
    deployments
        .patch(
            "web",
            &params,
            &Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}})),
        )
        .await?;
    deployments
        .patch_status("web", &params, &Patch::Merge(json!({"status": {"replicas": 1}})))
        .await?;
    assert_eq!(generation().await, 1);
    deployments
        .patch("web", &params, &Patch::Merge(json!({"spec": {"replicas": 2}})))
        .await?;
    assert_eq!(generation().await, 2);
    let hold = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    deployments.patch("web", &params, &Patch::Merge(hold)).await?;
    deployments.delete("web", &DeleteParams::default()).await?;
    assert_eq!(generation().await, 3);
    Ok(())
}

#[tokio::test]
async fn status_is_written_only_through_its_subresource() -> Result<()> {
    let kube = cluster().await;
    let deployments: Api<Deployment> = Api::default_namespaced(kube.client());
    deployments
        .create(&PostParams::default(), &deployment("web", 1))
        .await?;
    let both = json!({"spec": {"replicas": 3}, "status": {"replicas": 7}});
    let main = deployments
        .patch("web", &PatchParams::default(), &Patch::Merge(both.clone()))
        .await?;
    assert_eq!(
        (main.spec.replicas, main.status.unwrap().replicas),
        (Some(3), None)
    );
    let again = json!({"spec": {"replicas": 4}, "status": {"replicas": 7}});
    let status = deployments
        .patch_status("web", &PatchParams::default(), &Patch::Merge(again))
        .await?;
    assert_eq!(
        (status.spec.replicas, status.status.unwrap().replicas),
        (Some(3), Some(7))
    );
    Ok(())
}

#[tokio::test]
async fn preconditions_protect_another_object_of_the_same_name() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    maps.create(&PostParams::default(), &config_map("a", json!({})))
        .await?;
    let preconditions = Some(kube::api::Preconditions {
        uid: Some("other".to_owned()),
        ..Default::default()
    });
    let params = DeleteParams {
        preconditions,
        ..DeleteParams::default()
    };
    assert_eq!(
        code(maps.delete("a", &params).await),
        (409, "Conflict".to_owned())
    );
    Ok(())
}
