//! What a component becomes in its plane, from the Service that somebody writes to its end.

use std::collections::BTreeMap;

use crate::support;
use anyhow::ensure;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use outhaul_scenarios::operator::condition;
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// The kinds that lead from a component to its Release.
const KINDS: [&str; 6] = [
    "ServiceClass",
    "Workload",
    "Service",
    "ServiceBinding",
    "Release",
    "DataPlane",
];

async fn write_component(stage: &Stage, name: &str) {
    let operator = stage.operator();
    let project = json!({ "deploymentPipelineRef": "default" });
    operator.apply("Project", "shop", project).await.unwrap();
    let component = json!({ "owner": { "projectName": "shop" }, "type": "Service" });
    operator.apply("Component", name, component).await.unwrap();
    let owner = json!({ "projectName": "shop", "componentName": name });
    let workload = json!({
        "owner": owner,
        "containers": { "main": { "image": "registry.example/app:1" } },
        "endpoints": { "grpc": { "type": "gRPC", "port": 9090 } },
    });
    operator.apply("Workload", name, workload).await.unwrap();
    let service = json!({ "owner": owner, "workloadName": name });
    operator.apply("Service", name, service).await.unwrap();
}

async fn release_state(stage: &Stage, name: &str, state: &str) {
    let patch = Patch::Merge(json!({ "spec": { "releaseState": state } }));
    let bindings = stage.operator().api("ServiceBinding");
    bindings
        .patch(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

/// The only Deployment of the plane, once it is as wanted. Its controller is played here: it serves at once.
async fn deployment(stage: &Stage, what: &str, wanted: impl Fn(&Deployment) -> bool) -> Deployment {
    let client = stage.planes["eu"].cluster.client().await.unwrap();
    poll::until(what, stage::PATIENCE, || async {
        let all: Api<Deployment> = Api::all(client.clone());
        let mut found = all.list(&ListParams::default()).await?.items;
        ensure!(found.len() == 1, "{} Deployments", found.len());
        let deployment = found.remove(0);
        ensure!(wanted(&deployment), "{:?}", deployment.spec);
        let replicas = deployment.spec.replicas.unwrap_or(1);
        let status = json!({ "status": {
            "observedGeneration": deployment.metadata.generation, "replicas": replicas,
            "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [
                { "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable" },
                { "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable" },
            ],
        } });
        let own: Api<Deployment> =
            Api::namespaced(client.clone(), &deployment.namespace().unwrap_or_default());
        own.patch_status(
            &deployment.name_any(),
            &PatchParams::default(),
            &Patch::Merge(&status),
        )
        .await?;
        Ok(deployment)
    })
    .await
    .unwrap()
}

async fn nothing_in_the_plane(stage: &Stage) {
    let client = stage.planes["eu"].cluster.client().await.unwrap();
    poll::until("the plane is empty", stage::PATIENCE, || async {
        let deployments: Api<Deployment> = Api::all(client.clone());
        let left = deployments.list(&ListParams::default()).await?.items.len();
        ensure!(left == 0, "{left} Deployments are left");
        Ok(())
    })
    .await
    .unwrap();
}

/// Every object of these kinds, with its resourceVersion.
async fn versions(stage: &Stage) -> BTreeMap<String, Option<String>> {
    let mut versions = BTreeMap::new();
    for kind in KINDS {
        for object in stage
            .operator()
            .api(kind)
            .list(&ListParams::default())
            .await
            .unwrap()
        {
            versions.insert(format!("{kind} {}", object.name_any()), object.resource_version());
        }
    }
    versions
}

/// Written, rolled out, edited by its class, suspended, undeployed, put back, deleted. A hub that starts again in
/// between writes nothing.
async fn a_component_goes_all_the_way_and_back(ground: Ground) {
    let mut stage = Stage::start_with_bare_planes(&ground, &["eu"]).await.unwrap();
    stage.operator().environment("development", "eu").await.unwrap();
    write_component(&stage, "cart").await;
    stage
        .operator()
        .said("ServiceBinding", "cart", "ServiceClassNotFound")
        .await
        .unwrap();
    let class = |replicas: u32| json!({ "deploymentTemplate": { "replicas": replicas } });
    stage
        .operator()
        .apply("ServiceClass", "default", class(1))
        .await
        .unwrap();
    let made = deployment(&stage, "the Deployment is in the plane", |_| true).await;
    let binding = stage
        .operator()
        .said("ServiceBinding", "cart", "ResourcesActive")
        .await
        .unwrap();
    let host = binding
        .data
        .pointer("/status/endpoints/0/project/host")
        .and_then(Value::as_str);
    let services: Api<Service> = Api::namespaced(
        stage.planes["eu"].cluster.client().await.unwrap(),
        &made.namespace().unwrap(),
    );
    assert!(services.get_opt(host.unwrap()).await.unwrap().is_some());
    assert_eq!(made.name_any(), host.unwrap());

    let before = versions(&stage).await;
    stage.stop_hub().await.unwrap();
    stage.restart_hub().await.unwrap();
    stage.connected("eu", true).await.unwrap();
    let replicas = |wanted| move |deployment: &Deployment| deployment.spec.replicas == Some(wanted);
    // What a start stirs up is done before what comes after it.
    write_component(&stage, "probe").await;
    stage
        .operator()
        .said("ServiceBinding", "probe", "ResourceHealthProgressing")
        .await
        .unwrap();
    let services = stage.operator().api("Service");
    services.delete("probe", &DeleteParams::default()).await.unwrap();
    let workloads = stage.operator().api("Workload");
    workloads.delete("probe", &DeleteParams::default()).await.unwrap();
    poll::until("the probe is gone", stage::PATIENCE, || async {
        let after = versions(&stage).await;
        ensure!(after == before, "{after:?}, not {before:?}");
        Ok(())
    })
    .await
    .unwrap();

    stage
        .operator()
        .apply("ServiceClass", "default", class(2))
        .await
        .unwrap();
    let edited = deployment(&stage, "the class has arrived", replicas(2)).await;
    assert_eq!(edited.metadata.uid, made.metadata.uid);
    stage
        .operator()
        .said("ServiceBinding", "cart", "ResourcesActive")
        .await
        .unwrap();

    release_state(&stage, "cart", "Suspend").await;
    deployment(&stage, "nothing runs", replicas(0)).await;
    stage
        .operator()
        .said("ServiceBinding", "cart", "ResourcesSuspended")
        .await
        .unwrap();
    release_state(&stage, "cart", "Undeploy").await;
    nothing_in_the_plane(&stage).await;
    stage
        .operator()
        .said("ServiceBinding", "cart", "ResourcesUndeployed")
        .await
        .unwrap();
    release_state(&stage, "cart", "Active").await;
    deployment(&stage, "it is back", replicas(2)).await;
    stage
        .operator()
        .said("ServiceBinding", "cart", "ResourcesActive")
        .await
        .unwrap();

    services.delete("cart", &DeleteParams::default()).await.unwrap();
    nothing_in_the_plane(&stage).await;
    poll::until("binding and Release are gone", stage::PATIENCE, || async {
        let left = versions(&stage).await;
        let made = left
            .keys()
            .filter(|name| name.ends_with(" cart") && !name.starts_with("Workload"));
        ensure!(made.count() == 0, "{left:?}");
        Ok(())
    })
    .await
    .unwrap();
    stage.end().await.unwrap();
}

/// Kubernetes refuses an object with a field that it does not know; where it comes from is said where people look.
async fn a_field_that_the_plane_does_not_know_is_told_with_its_class(ground: Ground) {
    let stage = Stage::start_with_bare_planes(&ground, &["eu"]).await.unwrap();
    stage.operator().environment("development", "eu").await.unwrap();
    let class = json!({ "deploymentTemplate": { "replicas": 1, "novelty": true } });
    stage
        .operator()
        .apply("ServiceClass", "default", class)
        .await
        .unwrap();
    write_component(&stage, "cart").await;
    let said = stage
        .operator()
        .said("ServiceBinding", "cart", "ResourceHealthDegraded");
    let said = said.await.unwrap();
    let words = condition(&said, "Ready").unwrap()["message"].as_str().unwrap();
    for part in ["Deployment", ".spec.novelty", "ServiceClass \"default\""] {
        assert!(words.contains(part), "{words}");
    }
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    a_component_goes_all_the_way_and_back,
    a_field_that_the_plane_does_not_know_is_told_with_its_class,
);
