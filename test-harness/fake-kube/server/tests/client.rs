//! The embedded API through the client that the product uses.

#![expect(
    clippy::unwrap_used,
    reason = "an answer that is not as it should be fails the test"
)]

use std::time::Duration;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ServiceAccount};
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Config, ResourceExt as _};
use outhaul_fake_kube_server::{FakeKube, Fault, FaultRule, Options, User, Verb};
use serde_json::{Value, json};

async fn cluster() -> FakeKube {
    FakeKube::start(Options::default()).await.unwrap()
}

fn config_map(name: &str, data: Value) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": data})).unwrap()
}

fn code<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String) {
    match result.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.reason.clone()),
        other => panic!("not an answer of the API: {other:?}"),
    }
}

async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !check().await {
        assert!(tokio::time::Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

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

fn deployment(name: &str, replicas: u32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "example.com/web:1"}]},
            },
        },
    }))
    .unwrap()
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
async fn a_watch_follows_selectors_and_resumes() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let start = maps
        .list(&ListParams::default())
        .await?
        .metadata
        .resource_version
        .unwrap();
    let mut map = config_map("a", json!({}));
    map.metadata.labels = Some([("app".to_owned(), "web".to_owned())].into());
    maps.create(&PostParams::default(), &map).await?;
    maps.create(&PostParams::default(), &config_map("b", json!({})))
        .await?;
    let off = json!({"metadata": {"labels": {"app": "other"}}});
    maps.patch("a", &PatchParams::default(), &Patch::Merge(off))
        .await?;
    let events = maps
        .watch(&WatchParams::default().labels("app=web").timeout(1), &start)
        .await?;
    let seen: Vec<String> = events.map_ok(|event| shape(&event)).try_collect().await?;
    assert_eq!(seen, ["added a", "deleted a"]);
    Ok(())
}

fn shape(event: &WatchEvent<ConfigMap>) -> String {
    match event {
        WatchEvent::Added(map) => format!("added {}", map.name_any()),
        WatchEvent::Modified(map) => format!("modified {}", map.name_any()),
        WatchEvent::Deleted(map) => format!("deleted {}", map.name_any()),
        WatchEvent::Bookmark(_) => "bookmark".to_owned(),
        WatchEvent::Error(status) => format!("error {}", status.code),
    }
}

#[tokio::test]
async fn the_watcher_of_kube_survives_expiry_in_both_modes() -> Result<()> {
    for config in [
        watcher::Config::default(),
        watcher::Config::default().streaming_lists(),
    ] {
        let kube = cluster().await;
        let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
        maps.create(&PostParams::default(), &config_map("a", json!({})))
            .await?;
        let mut events = watcher(maps.clone(), config)
            .default_backoff()
            .applied_objects()
            .boxed();
        assert_eq!(events.next().await.unwrap()?.name_any(), "a");
        kube.expire_watches("", "configmaps");
        maps.create(&PostParams::default(), &config_map("b", json!({})))
            .await?;
        let found = tokio::time::timeout(Duration::from_secs(10), async {
            while let Some(event) = events.next().await {
                if event.is_ok_and(|map| map.name_any() == "b") {
                    return true;
                }
            }
            false
        });
        assert!(found.await?);
    }
    Ok(())
}

const WIDGETS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, minimum: 1, default: 3}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
";

fn widgets(client: Client) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    Api::default_namespaced_with(client, &kind)
}

fn widget(name: &str, spec: Value) -> DynamicObject {
    serde_json::from_value(
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}),
    )
    .unwrap()
}

#[tokio::test]
async fn a_custom_kind_is_defaulted_pruned_and_validated() -> Result<()> {
    let kube = cluster().await;
    let api = widgets(kube.client());
    assert_eq!(code(api.list(&ListParams::default()).await).0, 404);
    kube.install_crds(WIDGETS)?;
    let made = api
        .create(&PostParams::default(), &widget("a", json!({"color": "red"})))
        .await?;
    assert_eq!(made.data["spec"], json!({"size": 3}));
    assert_eq!(
        code(
            api.create(&PostParams::default(), &widget("b", json!({"size": 0})))
                .await
        )
        .0,
        422
    );
    let crds: Api<DynamicObject> = Api::all_with(
        kube.client(),
        &ApiResource::from_gvk(&GroupVersionKind::gvk(
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
        )),
    );
    let conditions = crds.get("widgets.example.com").await?.data["status"]["conditions"].clone();
    assert_eq!(conditions[1]["type"], "Established");
    crds.delete("widgets.example.com", &DeleteParams::default())
        .await?;
    eventually("the kind is gone", || async {
        code(api.list(&ListParams::default()).await).0 == 404
    })
    .await;
    Ok(())
}

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

async fn over_tls(kube: &FakeKube) -> Client {
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&kube.admin_kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

#[tokio::test]
async fn the_port_goes_away_and_comes_back_with_everything() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(over_tls(&kube).await);
    maps.create(&PostParams::default(), &config_map("a", json!({})))
        .await?;
    kube.stop_listening().await;
    assert!(maps.get("a").await.is_err());
    assert!(
        Api::<ConfigMap>::default_namespaced(kube.client())
            .get("a")
            .await
            .is_err()
    );
    kube.resume_listening().await?;
    eventually("the port answers", || async { maps.get("a").await.is_ok() }).await;
    Ok(())
}

#[tokio::test]
async fn strangers_are_refused_and_roles_allow() -> Result<()> {
    let tokens = vec![("secret".to_owned(), User::new("jane", &[]))];
    let kube = FakeKube::start(Options {
        tokens,
        ..Options::default()
    })
    .await?;
    let yaml = kube.kubeconfig("jane").unwrap();
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&yaml)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
    let maps: Api<ConfigMap> = Api::default_namespaced(Client::try_from(config.clone())?);
    let error = maps.list(&ListParams::default()).await.unwrap_err().to_string();
    assert!(
        error.contains(
            "configmaps is forbidden: User \"jane\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\""
        ),
        "{error}"
    );
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "jane"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}],
    });
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
    ));
    let bindings: Api<DynamicObject> = Api::default_namespaced_with(kube.client(), &kind);
    bindings
        .create(&PostParams::default(), &serde_json::from_value(binding)?)
        .await?;
    maps.list(&ListParams::default()).await?;
    assert_eq!(
        code(
            maps.create(&PostParams::default(), &config_map("a", json!({})))
                .await
        )
        .0,
        403
    );
    let mut wrong = config;
    wrong.auth_info.token = Some("guess".to_owned().into());
    let stranger: Api<ConfigMap> = Api::default_namespaced(Client::try_from(wrong)?);
    assert_eq!(
        code(stranger.list(&ListParams::default()).await),
        (401, "Unauthorized".to_owned())
    );
    Ok(())
}

#[tokio::test]
async fn an_injected_fault_is_met_as_often_as_asked() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    kube.inject(
        FaultRule::always(Fault::InternalError)
            .on_verb(Verb::Create)
            .on_resource("", "configmaps")
            .times(2),
    );
    for _ in 0..2 {
        assert_eq!(
            code(
                maps.create(&PostParams::default(), &config_map("a", json!({})))
                    .await
            )
            .0,
            500
        );
    }
    maps.create(&PostParams::default(), &config_map("a", json!({})))
        .await?;
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
