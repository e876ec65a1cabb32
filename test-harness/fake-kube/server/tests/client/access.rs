//! Who gets in, and the port that goes and comes back.

use anyhow::Result;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use outhaul_fake_kube_server::{FakeKube, Options, User};
use serde_json::json;

use crate::support::{cluster, code, config_map, eventually, over_tls};

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
