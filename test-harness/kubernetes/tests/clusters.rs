//! Clusters do what their documentation says, on the real programs.

mod support;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::{Api, Client, Resource as _};
use outhaul_kubernetes::{Cluster, Definitions, Error, Options, Program, require_or_skip};
use serde_json::{Value, json};

use support::eventually;

#[tokio::test]
async fn what_was_applied_survives_the_death_of_the_api_server() {
    let Some(programs) = require_or_skip() else { return };
    let mut cluster = Cluster::start(&programs, Options::api_only()).await.unwrap();
    let url = cluster.server_url();
    let maps: Api<ConfigMap> = Api::default_namespaced(cluster.client().await.unwrap());
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}});
    maps.patch("a", &PatchParams::apply("test"), &Patch::Apply(map))
        .await
        .unwrap();

    cluster.kill(Program::ApiServer);
    assert!(maps.get("a").await.is_err());
    cluster.revive(Program::ApiServer).await.unwrap();

    assert_eq!(cluster.server_url(), url);
    // The client that was there before finds its way back.
    assert_eq!(maps.get("a").await.unwrap().data.unwrap()["k"], "v");
}

#[tokio::test]
async fn two_clusters_are_strangers() {
    let Some(programs) = require_or_skip() else { return };
    let start = || Cluster::start(&programs, Options::api_only());
    let (one, other) = tokio::try_join!(start(), start()).unwrap();
    let uid = async |cluster: &Cluster| {
        let namespaces: Api<Namespace> = Api::all(cluster.client().await.unwrap());
        namespaces.get("kube-system").await.unwrap().metadata.uid.unwrap()
    };
    assert_ne!(uid(&one).await, uid(&other).await);

    let mut kubeconfig = one.kubeconfig().clone();
    kubeconfig.clusters[0].clone_from(&other.kubeconfig().clusters[0]);
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    let intruder: Api<Namespace> = Api::all(Client::try_from(config).unwrap());
    let refused = intruder.get("kube-system").await.unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(status) if status.code == 401),
        "{refused}"
    );
}

#[tokio::test]
async fn program_that_refuses_its_flags_is_an_error_with_its_words() {
    let Some(programs) = require_or_skip() else { return };
    let mut options = Options::api_only();
    options.api_server_flags.push("--no-such-flag".into());
    let error = Cluster::start(&programs, options).await.unwrap_err();
    assert!(
        matches!(&error, Error::Ended { log, .. } if log.contains("no-such-flag")),
        "{error}"
    );
}

#[tokio::test]
async fn controllers_collect_what_lost_its_owner() {
    let Some(programs) = require_or_skip() else { return };
    let mut cluster = Cluster::start(&programs, Options::controllers()).await.unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(cluster.client().await.unwrap());
    let owner = maps
        .create(&Default::default(), &config_map("owner", &[]))
        .await
        .unwrap();
    let reference = owner.controller_owner_ref(&()).unwrap();
    maps.create(&Default::default(), &config_map("owned", &[reference]))
        .await
        .unwrap();

    maps.delete("owner", &Default::default()).await.unwrap();
    let owned = async || maps.get_opt("owned").await.unwrap();
    eventually("what was owned is gone", async || {
        owned().await.is_none().then_some(())
    })
    .await;

    let error = cluster.revive(Program::Kwok).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotPartOfCluster {
                program: Program::Kwok
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn workloads_meet_the_fates_that_they_ask_for() {
    let Some(programs) = require_or_skip() else { return };
    let cluster = Cluster::start(&programs, Options::workloads()).await.unwrap();
    let client = cluster.client().await.unwrap();
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let pods: Api<Pod> = Api::default_namespaced(client);

    let labels = json!({"app": "web"});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}},
        },
    });
    deployments
        .patch("web", &PatchParams::apply("test"), &Patch::Apply(deployment))
        .await
        .unwrap();
    for (name, fate) in [
        ("runs", "run"),
        ("fails", "fail"),
        ("sticks", "stuck"),
        ("succeeds", ""),
    ] {
        pods.patch(name, &PatchParams::apply("test"), &Patch::Apply(pod(name, fate)))
            .await
            .unwrap();
    }

    let available = async || deployments.get("web").await.unwrap().status?.available_replicas;
    eventually("two replicas are available", async || {
        (available().await == Some(2)).then_some(())
    })
    .await;
    let phase = async |name| pods.get(name).await.unwrap().status?.phase;
    for (name, wanted) in [
        ("succeeds", "Succeeded"),
        ("fails", "Failed"),
        ("runs", "Running"),
    ] {
        eventually(&format!("{name} is {wanted}"), async || {
            (phase(name).await? == wanted).then_some(())
        })
        .await;
    }
    let waits_for = async || {
        let containers = pods.get("sticks").await.unwrap().status?.container_statuses?;
        containers.first()?.state.clone()?.waiting?.reason
    };
    assert_eq!(
        eventually("the stuck pod says why", waits_for).await,
        "ImagePullBackOff"
    );
    assert_eq!(phase("sticks").await.unwrap(), "Pending");
}

#[tokio::test]
async fn definitions_of_others_are_served_and_their_rules_hold() {
    let Some(programs) = require_or_skip() else { return };
    let of_gateways = [Definitions::GatewayApi, Definitions::EnvoyGateway];
    let [Some(gateway_api), Some(envoy)] = of_gateways.map(|it| programs.definitions_or_skip(it)) else {
        return;
    };
    let cluster = Cluster::start(&programs, Options::api_only()).await.unwrap();
    assert_eq!(cluster.install(&gateway_api).await.unwrap(), 10);
    assert_eq!(cluster.install(&envoy).await.unwrap(), 8);

    let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
    let routes: Api<DynamicObject> =
        Api::default_namespaced_with(cluster.client().await.unwrap(), &ApiResource::from_gvk(&kind));
    let apply = async |port: u32| {
        routes
            .patch("web", &PatchParams::apply("test"), &Patch::Apply(route(port)))
            .await
    };
    let refused = apply(99_999).await.unwrap_err();
    assert!(refused.to_string().contains("65535"), "{refused}");
    apply(8080).await.unwrap();
}

fn config_map(name: &str, owners: &[OwnerReference]) -> ConfigMap {
    let metadata = ObjectMeta {
        name: Some(name.into()),
        owner_references: Some(owners.to_vec()),
        ..ObjectMeta::default()
    };
    ConfigMap {
        metadata,
        ..ConfigMap::default()
    }
}

fn pod(name: &str, fate: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "annotations": {"outhaul.dev/test-result": fate}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/main"}]},
    })
}

fn route(port: u32) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"},
        "spec": {"rules": [{"backendRefs": [{"name": "web", "port": port}]}]},
    })
}
